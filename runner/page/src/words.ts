import type { Picture, State, StreamStatus, Transport } from "./types.ts";

/** Numbers, instants and names as people read them. */

export const TRANSPORTS: Record<Transport, string> = {
    udp: "UDP",
    tcp: "TCP",
    multicast: "multicast",
    http: "HTTP tunnel",
};

export const STATES: Record<State, string> = {
    idle: "Idle",
    starting: "Starting",
    running: "Running",
    failed: "Failed",
};

const CODECS: Record<Picture["codec"], string> = { h264: "H.264", h265: "H.265", mjpeg: "MJPEG", vp8: "VP8", vp9: "VP9" };

/** What a camera is called: the first line of its label, or its id. */
export function nameOf(status: StreamStatus): string {
    return status.label.trim().split("\n", 1)[0] || status.id;
}

export function codec(picture: Picture): string {
    return CODECS[picture.codec];
}

/** A rate such as `25`, or `30000/1001` as 29.97. */
export function frameRate({ framesPerSecond }: Picture): string {
    const [over = NaN, under = 1] = framesPerSecond.split("/").map(Number);
    const rate = over / under;
    return Number.isFinite(rate) ? `${number(rate, 3)} fps` : framesPerSecond;
}

export function number(value: number, places = 0): string {
    return value.toLocaleString("en", { maximumFractionDigits: places });
}

export function bitrate(bitsPerSecond: number): string {
    if (bitsPerSecond >= 999_500) return `${number(bitsPerSecond / 1e6, 1)} Mbit/s`;
    return `${number(bitsPerSecond / 1e3)} kbit/s`;
}

export function bytes(count: number): string {
    if (count >= 1e9) return `${number(count / 1e9, 1)} GB`;
    if (count >= 1e6) return `${number(count / 1e6, 1)} MB`;
    return `${number(count / 1e3)} kB`;
}

/** A short duration, from µs to seconds. */
export function delay(seconds: number): string {
    if (seconds >= 1) return `${number(seconds, 1)} s`;
    if (seconds >= 0.001) return `${number(seconds * 1e3, 1)} ms`;
    return `${number(seconds * 1e6)} µs`;
}

/** How long ago an instant is, in its largest unit. */
export function ago(instant: string, now: number): string {
    const seconds = Math.max(0, Math.floor((now - Date.parse(instant)) / 1000));
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** An instant in this person's time zone. */
export function instant(text: string): string {
    return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** `1 camera`, `2 cameras`. */
export function count(how: number, one: string, many = `${one}s`): string {
    return `${number(how)} ${how === 1 ? one : many}`;
}
