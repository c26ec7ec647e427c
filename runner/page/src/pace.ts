/** Runs something no more often than once in a while; what is asked for too early is done later, once. */
export class Pace {
    readonly #milliseconds: number;
    readonly #run: () => void;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #isAskedFor = false;

    constructor(milliseconds: number, run: () => void) {
        this.#milliseconds = milliseconds;
        this.#run = run;
    }

    /** Runs it now, or as soon as it may be run again. */
    ask(): void {
        this.#isAskedFor = true;
        if (this.#timer === undefined) this.#next();
    }

    #next(): void {
        this.#timer = undefined;
        if (!this.#isAskedFor) return;
        this.#isAskedFor = false;
        this.#timer = setTimeout(() => this.#next(), this.#milliseconds);
        this.#run();
    }
}
