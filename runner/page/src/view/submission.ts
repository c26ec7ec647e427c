import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { problemOf } from "../api.ts";
import type { Mistake, Problem } from "../types.ts";

/** A form that is sent. */
export interface Submission {
    isBusy: boolean;
    problem: Problem | null;
    form: RefObject<HTMLFormElement | null>;
    /** What is wrong with a key. */
    mistakeAt: (key: string) => Mistake | undefined;
    /** What is wrong with keys that have no field. */
    others: (keys: readonly string[]) => Mistake[];
    /** Does what is asked for; what goes wrong is shown, and the focus goes there. */
    send: (run: () => Promise<void>) => void;
}

/** The state of a form from when it is sent until that has gone well. */
export function useSubmission(): Submission {
    const [isBusy, setBusy] = useState(false);
    const [problem, setProblem] = useState<Problem | null>(null);
    const form = useRef<HTMLFormElement>(null);
    const mistakes = problem?.mistakes ?? [];
    useEffect(() => {
        const wrong = form.current?.querySelector<HTMLElement>("[aria-invalid='true']");
        revealed(wrong)?.focus();
    }, [problem]);
    const send = async (run: () => Promise<void>): Promise<void> => {
        setBusy(true);
        setProblem(null);
        try {
            await run();
        } catch (thrown) {
            setProblem(problemOf(thrown));
        }
        setBusy(false);
    };
    return {
        isBusy,
        problem,
        form,
        mistakeAt: (key) => mistakes.find((mistake) => mistake.key === key),
        others: (keys) => mistakes.filter((mistake) => !keys.includes(mistake.key)),
        send: (run) => void send(run),
    };
}

/** The element, once what it is folded away in is open. */
function revealed(element: HTMLElement | null | undefined): HTMLElement | null {
    const folded = element?.closest("details");
    if (folded) folded.open = true;
    return element ?? null;
}
