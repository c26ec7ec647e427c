/** Which elements are on the screen, or near it: tells the ids that these stand for whenever that changes. */
export class Sight {
    readonly #observer: IntersectionObserver;
    readonly #ids = new Map<Element, string>();
    readonly #seen = new Set<string>();

    /** `margin` is how near to the screen an element has to be, as in CSS. */
    constructor(margin: string, changed: () => void) {
        const heard = (entries: IntersectionObserverEntry[]): void => {
            for (const entry of entries) this.#note(entry);
            changed();
        };
        this.#observer = new IntersectionObserver(heard, { rootMargin: margin });
    }

    get ids(): string[] {
        return [...this.#seen];
    }

    /** Looks after `element`, which stands for `id`, until the function that this answers is called. */
    follow(element: Element, id: string): () => void {
        this.#ids.set(element, id);
        this.#observer.observe(element);
        return () => {
            this.#observer.unobserve(element);
            this.#ids.delete(element);
            this.#seen.delete(id);
        };
    }

    #note({ target, isIntersecting }: IntersectionObserverEntry): void {
        const id = this.#ids.get(target);
        if (id === undefined) return;
        if (isIntersecting) this.#seen.add(id);
        else this.#seen.delete(id);
    }
}
