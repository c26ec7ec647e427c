/**
 * Of a camera's addresses, the one at which it is likely to be found from here: that of the host that the page itself comes
 * from, or else the first one.
 */
export function bestUrl(urls: readonly string[], host: string): string | undefined {
    return urls.find((url) => hostOf(url) === host) ?? urls[0];
}

/** An address's host, without its port; that of IPv6 in brackets, as the browser has it. */
function hostOf(url: string): string | undefined {
    return /^[a-z]+:\/\/(?:[^/@]*@)?(\[[^\]]*\]|[^/:?]*)/i.exec(url)?.[1];
}
