import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf } from "./support/card.ts";
import { eventually } from "./support/eventually.ts";
import { edgeColor, ink, instantOf, readStamp } from "./support/picture.ts";
import { Server } from "./support/server.ts";

const CAMERA = { rtspStreamPath: "/door", label: "Door", stamp: "qr", framesPerSecond: 25 };

let browser: Browser;
let server: Server;
before(async () => {
    browser = await launch();
    server = await Server.start(CAMERA);
});
after(async () => {
    await browser.close();
    await server.stop();
});

test("the time in a picture moves, and is what comes with it", async () => {
    const visit = await Visit.begin(browser, server.url);
    const card = cardOf(visit.page, "door");
    const first = await eventually("a picture has a stamp that can be read", () => readStamp(card));
    assert.equal(first.read, first.told);
    const second = await eventually("a later picture comes", async () => {
        const shown = await readStamp(card);
        return shown !== null && shown.read > first.read ? shown : null;
    });
    assert.equal(second.read, second.told);
    await visit.end();
});

test("no pictures come while the page is not to be seen", async () => {
    const visit = await Visit.begin(browser, server.url);
    const card = cardOf(visit.page, "door");
    await eventually("pictures come", () => instantOf(card));
    assert.deepEqual(visit.watched, ["door"]);
    await hide(visit.page, true);
    await eventually("the page watches nothing", () => visit.watched.length === 0);
    await hide(visit.page, false);
    await eventually("it watches again", () => visit.watched.length === 1);
    const then = await instantOf(card);
    await eventually("pictures come again", async () => (await instantOf(card)) > then);
    await visit.end();
});

test("a label and colors that are changed in place are in the picture", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    const card = cardOf(page, "door");
    await eventually("a picture comes", () => instantOf(card));
    const inkBefore = await ink(card);
    await card.getByRole("button", { name: "Edit label and colors" }).click();
    await card.getByLabel("Label of").fill("Another door, with much more text");
    await eventually("the picture has another text", async () => (await ink(card)) !== inkBefore);
    await card.getByLabel("Background color").fill("#204080");
    await eventually("the picture is blue", async () => {
        const [red = 255, , blue = 0] = await edgeColor(card);
        return blue > 100 && red < 60;
    });
    await card.getByRole("button", { name: "Done" }).click();
    await page.getByRole("heading", { name: "Another door" }).waitFor();
    const config = (await (await server.api("streams/door/config")).json()) as Record<string, unknown>;
    assert.equal(config["label"], "Another door, with much more text");
    assert.equal(config["backgroundColor"], "#204080");
    await visit.end();
});

/** Has the page believe that it is hidden, or that it is seen: a browser without a window shows all that it has. */
function hide(page: Page, isHidden: boolean): Promise<void> {
    return page.evaluate((value) => {
        Object.defineProperty(document, "hidden", { value, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
}
