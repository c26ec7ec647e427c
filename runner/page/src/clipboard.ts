/** Copies a text. Answers whether the browser let it. */
export async function copy(text: string): Promise<boolean> {
    try {
        // Browsers have this on `localhost` and with TLS only.
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        return copyBySelection(text);
    }
}

/** The older way, which works everywhere. */
function copyBySelection(text: string): boolean {
    const focused = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "hidden";
    // A dialog that is open lets nothing outside of it be selected.
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return isDone;
}
