import { readPicture, type LivePicture } from "./live_picture.ts";
import type { Event, StreamStatus } from "./types.ts";
import { Value } from "./value.ts";

/** What the live channel is to bring: the statuses of some streams, and the pictures of some. */
export interface Watch {
    streams: string[];
    pictures: string[];
    /** How wide the pictures are to be, in px. */
    width: number;
    /** How many of them are to come in a second, at most. */
    fps: number;
}

/** What the server says in text. */
interface Message {
    event?: Event;
    missed?: number;
    statuses?: StreamStatus[];
    gone?: string[];
}

/** Whoever hears what comes. */
export interface Hearer {
    opened(): void;
    closed(): void;
    event(event: Event): void;
    missed(events: number): void;
    statuses(statuses: StreamStatus[]): void;
    gone(ids: string[]): void;
    picture(picture: LivePicture): void;
}

export type Connection = "off" | "connecting" | "open" | "lost";

/** How long to wait before the first try to connect again, in ms; each further one waits twice as long as the one before. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;
/** Statuses come once a second: a connection that is silent for so many ms is dead. */
const LONGEST_SILENCE = 10_000;

/** The one connection that brings events, statuses and pictures. It connects again by itself. */
export class LiveChannel {
    readonly connection = new Value<Connection>("off");
    readonly #hearer: Hearer;
    #socket: WebSocket | null = null;
    #watch: Watch | null = null;
    #wait = FIRST_WAIT;
    #retry: ReturnType<typeof setTimeout> | undefined;
    #silence: ReturnType<typeof setTimeout> | undefined;

    constructor(hearer: Hearer) {
        this.#hearer = hearer;
    }

    /** Connects now, if it is not connected. */
    connect(): void {
        clearTimeout(this.#retry);
        if (this.#socket !== null) return;
        if (this.connection.now !== "lost") this.connection.set("connecting");
        const socket = new WebSocket(liveUrl());
        socket.binaryType = "arraybuffer";
        socket.onopen = () => this.#opened();
        socket.onmessage = (message: MessageEvent<string | ArrayBuffer>) => this.#heard(message.data);
        socket.onclose = () => this.#closed(socket);
        this.#socket = socket;
    }

    /** Ends the connection, and does not connect again. */
    disconnect(): void {
        this.#drop();
        clearTimeout(this.#retry);
        this.connection.set("off");
    }

    /** Says what to bring from now on. */
    watch(watch: Watch): void {
        this.#watch = watch;
        this.#sendWatch();
    }

    #sendWatch(): void {
        if (this.#watch === null || this.#socket?.readyState !== WebSocket.OPEN) return;
        this.#socket.send(JSON.stringify({ watch: this.#watch }));
        this.#expectMore();
    }

    #opened(): void {
        this.#wait = FIRST_WAIT;
        this.connection.set("open");
        this.#sendWatch();
        this.#hearer.opened();
    }

    #heard(data: string | ArrayBuffer): void {
        this.#expectMore();
        if (typeof data !== "string") {
            const picture = readPicture(data);
            if (picture !== null) this.#hearer.picture(picture);
            return;
        }
        const message = JSON.parse(data) as Message;
        if (message.event) this.#hearer.event(message.event);
        if (message.missed) this.#hearer.missed(message.missed);
        if (message.statuses) this.#hearer.statuses(message.statuses);
        if (message.gone) this.#hearer.gone(message.gone);
    }

    /** Takes the connection for dead once nothing has come for long, where something should. */
    #expectMore(): void {
        clearTimeout(this.#silence);
        if ((this.#watch?.streams.length ?? 0) === 0) return;
        this.#silence = setTimeout(() => {
            const socket = this.#socket;
            this.#drop();
            if (socket !== null) this.#closed(socket);
        }, LONGEST_SILENCE);
    }

    #closed(socket: WebSocket): void {
        if (this.#socket !== null && this.#socket !== socket) return;
        this.#drop();
        this.connection.set("lost");
        // A server that comes back is not asked by all its pages at the same instant.
        this.#retry = setTimeout(() => this.connect(), this.#wait * (0.8 + Math.random() * 0.4));
        this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
        this.#hearer.closed();
    }

    #drop(): void {
        clearTimeout(this.#silence);
        const socket = this.#socket;
        this.#socket = null;
        if (socket === null) return;
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close();
    }
}

function liveUrl(): URL {
    const url = new URL("api/v1/live", document.baseURI);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    return url;
}
