import { newCamera, withStatus, type Camera } from "./camera.ts";
import type { Event, Life, StreamStatus, Viewer } from "./types.ts";
import { Value } from "./value.ts";

/** All cameras that may be seen, in the order of the configuration. */
export class Cameras {
    /** Counts changes of what lists are chosen, sorted and summed up by. */
    readonly version = new Value(0);
    #cameras = new Map<string, Value<Camera>>();

    get(id: string): Value<Camera> | undefined {
        return this.#cameras.get(id);
    }

    all(): Camera[] {
        return [...this.#cameras.values()].map((camera) => camera.now);
    }

    /** Takes over a whole list. */
    replace(statuses: StreamStatus[]): void {
        const before = this.#cameras;
        this.#cameras = new Map(
            statuses.map((status) => {
                const camera = before.get(status.id) ?? new Value(newCamera(status));
                camera.set({ ...camera.now, status });
                return [status.id, camera];
            }),
        );
        this.#tell();
    }

    /** Takes over what has come live at `now`. */
    update(statuses: StreamStatus[], now: number): void {
        let isNews = false;
        for (const status of statuses) {
            const camera = this.#cameras.get(status.id);
            if (camera === undefined) continue;
            isNews ||= differsInList(camera.now.status, status);
            camera.set(withStatus(camera.now, status, now));
        }
        if (isNews) this.#tell();
    }

    remove(ids: string[]): void {
        const removed = ids.filter((id) => this.#cameras.delete(id));
        if (removed.length > 0) this.#tell();
    }

    /** Takes over what an event says. Answers whether the whole list has to be asked for, as the event says too little. */
    hear(event: Event): boolean {
        switch (event.type) {
            case "viewerJoined":
                this.#change(event.stream, (status) => ({ ...status, viewers: joined(status, event.viewer) }));
                return false;
            case "viewerLeft":
                this.#change(event.stream, (status) => ({ ...status, viewers: without(status, event.viewer) }));
                return false;
            case "streamStarted":
                this.#live(event.streams, { state: "starting" });
                return false;
            case "streamRunning":
                this.#live(event.streams, { state: "running", since: event.at });
                return false;
            case "streamStopped":
                this.#live(event.streams, { state: "idle" });
                return false;
            case "streamFailed":
                this.#live(event.streams, { state: "failed", cause: event.cause, at: event.at, nextTry: event.at });
                return false;
            case "streamRebuilt":
            case "reloaded":
                return true;
            default:
                return false;
        }
    }

    #live(ids: string[], life: Life): void {
        for (const id of ids) this.#change(id, (status) => ({ ...status, life }));
    }

    #change(id: string, change: (status: StreamStatus) => StreamStatus): void {
        const camera = this.#cameras.get(id);
        if (camera === undefined) return;
        camera.set({ ...camera.now, status: change(camera.now.status) });
        this.#tell();
    }

    #tell(): void {
        this.version.set(this.version.now + 1);
    }
}

function differsInList(before: StreamStatus, after: StreamStatus): boolean {
    return (
        before.life.state !== after.life.state ||
        before.label !== after.label ||
        before.viewers.length !== after.viewers.length
    );
}

function joined(status: StreamStatus, viewer: Viewer): StreamStatus["viewers"] {
    return [...without(status, viewer), { ...viewer, sent: { packets: 0, bytes: 0 }, reports: [] }];
}

function without(status: StreamStatus, viewer: Viewer): StreamStatus["viewers"] {
    return status.viewers.filter((other) => other.session !== viewer.session);
}
