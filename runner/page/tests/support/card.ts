import type { Locator, Page } from "playwright-core";

/** The card of a camera. */
export function cardOf(page: Page, id: string): Locator {
    return page.locator(`[data-stream="${id}"]`);
}

/** Where the camera of a card is played. It is not asked for as it is drawn: a card that is not seen yet is not. */
export async function urlOf(card: Locator): Promise<string> {
    return (await card.locator("code").textContent()) ?? "";
}

/** The field of a key in the dialog that is open. */
export function fieldOf(page: Page, key: string): Locator {
    return page.locator(`dialog [data-key="${key}"]`);
}

/** The button of that name in the dialog that is open. */
export function dialogButton(page: Page, name: string): Locator {
    return page.getByRole("dialog").getByRole("button", { name, exact: true });
}

/** Waits until no dialog is open. */
export async function dialogIsClosed(page: Page): Promise<void> {
    await page.getByRole("dialog").waitFor({ state: "detached" });
}
