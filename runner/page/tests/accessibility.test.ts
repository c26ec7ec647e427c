import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf, dialogButton, urlOf } from "./support/card.ts";
import { eventually } from "./support/eventually.ts";
import { instantOf } from "./support/picture.ts";
import { Server } from "./support/server.ts";
import { play } from "./support/viewer.ts";

const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PHONE = { width: 360, height: 740 };
const TOKEN = "a-token-of-a-test-0123456789";
/** A camera whose pipeline fails as soon as somebody plays it. */
const BROKEN = "clocksrc ! identity error-after=3 ! x264enc ! rtph264pay name=pay0";

let browser: Browser;
let server: Server;
before(async () => {
    browser = await launch();
    server = await Server.start({
        http: { token: TOKEN },
        users: [{ username: "chief", password: "chief", admin: true }],
        streams: [{ rtspStreamPath: "/door", label: "Door" }, { rtspStreamPath: "/broken", pipeline: BROKEN }],
    });
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** Fails with what axe-core finds. */
async function check(page: Page, where: string): Promise<void> {
    await page.evaluate(axe.source);
    const found = await page.evaluate(async (tags) => {
        const { axe: checker } = globalThis as unknown as { axe: { run: (options: object) => Promise<Results> } };
        interface Results {
            violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
        }
        const { violations } = await checker.run({ runOnly: tags });
        return violations.map(({ id, nodes }) => [id, ...nodes.map((node) => `${node.html}: ${node.failureSummary}`)].join("\n"));
    }, WCAG);
    assert.deepEqual(found, [], where);
    const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(width <= 0, `${where} is ${width} px wider than the screen`);
}

const LOOKS: BrowserContextOptions[] = [
    { colorScheme: "light" },
    { colorScheme: "dark" },
    { colorScheme: "light", viewport: PHONE },
    { colorScheme: "dark", viewport: PHONE, reducedMotion: "reduce" },
];

for (const look of LOOKS) {
    const name = `${look.colorScheme ?? ""}, ${look.viewport?.width ?? 1280} px wide`;
    describe(name, () => {
        test("nobody is kept out", async () => {
            const visit = await Visit.begin(browser, server.url, look);
            const { page } = visit;
            await page.getByRole("heading", { name: "Log in" }).waitFor();
            await check(page, "the log-in");
            await page.getByLabel("Name", { exact: true }).fill("chief");
            await page.getByLabel("Password", { exact: true }).fill("wrong");
            await page.getByRole("button", { name: "Log in" }).click();
            await page.getByRole("alert").waitFor();
            await check(page, "a log-in that was wrong");
            await page.getByLabel("Password", { exact: true }).fill("chief");
            await page.getByRole("button", { name: "Log in" }).click();

            const card = cardOf(page, "door");
            await eventually("a picture comes", () => instantOf(card));
            const players = ["door", "broken"].map(async (id) => {
                const url = await urlOf(cardOf(page, id));
                return play(url.replace("rtsp://", "rtsp://chief:chief@"));
            });
            await card.getByText("1 viewer", { exact: true }).waitFor();
            await page.getByText("Failed", { exact: true }).last().waitFor();
            await check(page, "the cards");
            await card.getByRole("button", { name: "Edit label" }).click();
            await check(page, "a card that is edited");
            await page.keyboard.press("Escape");

            await card.getByRole("button", { name: "as a QR code" }).click();
            await check(page, "the addresses");
            await page.keyboard.press("Escape");
            await card.getByRole("button", { name: "Settings" }).click();
            await page.getByLabel("Frames a second").fill("0");
            await dialogButton(page, "Change").click();
            await page.getByText("Found 0").waitFor();
            await check(page, "the settings");
            await page.keyboard.press("Escape");
            await page.getByRole("button", { name: "Add a camera" }).click();
            for (const more of await page.locator("dialog summary").all()) await more.click();
            await check(page, "what adds a camera");
            await page.keyboard.press("Escape");
            await card.getByRole("button", { name: "Remove" }).click();
            await check(page, "what removes a camera");
            await page.keyboard.press("Escape");
            for (const stop of await Promise.all(players)) await stop();
            await visit.end();
        });
    });
}
