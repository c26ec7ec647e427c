import type { JSX } from "preact";

import { useApp } from "../app.ts";
import { bestUrl } from "../best_url.ts";
import { copy } from "../clipboard.ts";
import type { StreamStatus } from "../types.ts";
import { nameOf } from "../words.ts";
import { Icon } from "./icon.tsx";
import { useShortly } from "./shortly.ts";

/** Where the camera is played: to copy, and as a QR code. */
export function Address({ id, status }: { id: string; status: StreamStatus }): JSX.Element | null {
    const app = useApp();
    const url = bestUrl(status.urls, location.hostname);
    if (url === undefined) return null;
    return (
        <div class="address">
            <code>{url}</code>
            <CopyButton text={url} what={`the address of ${nameOf(status)}`} />
            <button
                type="button"
                class="quiet"
                title="Show as a QR code"
                aria-label={`Show the address of ${nameOf(status)} as a QR code`}
                onClick={() => app.open.set({ what: "code", id })}
            >
                <Icon name="code" />
            </button>
        </div>
    );
}

/** Copies a text, and shows that it has. */
export function CopyButton({ text, what }: { text: string; what: string }): JSX.Element {
    const app = useApp();
    const [isCopied, setCopied] = useShortly();
    const onClick = async (): Promise<void> => {
        const isDone = await copy(text);
        setCopied(isDone);
        app.notice.set(isDone ? `Copied ${text}` : "The browser does not let this page copy");
    };
    return (
        <button
            type="button"
            class={isCopied ? "quiet done" : "quiet"}
            title="Copy"
            aria-label={`Copy ${what}`}
            onClick={() => void onClick()}
        >
            <Icon name={isCopied ? "check" : "copy"} />
        </button>
    );
}
