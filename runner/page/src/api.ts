import type { Changed, Keys, Listed, Problem, ServerStatus, Session, StreamStatus } from "./types.ts";

/** How many streams are asked for at once: as many as the server gives. */
const STREAMS_AT_ONCE = 1000;

/** Why the server has not done what it was asked for. */
export class Refused extends Error {
    readonly problem: Problem;

    constructor(problem: Problem) {
        super(problem.detail ?? problem.title);
        this.problem = problem;
    }
}

/** What went wrong, whatever was thrown. */
export function problemOf(thrown: unknown): Problem {
    if (thrown instanceof Refused) return thrown.problem;
    return { status: 0, title: "Something went wrong on this page", detail: String(thrown) };
}

/** How a change is to be made. */
export interface How {
    /** Whether the configuration's file gets it as well. */
    save: boolean;
    /** Whether streams may be replaced, whose viewers see the end of theirs. */
    replace?: boolean;
}

/** A configuration, and what names just this version of it. */
export interface Versioned {
    keys: Keys;
    etag: string | null;
}

interface Request {
    method?: string;
    query?: Record<string, string | number | boolean>;
    headers?: Record<string, string>;
    body?: Keys;
    /** Whether this is a log-in itself: a wrong one is no reason to ask for one. */
    isLogin?: boolean;
}

/** The calls of the server's API that the page makes. */
export class Api {
    readonly #onLoginNeeded: () => void;

    constructor(onLoginNeeded: () => void) {
        this.#onLoginNeeded = onLoginNeeded;
    }

    session(): Promise<Session> {
        return this.#read("session");
    }

    /** Logs in with the value of an `Authorization` header; the browser keeps a cookie from then on. */
    async logIn(authorization: string): Promise<void> {
        await this.#ask("session", { method: "POST", headers: { Authorization: authorization }, isLogin: true });
    }

    async logOut(): Promise<void> {
        await this.#ask("session", { method: "DELETE" });
    }

    server(): Promise<ServerStatus> {
        return this.#read("server");
    }

    /** All streams that may be seen. */
    async streams(): Promise<StreamStatus[]> {
        const all: StreamStatus[] = [];
        for (let page = 0; ; page += 1) {
            const query = { page, itemsPerPage: STREAMS_AT_ONCE };
            const { items, pageCount } = await this.#read<Listed<StreamStatus>>("streams", { query });
            all.push(...items);
            if (page + 1 >= pageCount) return all;
        }
    }

    stream(id: string): Promise<StreamStatus> {
        return this.#read(`streams/${encodeURIComponent(id)}`);
    }

    async config(id: string): Promise<Versioned> {
        const response = await this.#ask(`streams/${encodeURIComponent(id)}/config`);
        return { keys: (await response.json()) as Keys, etag: response.headers.get("ETag") };
    }

    /** Changes keys of a stream; `etag`, if given, is that of the configuration that is thought to be in force. */
    change(id: string, keys: Keys, how: How, etag: string | null = null): Promise<Changed> {
        return this.#read(`streams/${encodeURIComponent(id)}/config`, {
            method: "PATCH",
            query: flags(how),
            headers: etag === null ? {} : { "If-Match": etag },
            body: keys,
        });
    }

    add(entry: Keys, how: How): Promise<Changed> {
        return this.#read("streams", { method: "POST", query: flags(how), body: entry });
    }

    async remove(id: string, how: How): Promise<void> {
        await this.#ask(`streams/${encodeURIComponent(id)}`, { method: "DELETE", query: flags(how) });
    }

    async forceKeyFrame(id: string): Promise<void> {
        await this.#ask(`streams/${encodeURIComponent(id)}/keyframe`, { method: "POST" });
    }

    /** Ends the session of a viewer. */
    async kick(session: string): Promise<void> {
        await this.#ask(`viewers/${encodeURIComponent(session)}`, { method: "DELETE" });
    }

    async #read<T>(path: string, request: Request = {}): Promise<T> {
        const response = await this.#ask(path, request);
        return (await response.json()) as T;
    }

    async #ask(path: string, request: Request = {}): Promise<Response> {
        const { method = "GET", query = {}, headers = {}, body, isLogin = false } = request;
        const parameters = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
        const response = await fetched(`api/v1/${path}${parameters.size > 0 ? `?${parameters}` : ""}`, {
            method,
            // The server leaves out the challenge at which a browser would ask for a password in a window of its own.
            headers: {
                "X-Requested-With": "page",
                ...(body === undefined ? {} : { "Content-Type": "application/json" }),
                ...headers,
            },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        if (response.ok) return response;
        if (response.status === 401 && !isLogin) this.#onLoginNeeded();
        throw new Refused(await problemIn(response));
    }
}

function flags({ save, replace = false }: How): Record<string, boolean> {
    return { ...(save ? { save } : {}), ...(replace ? { replace } : {}) };
}

async function fetched(path: string, init: RequestInit): Promise<Response> {
    try {
        return await fetch(path, init);
    } catch {
        throw new Refused({ status: 0, title: "No answer", detail: "The server does not answer." });
    }
}

async function problemIn(response: Response): Promise<Problem> {
    const plain = { status: response.status, title: response.statusText || `Status ${response.status}` };
    if (!response.headers.get("Content-Type")?.startsWith("application/problem+json")) return plain;
    try {
        return { ...plain, ...((await response.json()) as Partial<Problem>) };
    } catch {
        return plain;
    }
}
