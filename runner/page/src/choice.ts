import { meanLateness, type Camera } from "./camera.ts";
import type { State } from "./types.ts";

/** By what cameras can be sorted. */
export const ORDERS = {
    file: "As in the file",
    label: "By label",
    state: "By state",
    viewers: "Most viewers first",
    late: "Latest pictures first",
    skipped: "Most skipped frames first",
} as const;

export type Order = keyof typeof ORDERS;

/** Which cameras are to be shown, and how. */
export interface Choice {
    search: string;
    state: State | "all";
    order: Order;
    page: number;
}

export const EVERYTHING: Choice = { search: "", state: "all", order: "file", page: 0 };

/** How many cards a page has. */
export const CARDS_A_PAGE = 100;

const STATES: State[] = ["failed", "starting", "running", "idle"];

/** The cards of a page, and what they are taken from. */
export interface Chosen {
    ids: string[];
    /** The page, which is one that there is. */
    page: number;
    pages: number;
    /** How many cameras match. */
    matching: number;
    /** How many cameras match that are in a state, by state. */
    inState: Record<State | "all", number>;
}

/** What `choice` chooses of `cameras`. */
export function choose(cameras: Camera[], choice: Choice): Chosen {
    const found = cameras.filter((camera) => matches(camera, choice.search));
    const chosen = found.filter(({ status }) => choice.state === "all" || status.life.state === choice.state);
    const sorted = sort(chosen, choice.order);
    const pages = Math.max(1, Math.ceil(sorted.length / CARDS_A_PAGE));
    const page = Math.min(choice.page, pages - 1);
    return {
        ids: sorted.slice(page * CARDS_A_PAGE, (page + 1) * CARDS_A_PAGE).map(({ status }) => status.id),
        page,
        pages,
        matching: sorted.length,
        inState: countStates(found),
    };
}

/** Whether each word of `search` is found in what a camera is called, where it is, or what it is made of. */
function matches({ status }: Camera, search: string): boolean {
    const { picture } = status.madeOf;
    const size = picture === null ? [] : [picture.codec, picture.encoder, `${picture.width}x${picture.height}`];
    const text = [status.id, status.label, ...status.urls, ...size].join("\n").toLowerCase();
    const words = search.toLowerCase().split(/\s+/);
    return words.every((word) => text.includes(word));
}

function sort(cameras: Camera[], order: Order): Camera[] {
    switch (order) {
        case "file":
            return cameras;
        case "label": {
            const { compare } = new Intl.Collator(undefined, { numeric: true });
            return cameras.toSorted((a, b) => compare(name(a), name(b)));
        }
        case "state":
            return cameras.toSorted((a, b) => rank(a) - rank(b));
        case "viewers":
            return cameras.toSorted((a, b) => b.status.viewers.length - a.status.viewers.length);
        case "late":
            return cameras.toSorted((a, b) => lateness(b) - lateness(a));
        case "skipped":
            return cameras.toSorted((a, b) => b.status.frames.skipped - a.status.frames.skipped);
    }
}

function name({ status }: Camera): string {
    return status.label || status.id;
}

function rank({ status }: Camera): number {
    return STATES.indexOf(status.life.state);
}

function lateness({ status }: Camera): number {
    return meanLateness(status.lateness.lately) ?? 0;
}

function countStates(cameras: Camera[]): Chosen["inState"] {
    const counts = { all: cameras.length, idle: 0, starting: 0, running: 0, failed: 0 };
    for (const { status } of cameras) counts[status.life.state] += 1;
    return counts;
}
