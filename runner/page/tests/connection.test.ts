import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";

import { launch, Visit } from "./support/browser.ts";
import { cardOf } from "./support/card.ts";
import { Server } from "./support/server.ts";

let browser: Browser;
before(async () => {
    browser = await launch();
});
after(async () => {
    await browser.close();
});

test("a connection that is lost is told, and comes back with what is new", async () => {
    const first = await Server.start({ rtspStreamPath: "/door", label: "Door" });
    const visit = await Visit.begin(browser, first.url);
    const { page } = visit;
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("heading", { name: "Door" }).waitFor();
    await first.stop();
    const trouble = page.getByRole("alert").getByText("The connection to the server is lost.");
    await trouble.waitFor();
    const second = await Server.start({ rtspStreamPath: "/gate", label: "Gate" }, new URL(first.url).port);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("heading", { name: "Gate" }).waitFor();
    await cardOf(page, "door").waitFor({ state: "detached" });
    await trouble.waitFor({ state: "detached" });
    await visit.end();
    await second.stop();
});
