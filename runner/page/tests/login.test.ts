import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf } from "./support/card.ts";
import { Server } from "./support/server.ts";

const TOKEN = "a-token-of-a-test-0123456789";
const STREAMS = [{ rtspStreamPath: "/door", label: "Door" }, { rtspStreamPath: "/safe", label: "Safe" }];
const USERS = [
    { username: "chief", password: "chief's-own", admin: true },
    { username: "güest", password: "guest's-öwn", streams: ["/door"] },
];

let browser: Browser;
let locked: Server;
let open: Server;
before(async () => {
    browser = await launch();
    locked = await Server.start({ http: { token: TOKEN }, users: USERS, streams: STREAMS });
    open = await Server.start({ http: { token: TOKEN }, streams: STREAMS });
});
after(async () => {
    await browser.close();
    await locked.stop();
    await open.stop();
});

async function logIn(page: Page, name: string, password: string): Promise<void> {
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
}

async function logInByToken(page: Page): Promise<void> {
    await page.getByRole("radio", { name: "Token" }).check();
    await page.locator("input[type=password]").fill(TOKEN);
    await page.getByRole("button", { name: "Log in" }).click();
}

test("a token in the address logs in, and goes from there", async () => {
    const visit = await Visit.begin(browser, `${locked.url}#token=${TOKEN}`);
    const { page } = visit;
    await cardOf(page, "safe").waitFor();
    assert.equal(page.url(), locked.url);
    assert.equal(await page.evaluate(() => document.cookie), "");
    await page.getByRole("button", { name: "Add a camera" }).waitFor();
    await page.reload();
    await cardOf(page, "safe").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await visit.end();
});

test("a token that comes to a page that is open logs in as well", async () => {
    const visit = await Visit.begin(browser, locked.url);
    const { page } = visit;
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.evaluate((token) => location.assign(`#token=${token}`), TOKEN);
    await cardOf(page, "safe").waitFor();
    assert.equal(page.url(), locked.url);
    await visit.end();
});

test("a wrong token is told", async () => {
    const visit = await Visit.begin(browser, `${locked.url}#token=no-such-token-at-all`);
    const { page } = visit;
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await page.getByRole("alert").waitFor();
    assert.equal(page.url(), locked.url);
    await logInByToken(page);
    await cardOf(page, "door").waitFor();
    await visit.end();
});

test("a user who may see one stream sees that, and changes nothing", async () => {
    const visit = await Visit.begin(browser, locked.url);
    const { page } = visit;
    await logIn(page, "güest", "wrong");
    await page.getByRole("alert").waitFor();
    await logIn(page, "güest", "guest's-öwn");
    await cardOf(page, "door").waitFor();
    assert.equal(await page.locator("[data-stream]").count(), 1);
    for (const name of ["Add a camera", "Settings", "Remove", "Key frame", "Edit"]) {
        assert.equal(await page.getByRole("button", { name }).count(), 0, name);
    }
    await page.getByRole("button", { name: "Log out güest" }).click();
    await page.getByRole("heading", { name: "Log in" }).waitFor();
    await visit.end();
});

test("an admin changes things", async () => {
    const visit = await Visit.begin(browser, locked.url);
    const { page } = visit;
    await logIn(page, "chief", "chief's-own");
    await cardOf(page, "safe").waitFor();
    await cardOf(page, "safe").getByRole("button", { name: "Key frame" }).click();
    await page.getByRole("status").getByText("The next frame of Safe").waitFor({ state: "attached" });
    await visit.end();
});

test("where no log-in is needed anybody looks, and the token changes", async () => {
    const visit = await Visit.begin(browser, open.url);
    const { page } = visit;
    await cardOf(page, "door").waitFor();
    assert.equal(await page.getByRole("button", { name: "Add a camera" }).count(), 0);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("button", { name: "Look on without" }).click();
    await cardOf(page, "door").waitFor();
    await page.getByRole("button", { name: "Log in" }).click();
    await logInByToken(page);
    await page.getByRole("button", { name: "Add a camera" }).waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    await visit.end();
});
