import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { useApp } from "../app.ts";
import type { StreamStatus } from "../types.ts";
import { nameOf } from "../words.ts";

/** The camera's live picture, which comes while it is on the screen. */
export function LivePicture({ id, status }: { id: string; status: StreamStatus }): JSX.Element {
    const app = useApp();
    const canvas = useRef<HTMLCanvasElement>(null);
    useEffect(() => {
        if (canvas.current === null) return undefined;
        const hide = app.pictures.show(id, canvas.current);
        const forget = app.picturesInSight.follow(canvas.current, id);
        return () => {
            hide();
            forget();
        };
    }, [id]);
    return (
        <div class="picture">
            <canvas ref={canvas} width="16" height="9" role="img" aria-label={`Live picture of ${nameOf(status)}`} />
        </div>
    );
}
