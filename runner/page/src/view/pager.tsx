import type { JSX } from "preact";

import { useApp } from "../app.ts";
import { CARDS_A_PAGE, type Chosen } from "../choice.ts";
import { number } from "../words.ts";

/** Leads from page to page, where there is more than one. */
export function Pager({ chosen: { page, pages, matching } }: { chosen: Chosen }): JSX.Element | null {
    const app = useApp();
    if (pages === 1) return null;
    const turn = (to: number): void => {
        app.choose({ page: to });
        const top = document.getElementById("cameras");
        top?.focus({ preventScroll: true });
        top?.scrollIntoView();
    };
    const first = page * CARDS_A_PAGE + 1;
    const last = Math.min(matching, (page + 1) * CARDS_A_PAGE);
    return (
        <nav class="pager" aria-label="Pages">
            <button type="button" disabled={page === 0} onClick={() => turn(page - 1)}>
                Back
            </button>
            <p>
                {number(first)} to {number(last)} of {number(matching)}
            </p>
            <button type="button" disabled={page + 1 === pages} onClick={() => turn(page + 1)}>
                Next
            </button>
        </nav>
    );
}
