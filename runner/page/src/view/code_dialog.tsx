import { generate } from "lean-qr";
import type { JSX } from "preact";

import { bestUrl } from "../best_url.ts";
import type { StreamStatus } from "../types.ts";
import { nameOf } from "../words.ts";
import { CopyButton } from "./address.tsx";
import { Dialog } from "./dialog.tsx";

/** A camera's addresses, and the one for here as a QR code. */
export function CodeDialog({ status }: { status: StreamStatus }): JSX.Element {
    const url = bestUrl(status.urls, location.hostname) ?? "";
    return (
        <Dialog title={`Addresses of ${nameOf(status)}`}>
            <div class="dialog-body">
                <QrCode text={url} />
                <ul class="addresses">
                    {status.urls.map((address) => (
                        <li key={address} class="address">
                            <code>{address}</code>
                            <CopyButton text={address} what={address} />
                        </li>
                    ))}
                </ul>
            </div>
        </Dialog>
    );
}

/** How wide the white border is, in modules: readers need it. */
const BORDER = 4;

/** A text as a QR code. */
function QrCode({ text }: { text: string }): JSX.Element {
    const code = generate(text);
    const side = code.size + 2 * BORDER;
    const numbers = Array.from({ length: code.size }, (_, index) => index);
    const path = numbers.flatMap((y) =>
        numbers.map((x) => (code.get(x, y) ? `M${x + BORDER} ${y + BORDER}h1v1h-1z` : "")),
    );
    return (
        <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={`QR code of ${text}`} shape-rendering="crispEdges">
            <rect class="qr-light" width={side} height={side} />
            <path class="qr-dark" d={path.join("")} />
        </svg>
    );
}
