import type { Key } from "./keys.ts";
import type { Keys } from "./types.ts";

/** What stands in the fields of a form, by key. */
export type Fields = Readonly<Record<string, Field>>;

/** A text, or what is chosen of several. */
export type Field = string | readonly string[];

/** What is put into the fields where `config` is in force. */
export function fieldsOf(keys: readonly Key[], config: Keys): Fields {
    return Object.fromEntries(keys.map((key) => [key.key, fieldOf(key, config[key.key])]));
}

function fieldOf(key: Key, value: unknown): Field {
    if (key.kind === "some") return Array.isArray(value) ? value.map(String) : [];
    return value === undefined || value === null ? "" : String(value);
}

/** What is to be sent for the fields that differ from `before`: a merge patch. */
export function changesOf(keys: readonly Key[], before: Fields, after: Fields): Keys {
    const changed = keys.filter(({ key }) => String(before[key]) !== String(after[key]));
    return Object.fromEntries(changed.map((key) => [key.key, valueOf(key, after[key.key] ?? "")]));
}

/** What is to be sent for the fields in which something stands: an entry of its own. */
export function entryOf(keys: readonly Key[], fields: Fields): Keys {
    const filled = keys.filter(({ key }) => (fields[key] ?? "").length > 0);
    return Object.fromEntries(filled.map((key) => [key.key, valueOf(key, fields[key.key] ?? "")]));
}

/** What the server would read of a field. What makes no sense is sent as it stands, and the server says so. */
function valueOf(key: Key, field: Field): unknown {
    if (typeof field !== "string") return [...field];
    switch (key.kind) {
        case "number":
            return numberOf(field.trim());
        case "switch":
            return field === "" ? null : field === "true";
        default:
            return field;
    }
}

/** An empty field takes the key out. */
function numberOf(text: string): number | string | null {
    if (text === "") return null;
    const number = Number(text);
    return Number.isFinite(number) ? number : text;
}
