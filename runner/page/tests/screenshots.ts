/** Makes the pictures of the page that the README shows: `node tests/screenshots.ts ../../docs`. */
import { join } from "node:path";
import type { Page } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf, urlOf } from "./support/card.ts";
import { eventually } from "./support/eventually.ts";
import { Server } from "./support/server.ts";
import { play } from "./support/viewer.ts";

/** How long cameras are played before, so that there is something to be seen of it, in ms. */
const PLAYED = 62_000;
const SIZE = { width: 1280, height: 860 };

const STREAMS = [
    { rtspStreamPath: "/door", label: "Front door", videoResolution: "1280x720", stamp: "qr" },
    { rtspStreamPath: "/yard", label: "Yard", textColor: "#e8f6ff", backgroundColor: "#12324f", videoCodec: "h265" },
    { rtspStreamPath: "/hall", label: "Hall", textColor: "#fff4d6", backgroundColor: "#4a2c12", bitrateKbps: 800 },
    { rtspStreamPath: "/dock", label: "Loading dock", textColor: "#e9ffe8", backgroundColor: "#173d24", flash: true },
    { rtspStreamPath: "/gate/{n}", label: "Gate {n}", count: 4, videoCodec: "mjpeg", videoResolution: "640x360", backgroundColor: "#3a1f45" },
    { rtspStreamPath: "/floor/{n}", label: "Floor {n}", count: 12 },
];
const PLAYED_STREAMS = ["door", "door", "yard", "hall", "gate-2"];

async function playAll(page: Page): Promise<(() => Promise<void>)[]> {
    const urls = await Promise.all(PLAYED_STREAMS.map((id) => urlOf(cardOf(page, id))));
    return urls.map((url) => play(url));
}

async function main(folder: string): Promise<void> {
    const server = await Server.start({ framesPerSecond: 25, videoResolution: "960x540", streams: STREAMS });
    const browser = await launch();
    const light = await Visit.begin(browser, server.url, { viewport: SIZE, colorScheme: "light" });
    const dark = await Visit.begin(browser, server.url, { viewport: SIZE, colorScheme: "dark" });
    await cardOf(light.page, "gate-2").waitFor({ state: "attached" });
    const players = await playAll(light.page);
    await new Promise((resolve) => setTimeout(resolve, PLAYED));
    for (const [name, { page }] of [["light", light], ["dark", dark]] as const) {
        await eventually("viewers are seen", async () => (await page.getByText("5 viewers").count()) > 0);
        await page.screenshot({ path: join(folder, `page-${name}.png`) });
    }
    await light.end();
    await dark.end();
    for (const stop of players) await stop();
    await browser.close();
    await server.stop();
}

await main(process.argv[2] ?? ".");
