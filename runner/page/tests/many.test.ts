import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf } from "./support/card.ts";
import { eventually } from "./support/eventually.ts";
import { instantOf } from "./support/picture.ts";
import { Server } from "./support/server.ts";

let browser: Browser;
let server: Server;
before(async () => {
    browser = await launch();
    const many = { rtspStreamPath: "/cam/{n}", label: "Camera {n}", count: 240, framesPerSecond: 5, videoResolution: "320x180" };
    server = await Server.start({ streams: [many, { rtspStreamPath: "/yard", label: "A yard", videoCodec: "mjpeg" }] });
});
after(async () => {
    await browser.close();
    await server.stop();
});

test("a hundred cards scroll, and those that are seen have pictures", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    await cardOf(page, "cam-1").waitFor();
    assert.equal(await page.locator("[data-stream]").count(), 100);
    const first = await pictures(page);
    assert.ok(first.length >= 4 && first.length <= 16, `${first.length} pictures`);
    assert.ok(first.includes("cam-1"));
    const last = cardOf(page, "cam-100");
    for (const number of [25, 50, 75]) await cardOf(page, `cam-${number}`).scrollIntoViewIfNeeded();
    await last.locator("canvas").scrollIntoViewIfNeeded();
    await eventually("the last card has a picture", () => instantOf(last));
    const then = await instantOf(last);
    await eventually("it moves", async () => (await instantOf(last)) > then);
    await eventually("those that were left behind are not asked for", () => !visit.watched.includes("cam-1"));
    assert.ok(visit.watched.includes("cam-100") && visit.watched.length <= 16, String(visit.watched));
    await visit.end();
});

test("cameras are turned over, searched, filtered and sorted", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    await page.getByText("1 to 100 of 241").waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("101 to 200 of 241").waitFor();
    await cardOf(page, "cam-101").waitFor();
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByText("201 to 241 of 241").waitFor();
    assert.equal(await page.getByRole("button", { name: "Next" }).isDisabled(), true);

    const search = page.getByRole("searchbox");
    await search.fill("cam/23");
    await page.getByText("11 of 241 cameras").waitFor();
    await search.fill("mjpeg");
    await page.getByText("1 of 241 cameras").waitFor();
    await cardOf(page, "yard").waitFor();
    await search.fill("");
    await page.getByLabel("Order").selectOption("label");
    await eventually("the yard comes first", async () => (await firstCard(page)) === "yard");
    await page.getByRole("radio", { name: "Failed" }).check();
    await page.getByText("No camera matches.").waitFor();
    await page.getByRole("button", { name: "Show all" }).click();
    await cardOf(page, "cam-1").waitFor();
    await visit.end();
});

function firstCard(page: Page): Promise<string | null> {
    return page.locator("[data-stream]").first().getAttribute("data-stream");
}

/** The cameras whose pictures have come, once these are all that are seen. */
async function pictures(page: Page): Promise<string[]> {
    const seen = await page.locator("[data-stream]").evaluateAll((cards) => {
        const isSeen = (card: Element): boolean => {
            const { top, bottom } = (card.querySelector("canvas") ?? card).getBoundingClientRect();
            return bottom > 0 && top < innerHeight;
        };
        return cards.filter(isSeen).map((card) => card.getAttribute("data-stream") ?? "");
    });
    await eventually("all that are seen have pictures", async () => {
        const instants = await Promise.all(seen.map((id) => instantOf(cardOf(page, id))));
        return instants.every((instant) => instant > 0);
    });
    return page.locator("[data-stream]:has([data-instant])").evaluateAll((cards) => {
        return cards.map((card) => card.getAttribute("data-stream") ?? "");
    });
}
