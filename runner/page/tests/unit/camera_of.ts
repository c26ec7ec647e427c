import { newCamera, type Camera } from "../../src/camera.ts";
import type { Life, StreamStatus, ViewerStatus } from "../../src/types.ts";

/** What a test says of a stream; the rest is as usual. */
export interface Said {
    label?: string;
    life?: Life;
    /** How many viewers it has, or the bytes sent to each by session. */
    viewers?: number | Record<string, number>;
    lately?: { frames: number; totalSeconds: number };
}

/** The status of a stream. */
export function status(id: string, { label = "", life = { state: "idle" }, viewers = 0, lately }: Said = {}): StreamStatus {
    const none = { frames: 0, late: 0, totalSeconds: 0, mostSeconds: 0 };
    const sessions = typeof viewers === "number" ? Array.from({ length: viewers }, (_, index) => [String(index), 0] as const) : Object.entries(viewers);
    return {
        id,
        label,
        urls: [`rtsp://127.0.0.1:8554/${id}`],
        transports: ["tcp"],
        madeOf: {
            picture: { codec: "h264", encoder: "x264enc", width: 640, height: 480, framesPerSecond: "25" },
            audio: null,
            launch: "",
        },
        sharesPictureWith: [],
        alwaysOn: false,
        maxViewers: null,
        life,
        frames: { made: 0, skipped: 0 },
        lateness: { all: none, lately: { ...none, ...lately } },
        viewers: sessions.map(([session, bytes]) => viewer(session, bytes)),
    };
}

export function camera(of: StreamStatus): Camera {
    return newCamera(of);
}

function viewer(session: string, bytes: number): ViewerStatus {
    return {
        session,
        peer: "127.0.0.1:5000",
        user: null,
        transport: "tcp",
        since: "2026-01-01T00:00:00Z",
        sent: { packets: 0, bytes },
        reports: [],
    };
}
