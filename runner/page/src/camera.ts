import type { Lateness, StreamStatus } from "./types.ts";

/** How many seconds of lateness a card shows. */
const LATENESS_KEPT = 60;
/** Over how many statuses the bitrate is averaged: they do not come at even distances. */
const RATES_KEPT = 4;
/** Statuses further apart than this, in ms, do not belong together: the card was not on the screen. */
const LONGEST_GAP = 5000;

/** What the page knows of a camera. */
export interface Camera {
    readonly status: StreamStatus;
    /** The latest status that came live; `null` before one came. */
    readonly latest: Live | null;
    /** What was sent between live statuses, the latest ones. */
    readonly sent: readonly Sent[];
    /** The mean lateness that each of them told, in seconds; the latest ones. */
    readonly lateness: readonly number[];
}

interface Live {
    status: StreamStatus;
    /** When it came, in ms of the page's clock. */
    at: number;
}

interface Sent {
    bytes: number;
    milliseconds: number;
}

/** A camera of which nothing is known but its status. */
export function newCamera(status: StreamStatus): Camera {
    return { status, latest: null, sent: [], lateness: [] };
}

/** The camera as it is once `status` has come live at `now`. */
export function withStatus({ latest, sent, lateness }: Camera, status: StreamStatus, now: number): Camera {
    const next = { status, latest: { status, at: now } };
    if (latest === null || now - latest.at > LONGEST_GAP) return { ...next, sent: [], lateness: meanOf(status) };
    const sentSince = { bytes: bytesBetween(latest.status, status), milliseconds: now - latest.at };
    return {
        ...next,
        sent: [...sent, sentSince].slice(-RATES_KEPT),
        lateness: [...lateness, ...meanOf(status)].slice(-LATENESS_KEPT),
    };
}

/** What is sent to all viewers together, in bits a second; `null` as long as that is not known. */
export function bitsPerSecond(camera: Camera): number | null {
    const bytes = camera.sent.reduce((sum, sent) => sum + sent.bytes, 0);
    const milliseconds = camera.sent.reduce((sum, sent) => sum + sent.milliseconds, 0);
    return milliseconds > 0 ? (bytes * 8000) / milliseconds : null;
}

/** The mean lateness of some pictures in seconds; `null` where there were none. */
export function meanLateness(lateness: Lateness): number | null {
    return lateness.frames > 0 ? lateness.totalSeconds / lateness.frames : null;
}

function meanOf(status: StreamStatus): number[] {
    const mean = meanLateness(status.lateness.lately);
    return mean === null ? [] : [mean];
}

/** What was sent between two statuses to those viewers that are in both. */
function bytesBetween(before: StreamStatus, after: StreamStatus): number {
    const bytes = new Map(before.viewers.map((viewer) => [viewer.session, viewer.sent.bytes]));
    return after.viewers.reduce((sum, viewer) => {
        const sentBefore = bytes.get(viewer.session);
        return sentBefore === undefined ? sum : sum + Math.max(0, viewer.sent.bytes - sentBefore);
    }, 0);
}
