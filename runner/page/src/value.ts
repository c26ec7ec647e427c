import { useLayoutEffect, useReducer } from "preact/hooks";

/** A value that changes, and tells whoever listens. */
export class Value<T> {
    #now: T;
    readonly #listeners = new Set<() => void>();

    constructor(first: T) {
        this.#now = first;
    }

    get now(): T {
        return this.#now;
    }

    set(next: T): void {
        if (Object.is(next, this.#now)) return;
        this.#now = next;
        for (const listener of [...this.#listeners]) listener();
    }

    /** Has `listener` called after each change, until the function that this answers is. */
    listen(listener: () => void): () => void {
        this.#listeners.add(listener);
        return () => {
            this.#listeners.delete(listener);
        };
    }
}

/** The value as it is now; whatever calls this is drawn anew after a change. */
export function useValue<T>(value: Value<T>): T {
    const [, redraw] = useReducer((times: number, _: undefined) => times + 1, 0);
    useLayoutEffect(() => value.listen(() => redraw(undefined)), [value]);
    return value.now;
}
