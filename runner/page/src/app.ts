import { createContext } from "preact";
import { useContext } from "preact/hooks";

import { Api, problemOf } from "./api.ts";
import { Cameras } from "./cameras.ts";
import { EVERYTHING, type Choice } from "./choice.ts";
import { LiveChannel, type Hearer } from "./live.ts";
import { Pace } from "./pace.ts";
import { Pictures } from "./pictures.ts";
import { Sight } from "./sight.ts";
import type { Event, Problem, ServerStatus, Session } from "./types.ts";
import { Value } from "./value.ts";

/** Which dialog is open. */
export type Open = null | { what: "add" } | { what: "settings" | "remove" | "code"; id: string };

/** Where the page is: still asking, waiting for a log-in, or in. */
export type Stage = "asking" | "log-in" | "in";

/** With so few pictures on the screen, each may be larger and come more often. */
const FEW_PICTURES = 2;
const USUAL_PICTURE = { width: 320, fps: 5 };
const LARGE_PICTURE = { width: 640, fps: 10 };
/** How often the list is asked for where it depends on what no event tells, in ms. */
const LISTED_ANEW = 10_000;
/** Where the browser keeps that the token was used; the token itself is in a cookie that no script can read. */
const TOKEN_FLAG = "logged-in-by-token";

/** What the page knows and does. */
export class App implements Hearer {
    readonly stage = new Value<Stage>("asking");
    readonly session = new Value<Session | null>(null);
    readonly server = new Value<ServerStatus | null>(null);
    readonly choice = new Value<Choice>(EVERYTHING);
    readonly open = new Value<Open>(null);
    /** Whether changes are written into the configuration's file. */
    readonly save = new Value(false);
    /** Whether the token was the log-in: the session does not say whose it is. */
    readonly hasToken = new Value(localStorage.getItem(TOKEN_FLAG) !== null);
    /** Why the token in the address was of no use. */
    readonly tokenProblem = new Value<Problem | null>(null);
    /** What a screen reader is told. */
    readonly notice = new Value("");
    /** Why the list of cameras could not be had. */
    readonly trouble = new Value<Problem | null>(null);
    readonly cameras = new Cameras();
    readonly pictures = new Pictures();
    readonly api = new Api(() => this.#askForLogin());
    readonly live = new LiveChannel(this);
    readonly #watching = new Pace(100, () => this.#watch());
    readonly #listing = new Pace(1000, () => void this.#list());
    readonly cardsInSight = new Sight("50% 0px", () => this.#watching.ask());
    readonly picturesInSight = new Sight("0px", () => this.#watching.ask());

    /** Logs in with `token`, if there is one, and shows what may be seen. */
    async start(token: string | null): Promise<void> {
        document.addEventListener("visibilitychange", () => this.#lookedAt());
        setInterval(() => this.#listAnew(), LISTED_ANEW);
        if (token === null) await this.enter();
        else await this.enterBy(token);
    }

    /** Logs in with `token`, if there is one. */
    async enterBy(token: string | null): Promise<void> {
        if (token === null) return;
        try {
            await this.logIn(`Bearer ${token}`);
        } catch (thrown) {
            // It may be that one may look without.
            await this.enter();
            this.tokenProblem.set(problemOf(thrown));
            this.showLogin();
        }
    }

    /** Finds out who is there. */
    async enter(): Promise<void> {
        try {
            this.session.set(await this.api.session());
        } catch (thrown) {
            this.trouble.set(problemOf(thrown));
            if (this.stage.now === "asking") setTimeout(() => void this.enter(), 2000);
            return;
        }
        this.trouble.set(null);
        this.tokenProblem.set(null);
        this.stage.set("in");
        this.live.connect();
        this.refresh();
    }

    /** Logs in with the value of an `Authorization` header. */
    async logIn(authorization: string): Promise<void> {
        await this.api.logIn(authorization);
        this.#noteToken(authorization.startsWith("Bearer "));
        await this.enter();
    }

    async logOut(): Promise<void> {
        await this.api.logOut();
        this.#noteToken(false);
        this.live.disconnect();
        this.cameras.replace([]);
        this.server.set(null);
        this.stage.set("asking");
        await this.enter();
    }

    /** Asks for a log-in, though the page can be seen without one. */
    showLogin(): void {
        this.stage.set("log-in");
    }

    /** Asks for all cameras again. */
    refresh(): void {
        this.#listing.ask();
    }

    choose(part: Partial<Choice>): void {
        this.choice.set({ ...this.choice.now, page: 0, ...part });
    }

    opened(): void {
        this.refresh();
    }

    /** The connection may have ended because the log-in has: then the server says so. */
    closed(): void {
        void this.api.session().then(
            (session) => this.session.set(session),
            () => undefined,
        );
    }

    event(event: Event): void {
        if (this.cameras.hear(event)) this.refresh();
    }

    missed(): void {
        this.refresh();
    }

    statuses(statuses: Parameters<Hearer["statuses"]>[0]): void {
        this.cameras.update(statuses, performance.now());
    }

    gone(ids: string[]): void {
        this.cameras.remove(ids);
    }

    picture(picture: Parameters<Hearer["picture"]>[0]): void {
        this.pictures.paint(picture);
    }

    #noteToken(isUsed: boolean): void {
        this.hasToken.set(isUsed);
        if (isUsed) localStorage.setItem(TOKEN_FLAG, "");
        else localStorage.removeItem(TOKEN_FLAG);
    }

    async #list(): Promise<void> {
        try {
            this.cameras.replace(await this.api.streams());
            this.trouble.set(null);
        } catch (thrown) {
            this.trouble.set(problemOf(thrown));
        }
        const seesServer = this.session.now?.sees === "everything";
        this.server.set(seesServer ? await this.api.server().catch(() => null) : null);
    }

    #askForLogin(): void {
        this.live.disconnect();
        this.open.set(null);
        this.session.set(null);
        this.stage.set("log-in");
    }

    /** Nothing is brought while nobody looks. */
    #lookedAt(): void {
        this.#watching.ask();
        if (!document.hidden && this.stage.now === "in") {
            this.live.connect();
            this.refresh();
        }
    }

    #watch(): void {
        if (document.hidden) {
            this.live.watch({ streams: [], pictures: [], ...USUAL_PICTURE });
            return;
        }
        const pictures = this.picturesInSight.ids;
        const size = pictures.length <= FEW_PICTURES ? LARGE_PICTURE : USUAL_PICTURE;
        this.live.watch({ streams: this.cardsInSight.ids, pictures, ...size });
    }

    #listAnew(): void {
        const { order } = this.choice.now;
        const isSortedByFigures = order === "late" || order === "skipped";
        // Who sees only streams of their own is not told that there are others.
        const isToldAll = this.session.now?.sees === "everything";
        if ((isSortedByFigures || !isToldAll) && !document.hidden && this.stage.now === "in") this.refresh();
    }
}

const Context = createContext<App | null>(null);

export const AppProvider = Context.Provider;

/** The page's one `App`. */
export function useApp(): App {
    const app = useContext(Context);
    if (app === null) throw new Error("there is no App around this component");
    return app;
}
