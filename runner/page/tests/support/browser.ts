import assert from "node:assert/strict";
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "playwright-core";

/** Where the browser is. */
const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
/** It talks to nobody but the server. */
const FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

export function launch(): Promise<Browser> {
    return chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

/** A page in a browser of its own, all of whose requests and complaints are noted. */
export class Visit {
    readonly page: Page;
    readonly #context: BrowserContext;
    readonly #origin: string;
    readonly #elsewhere: string[] = [];
    readonly #complaints: string[] = [];
    #watched: string[] = [];

    private constructor(context: BrowserContext, page: Page, url: string) {
        this.#context = context;
        this.page = page;
        this.#origin = new URL(url).host;
        page.on("request", (request) => this.#noteRequest(request.url()));
        page.on("websocket", (socket) => {
            this.#noteRequest(socket.url());
            socket.on("framesent", ({ payload }) => this.#noteMessage(String(payload)));
        });
        page.on("pageerror", (error) => this.#complaints.push(String(error)));
    }

    /** Opens the page at `url`. */
    static async begin(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
        const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
        context.setDefaultTimeout(30_000);
        const page = await context.newPage();
        const visit = new Visit(context, page, url);
        await page.exposeFunction("complain", (text: string) => visit.#complaints.push(text));
        await page.addInitScript(() => {
            document.addEventListener("securitypolicyviolation", (event) => {
                const { complain } = globalThis as unknown as { complain: (text: string) => void };
                complain(`${event.violatedDirective}: ${event.blockedURI}`);
            });
        });
        const response = await page.goto(url);
        const policy = response?.headers()["content-security-policy"] ?? "";
        assert.match(policy, /script-src|default-src/);
        assert.doesNotMatch(policy, /unsafe/);
        return visit;
    }

    /** The cameras whose pictures the page asks for now. */
    get watched(): string[] {
        return this.#watched;
    }

    /** Ends it: everything came from the page's own server, and nothing was against its policy. */
    async end(): Promise<void> {
        await this.#context.close();
        assert.deepEqual(this.#elsewhere, []);
        assert.deepEqual(this.#complaints, []);
    }

    #noteMessage(text: string): void {
        const { watch } = JSON.parse(text) as { watch?: { pictures: string[] } };
        if (watch) this.#watched = watch.pictures;
    }

    #noteRequest(url: string): void {
        if (new URL(url).host !== this.#origin) this.#elsewhere.push(url);
    }
}
