/** Sends one value after the other, not too often; of those that come while one is sent, the newest one alone. */
export class NewestOnly<T> {
    readonly #apart: number;
    readonly #send: (value: T) => Promise<void>;
    #isBusy = false;
    #next: { value: T } | null = null;

    /** `apart` is the least time from the end of one request to the next one, in ms. `send` never fails. */
    constructor(apart: number, send: (value: T) => Promise<void>) {
        this.#apart = apart;
        this.#send = send;
    }

    push(value: T): void {
        this.#next = { value };
        if (!this.#isBusy) void this.#run();
    }

    async #run(): Promise<void> {
        this.#isBusy = true;
        while (this.#next !== null) {
            const { value }: { value: T } = this.#next;
            this.#next = null;
            await this.#send(value);
            await new Promise((resolve) => setTimeout(resolve, this.#apart));
        }
        this.#isBusy = false;
    }
}
