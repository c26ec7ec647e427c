import type { JSX } from "preact";

const PATHS = {
    plus: "M12 5v14M5 12h14",
    pencil: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
    copy: "M9 9h11v11H9zM5 15H4V4h11v1",
    code: "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2h-2zM18 18h2v2h-2zM18 14h2M14 18v2",
    cross: "M6 6l12 12M18 6L6 18",
    check: "M5 12.5l4.5 4.5L19 7.5",
    key: "M15 8a1 1 0 1 0 .01 0M14.5 4a5.5 5.5 0 1 0 1.9 10.6M14.5 4a5.5 5.5 0 0 1 1.9 10.6M9.8 12.2L4 18v2h4v-2h2v-2l1.6-1.6",
    settings: "M4 7h9M19 7h1M4 17h1M11 17h9M16 4.5a2.5 2.5 0 1 0 .01 0M8 14.5a2.5 2.5 0 1 0 .01 0",
    bin: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5.5M13.5 11v5.5",
    search: "M10.5 4a6.5 6.5 0 1 0 .01 0M15.5 15.5L20 20",
} as const;

/** A small drawing beside a word, or in place of one that the element around it says. */
export function Icon({ name }: { name: keyof typeof PATHS }): JSX.Element {
    return (
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d={PATHS[name]} />
        </svg>
    );
}

/** The project's sign: a clock. */
export function Logo(): JSX.Element {
    return (
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="8" />
            <circle cx="16" cy="16" r="9.5" />
            <path d="M16 10v6l4 2.5" />
        </svg>
    );
}
