import type { LivePicture } from "./live_picture.ts";

/** Puts pictures as they come onto the canvases of the cards. */
export class Pictures {
    readonly #painters = new Map<string, Painter>();

    /** Has the pictures of stream `id` drawn on `canvas`, until the function that this answers is called. */
    show(id: string, canvas: HTMLCanvasElement): () => void {
        const painter = new Painter(canvas);
        this.#painters.set(id, painter);
        return () => {
            if (this.#painters.get(id) === painter) this.#painters.delete(id);
        };
    }

    paint(picture: LivePicture): void {
        void this.#painters.get(picture.id)?.paint(picture);
    }
}

/** Draws one picture after the other; of those that come while it draws, the newest one alone. */
class Painter {
    readonly #canvas: HTMLCanvasElement;
    readonly #context: ImageBitmapRenderingContext | null;
    #isBusy = false;
    #next: LivePicture | null = null;

    constructor(canvas: HTMLCanvasElement) {
        this.#canvas = canvas;
        this.#context = canvas.getContext("bitmaprenderer");
    }

    async paint(picture: LivePicture): Promise<void> {
        this.#next = picture;
        if (this.#isBusy) return;
        this.#isBusy = true;
        while (this.#next !== null) {
            const newest: LivePicture = this.#next;
            this.#next = null;
            await this.#draw(newest);
        }
        this.#isBusy = false;
    }

    async #draw({ jpeg, instant }: LivePicture): Promise<void> {
        const bitmap = await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })).catch(() => null);
        // A picture that cannot be read is left out: the next one comes soon.
        if (bitmap === null) return;
        if (this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height) {
            this.#canvas.width = bitmap.width;
            this.#canvas.height = bitmap.height;
        }
        this.#context?.transferFromImageBitmap(bitmap);
        this.#canvas.dataset["instant"] = String(instant);
    }
}
