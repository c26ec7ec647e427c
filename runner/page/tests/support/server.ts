import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The server's program. */
export const PROGRAM = process.env["RTSP_CLOCK_SERVER"] ?? "../../target/debug/rtsp-clock-server";
/** How long a server may take to start, in ms. */
const PATIENCE = 60_000;

/** A server of a test's own. */
export class Server {
    /** Where its page is. */
    readonly url: string;
    readonly #process: ChildProcess;
    readonly #folder: string;

    private constructor(url: string, process: ChildProcess, folder: string) {
        this.url = url;
        this.#process = process;
        this.#folder = folder;
    }

    /** Starts a server on this machine alone, with these keys; its page is at `httpPort`, or at any free port. */
    static async start(config: object, httpPort = "0"): Promise<Server> {
        const folder = mkdtempSync(join(tmpdir(), "page-"));
        const file = join(folder, "config.json");
        writeFileSync(file, JSON.stringify({ serverIPAddress: "127.0.0.1", serverPort: await freePort(), ...config }));
        const child = spawn(PROGRAM, ["--config", file], {
            env: { ...process.env, RTSP_HTTP_PORT: httpPort },
            stdio: ["ignore", "pipe", "pipe"],
        });
        return new Server(await addressOf(child), child, folder);
    }

    /** What its API answers to a script. */
    async api(path: string, init: RequestInit = {}): Promise<Response> {
        return fetch(new URL(`api/v1/${path}`, this.url), init);
    }

    async stop(): Promise<void> {
        const ended = new Promise((resolve) => this.#process.once("exit", resolve));
        this.#process.kill("SIGTERM");
        await ended;
        rmSync(this.#folder, { recursive: true });
    }
}

/** The address of the page, as the server prints it. */
function addressOf(child: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
        let text = "";
        const timer = setTimeout(() => reject(new Error(`the server does not start:\n${text}`)), PATIENCE);
        const read = (data: Buffer): void => {
            text += data.toString();
            const url = / http: (https?:\/\/\S+)/.exec(text)?.[1];
            if (url === undefined) return;
            clearTimeout(timer);
            text = "";
            resolve(url);
        };
        child.stdout?.on("data", read);
        child.stderr?.on("data", read);
        child.once("exit", () => reject(new Error(`the server has ended:\n${text}`)));
    });
}

function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = createServer().once("error", reject);
        server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            const port = typeof address === "object" && address !== null ? address.port : 0;
            server.close(() => resolve(port));
        });
    });
}
