/** The token behind `#token=` in the address, which goes from there: it is in no history and no copied address. */
export function takeToken(): string | null {
    const token = new URLSearchParams(location.hash.slice(1)).get("token");
    if (token === null) return null;
    history.replaceState(null, "", location.pathname + location.search);
    return token;
}
