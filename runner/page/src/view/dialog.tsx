import type { ComponentChildren, JSX } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";

import { useApp } from "../app.ts";
import { Icon } from "./icon.tsx";

interface DialogProps {
    title: string;
    children: ComponentChildren;
}

/** A window before the page. The browser keeps the focus within it, and gives it back afterwards. */
export function Dialog({ title, children }: DialogProps): JSX.Element {
    const app = useApp();
    const id = useId();
    const dialog = useRef<HTMLDialogElement>(null);
    useLayoutEffect(() => {
        const shown = dialog.current;
        shown?.showModal();
        return () => shown?.close();
    }, []);
    const close = (): void => app.open.set(null);
    return (
        <dialog
            ref={dialog}
            aria-labelledby={id}
            onCancel={(event) => {
                event.preventDefault();
                close();
            }}
        >
            <h2 id={id}>{title}</h2>
            {children}
            {/* The last one, though it is seen at the top: the focus goes to the first one. */}
            <button type="button" class="quiet close" aria-label="Close" title="Close" onClick={close}>
                <Icon name="cross" />
            </button>
        </dialog>
    );
}
