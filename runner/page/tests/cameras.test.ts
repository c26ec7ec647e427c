import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf, dialogButton, dialogIsClosed, fieldOf, urlOf } from "./support/card.ts";
import { eventually } from "./support/eventually.ts";
import { readCode } from "./support/picture.ts";
import { Server } from "./support/server.ts";
import { play } from "./support/viewer.ts";

let browser: Browser;
let server: Server;
before(async () => {
    browser = await launch();
    server = await Server.start({ streams: [{ rtspStreamPath: "/door", label: "Door" }, { rtspStreamPath: "/yard" }] });
});
after(async () => {
    await browser.close();
    await server.stop();
});

test("a camera says what it is", async () => {
    const visit = await Visit.begin(browser, server.url, { permissions: ["clipboard-read", "clipboard-write"] });
    const { page } = visit;
    const card = cardOf(page, "door");
    await card.getByRole("heading", { name: "Door" }).waitFor();
    await cardOf(page, "yard").getByRole("heading", { name: "yard" }).waitFor();
    for (const said of ["H.264", "640×480", "15 fps", "Idle", "No viewers"]) {
        await card.getByText(said, { exact: true }).waitFor();
    }
    const url = await urlOf(card);
    assert.match(url, /^rtsp:\/\/127\.0\.0\.1:\d+\/door$/);
    await card.getByRole("button", { name: "Copy the address" }).click();
    await eventually("the address is copied", async () => {
        return (await page.evaluate(() => navigator.clipboard.readText())) === url;
    });
    await card.getByRole("button", { name: "as a QR code" }).click();
    assert.equal(await readCode(page.getByRole("img", { name: `QR code of ${url}` })), url);
    await visit.end();
});

test("cameras are added, changed and removed", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    await page.getByRole("button", { name: "Add a camera" }).click();
    await fieldOf(page, "rtspStreamPath").getByRole("textbox").fill("/hall/{n}");
    await fieldOf(page, "count").getByRole("textbox").fill("3");
    await fieldOf(page, "label").getByRole("textbox").fill("Hall {n}");
    await fieldOf(page, "videoCodec").getByRole("combobox").selectOption("mjpeg");
    await dialogButton(page, "Add").click();
    await dialogIsClosed(page);
    for (const number of [1, 2, 3]) await page.getByRole("heading", { name: `Hall ${number}` }).waitFor();

    const card = cardOf(page, "hall-2");
    await card.getByText("MJPEG", { exact: true }).waitFor();
    await card.getByRole("button", { name: "Settings" }).click();
    await fieldOf(page, "maxViewers").getByRole("textbox").fill("5");
    await fieldOf(page, "framesPerSecond").getByRole("textbox").fill("30000/1001");
    await dialogButton(page, "Change").click();
    await dialogButton(page, "Replace the stream").click();
    await dialogIsClosed(page);
    await card.getByText("29.97 fps").waitFor();
    await card.getByText("5 at most").waitFor();

    await card.getByRole("button", { name: "Remove" }).click();
    await dialogButton(page, "Remove").click();
    await dialogIsClosed(page);
    await card.waitFor({ state: "detached" });
    await cardOf(page, "hall-3").waitFor();
    assert.equal((await server.api("streams/hall-2")).status, 404);
    assert.equal((await server.api("streams/hall-3")).status, 200);
    await visit.end();
});

test("what is wrong stands at its field", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    await cardOf(page, "door").getByRole("button", { name: "Settings" }).click();
    await fieldOf(page, "framesPerSecond").getByRole("textbox").fill("0");
    await fieldOf(page, "textScale").getByRole("textbox").fill("large");
    await dialogButton(page, "Change").click();
    const field = fieldOf(page, "framesPerSecond");
    await field.getByText("Found 0, expected a number from 0.1").waitFor();
    await fieldOf(page, "textScale").getByText('Found "large", expected a number').waitFor();
    const input = fieldOf(page, "textScale").getByRole("textbox");
    assert.equal(await input.getAttribute("aria-invalid"), "true");
    assert.equal(await input.evaluate((element) => element === document.activeElement), true);
    const description = await input.getAttribute("aria-describedby");
    assert.match(description ?? "", /mistake/);
    assert.equal(await fieldOf(page, "label").getByRole("textbox").getAttribute("aria-invalid"), "false");
    await dialogButton(page, "Cancel").click();

    await page.getByRole("button", { name: "Add a camera" }).click();
    await fieldOf(page, "rtspStreamPath").getByRole("textbox").fill("no slash");
    await dialogButton(page, "Add").click();
    await fieldOf(page, "rtspStreamPath").getByText('Found "no slash"').waitFor();
    await visit.end();
});

test("what somebody else has changed meanwhile is not undone", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    await cardOf(page, "door").getByRole("button", { name: "Settings" }).click();
    await fieldOf(page, "stampId").getByRole("textbox").fill("7");
    const body = JSON.stringify({ maxViewers: 9 });
    const headers = { "Content-Type": "application/json" };
    const changed = await server.api("streams/door/config", { method: "PATCH", headers, body });
    assert.equal(changed.status, 200);
    await dialogButton(page, "Change").click();
    await page.getByRole("dialog").getByRole("alert").getByText("changed since").waitFor();
    await dialogButton(page, "Show what is in force now").click();
    const field = fieldOf(page, "maxViewers").getByRole("textbox");
    await eventually("what is in force is shown", async () => (await field.inputValue()) === "9");
    await field.fill("");
    await dialogButton(page, "Change").click();
    await dialogIsClosed(page);
    const config = (await (await server.api("streams/door/config")).json()) as Record<string, unknown>;
    assert.deepEqual([config["maxViewers"], config["stampId"]], [undefined, 0]);
    await visit.end();
});

test("a viewer comes, is told of, and goes", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    const card = cardOf(page, "door");
    const url = await urlOf(card);
    const stop = play(url);
    await card.getByText("1 viewer", { exact: true }).waitFor();
    await card.getByText("Running", { exact: true }).waitFor();
    await page.getByText("1 viewer", { exact: false }).first().waitFor();
    const viewer = card.locator("[data-viewer]");
    assert.match(await viewer.innerText(), /127\.0\.0\.1:\d+\s+TCP · \d+ s/);
    await eventually("the bitrate is told", async () => /\d [km]bit\/s/i.test(await card.innerText()));
    await eventually("frames are counted", async () => /Frames\s+[1-9]/.test(await card.innerText()));
    await eventually("lateness is drawn", async () => (await card.locator("polyline").count()) === 1);
    await stop();
    await card.getByText("No viewers").waitFor();
    await visit.end();
});

test("a viewer is sent away, and a key frame is asked for", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    const card = cardOf(page, "yard");
    const stop = play(await urlOf(card));
    await card.getByText("1 viewer", { exact: true }).waitFor();
    await card.getByRole("button", { name: "Key frame" }).click();
    await page.getByRole("status").getByText("The next frame of yard is a key frame").waitFor({ state: "attached" });
    await card.getByRole("button", { name: "away" }).click();
    await card.getByText("No viewers").waitFor();
    await stop();
    await visit.end();
});

test("a change in another place is seen", async () => {
    const visit = await Visit.begin(browser, server.url);
    const { page } = visit;
    await cardOf(page, "door").waitFor();
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ rtspStreamPath: "/gate", label: "Gate" });
    const added = await server.api("streams", { method: "POST", headers, body });
    assert.equal(added.status, 201);
    await page.getByRole("heading", { name: "Gate" }).waitFor();
    await server.api("streams/gate", { method: "DELETE" });
    await cardOf(page, "gate").waitFor({ state: "detached" });
    await visit.end();
});
