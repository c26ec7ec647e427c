import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Locator } from "playwright-core";

const READER = readFileSync(createRequire(import.meta.url).resolve("jsqr"), "utf8");

type Reader = (data: Uint8ClampedArray, width: number, height: number) => { data: string } | null;

/** The instant of the picture that a card shows, in µs; 0 as long as it shows none. */
export async function instantOf(card: Locator): Promise<number> {
    const instant = await card.locator("canvas").getAttribute("data-instant");
    return Number(instant ?? 0);
}

/** What a picture says of its instant. */
export interface Shown {
    /** The instant that came with it, in µs. */
    told: number;
    /** The instant that is read in it, from its stamp. */
    read: number;
}

/** Reads the stamp of the picture that a card shows; `null` where none can be read in it. */
export async function readStamp(card: Locator): Promise<Shown | null> {
    await card.page().evaluate(READER);
    return card.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext("2d");
        if (context === null) return null;
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        const { jsQR } = globalThis as unknown as { jsQR: Reader };
        const digits = jsQR(data, canvas.width, canvas.height)?.data;
        if (digits === undefined) return null;
        return { told: Number(canvas.dataset["instant"]), read: Number(digits.slice(1, 17)) };
    });
}

/** The text of a QR code as it is seen on the screen. */
export async function readCode(code: Locator): Promise<string> {
    await code.page().evaluate(READER);
    const png = (await code.screenshot()).toString("base64");
    return code.evaluate(async (_, base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes]));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
        context?.drawImage(bitmap, 0, 0);
        const pixels = context?.getImageData(0, 0, bitmap.width, bitmap.height).data ?? new Uint8ClampedArray();
        const { jsQR } = globalThis as unknown as { jsQR: Reader };
        return jsQR(pixels, bitmap.width, bitmap.height)?.data ?? "";
    }, png);
}

/** The color in the middle of the upper edge of a picture, where nothing is written. */
export function edgeColor(card: Locator): Promise<number[]> {
    return card.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
        const context = new OffscreenCanvas(1, 1).getContext("2d");
        context?.drawImage(canvas, canvas.width / 4, 2, 1, 1, 0, 0, 1, 1);
        return [...(context?.getImageData(0, 0, 1, 1).data ?? [])].slice(0, 3);
    });
}

/** How much of a picture is lit, a number that another text makes another one. */
export function ink(card: Locator): Promise<number> {
    return card.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
        // The label stands above the time.
        const height = Math.floor(canvas.height * 0.4);
        const context = new OffscreenCanvas(canvas.width, height).getContext("2d");
        if (!context) return 0;
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, height);
        return data.reduce((sum, value, index) => (index % 4 === 1 && value > 128 ? sum + 1 : sum), 0);
    });
}
