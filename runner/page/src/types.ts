/** What the server's API speaks of. These mirror `runner/src/status.rs`, `events.rs` and `http/problem.rs`. */

export type Transport = "udp" | "tcp" | "multicast" | "http";
export type Codec = "h264" | "h265" | "mjpeg" | "vp8" | "vp9";
export type State = Life["state"];

/** Whoever has opened the page, and what they may do. */
export interface Session {
    user: string | null;
    sees: "everything" | "own streams";
    mayChange: boolean;
}

export interface ServerStatus {
    version: string;
    gstreamer: string;
    upSince: string;
    listensAt: { address: string; tls: boolean }[];
    clock: { source: string; isHeard: boolean };
    needsLogin: boolean;
    maxViewers: number | null;
    sessionTimeoutSeconds: number;
    streams: number;
    viewers: number;
}

export interface StreamStatus {
    id: string;
    label: string;
    urls: string[];
    transports: Transport[];
    madeOf: { picture: Picture | null; audio: string | null; launch: string };
    sharesPictureWith: string[];
    alwaysOn: boolean;
    maxViewers: number | null;
    life: Life;
    frames: { made: number; skipped: number };
    lateness: { all: Lateness; lately: Lateness };
    viewers: ViewerStatus[];
}

export interface Picture {
    codec: Codec;
    encoder: string;
    width: number;
    height: number;
    framesPerSecond: string;
}

export type Life =
    | { state: "idle" }
    | { state: "starting" }
    | { state: "running"; since: string }
    | { state: "failed"; cause: string; at: string; nextTry: string };

export interface Lateness {
    frames: number;
    late: number;
    totalSeconds: number;
    mostSeconds: number;
}

export interface Viewer {
    session: string;
    peer: string | null;
    user: string | null;
    transport: Transport;
    since: string;
}

export interface ViewerStatus extends Viewer {
    sent: { packets: number; bytes: number };
    reports: ReceiverReport[];
}

export interface ReceiverReport {
    medium: "picture" | "sound";
    at: string;
    fractionLost: number;
    packetsLost: number;
    jitterSeconds: number | null;
}

/** Those events that the page makes something of; it leaves out all others. */
export type Event = { number: number; at: string } & (
    | { type: "viewerJoined"; stream: string; path: string; viewer: Viewer; viewers: number }
    | { type: "viewerLeft"; stream: string; path: string; viewer: Viewer; why: string; viewers: number }
    | { type: "streamStarted" | "streamRunning" | "streamStopped" | "streamRebuilt"; streams: string[] }
    | { type: "streamFailed"; streams: string[]; cause: string }
    | { type: "reloaded"; needsLogin: boolean }
);

/** One page of a list. */
export interface Listed<T> {
    itemCount: number;
    pageCount: number;
    items: T[];
}

/** What a change has changed. */
export interface Changed {
    streams: string[];
}

/** Problem details (RFC 9457). */
export interface Problem {
    title: string;
    status: number;
    detail?: string;
    mistakes?: Mistake[];
}

/** What is wrong with one key. */
export interface Mistake {
    key: string;
    found?: string;
    expected?: string;
    problem: string;
}

/** A configuration, or a part of one: values by key. */
export type Keys = Record<string, unknown>;
