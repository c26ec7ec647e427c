/** How long a condition may take to come true, in ms: machines that build servers are busy. */
const PATIENCE = 30_000;
const PAUSE = 50;

/** Asks until the answer is true or something; fails where that takes too long, and tells the last answer. */
export async function eventually<T>(what: string, ask: () => Promise<T> | T): Promise<NonNullable<T>> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
        const answer = await ask();
        if (answer) return answer;
        if (Date.now() > deadline) throw new Error(`this has not come true: ${what}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
}
