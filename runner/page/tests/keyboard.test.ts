import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Locator, Page } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf, dialogIsClosed, urlOf } from "./support/card.ts";
import { eventually } from "./support/eventually.ts";
import { Server } from "./support/server.ts";
import { play } from "./support/viewer.ts";

/** More stops than these come before nothing. */
const MOST_STOPS = 80;

let browser: Browser;
let server: Server;
before(async () => {
    browser = await launch();
    server = await Server.start({ rtspStreamPath: "/door", label: "Door" });
});
after(async () => {
    await browser.close();
    await server.stop();
});

/** Goes by Tab until `target` has the focus, which then can be seen. */
async function tabTo(page: Page, target: Locator): Promise<void> {
    for (let stops = 0; stops < MOST_STOPS; stops += 1) {
        await page.keyboard.press("Tab");
        if (await hasFocus(target)) {
            const outline = await target.evaluate(outlineOf);
            assert.notEqual(outline, "none", `no focus is seen at ${String(target)}`);
            return;
        }
    }
    assert.fail(`Tab does not lead to ${String(target)}`);
}

async function hasFocus(target: Locator): Promise<boolean> {
    return (await target.count()) > 0 && target.evaluate((element) => element === document.activeElement);
}

/** The outline of what has the focus, or of what stands for it. */
function outlineOf(element: Element): string {
    const own = getComputedStyle(element);
    const drawn = own.opacity === "0" && element.nextElementSibling ? getComputedStyle(element.nextElementSibling) : own;
    return drawn.outlineStyle;
}

test("everything can be done by keyboard", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    const door = cardOf(page, "door");
    await door.waitFor();

    // Adds a camera.
    const add = page.getByRole("button", { name: "Add a camera" });
    await tabTo(page, add);
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByRole("dialog").getByLabel("Path"));
    await page.keyboard.press("Control+A");
    await page.keyboard.type("/yard");
    await page.keyboard.press("Enter");
    await dialogIsClosed(page);
    const yard = cardOf(page, "yard");
    await yard.waitFor();
    assert.ok(await hasFocus(add), "the focus is back where it was");

    // Finds it, and shows it alone.
    await tabTo(page, page.getByRole("searchbox"));
    await page.keyboard.type("yard");
    await page.getByText("1 of 2 cameras").waitFor();
    await tabTo(page, page.getByRole("radio", { name: "All" }));
    await page.keyboard.press("ArrowLeft");
    await page.getByText("No camera matches.").waitFor();
    await page.keyboard.press("ArrowRight");
    await yard.waitFor();

    // Changes its label in place.
    const pencil = yard.getByRole("button", { name: "Edit label and colors" });
    await tabTo(page, pencil);
    await page.keyboard.press("Enter");
    await page.keyboard.type("The yard");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "The yard" }).waitFor();
    await eventually("the focus is back where it was", () => hasFocus(pencil));

    // Takes a change back.
    await page.keyboard.press("Enter");
    await page.keyboard.type("Nonsense");
    await page.getByRole("heading", { name: "Nonsense" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { name: "The yard" }).waitFor();

    // Sees its address as a QR code.
    await tabTo(page, yard.getByRole("button", { name: "as a QR code" }));
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: "QR code" }).waitFor();
    await page.keyboard.press("Escape");
    await dialogIsClosed(page);

    // Sends a viewer away, and asks for a key frame.
    const stop = play(await urlOf(yard));
    const kick = yard.getByRole("button", { name: "away" });
    await kick.waitFor();
    await tabTo(page, kick);
    await page.keyboard.press("Enter");
    await yard.getByText("No viewers").waitFor();
    await stop();
    await tabTo(page, yard.getByRole("button", { name: "Key frame" }));
    await page.keyboard.press("Space");
    await page.getByRole("status").getByText("is a key frame").waitFor({ state: "attached" });

    // Changes another key.
    await tabTo(page, yard.getByRole("button", { name: "Settings" }));
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByLabel("Viewers at most"));
    await page.keyboard.type("7");
    await page.keyboard.press("Enter");
    await dialogIsClosed(page);
    await yard.getByText("7 at most").waitFor();

    // Removes it.
    await tabTo(page, yard.getByRole("button", { name: "Remove" }));
    await page.keyboard.press("Enter");
    await tabTo(page, page.getByRole("dialog").getByRole("button", { name: "Remove" }));
    await page.keyboard.press("Enter");
    await yard.waitFor({ state: "detached" });
    await visit.end();
});
