import type { JSX } from "preact";

import type { Mistake, Problem } from "../types.ts";

/** What went wrong, in a box of its own; `mistakes` are those that stand at no field. */
export function ProblemBox({ problem, mistakes = [] }: { problem: Problem; mistakes?: Mistake[] }): JSX.Element {
    return (
        <div class="problem" role="alert">
            <p>{textOf(problem)}</p>
            {mistakes.length > 0 && (
                <ul>
                    {mistakes.map((mistake) => (
                        <li key={mistake.key}>
                            <code>{mistake.key}</code>: {mistake.problem}
                        </li>
                    ))}
                </ul>
            )}
        </div>
    );
}

/** What went wrong, in a line beside what was asked for. */
export function ProblemLine({ problem }: { problem: Problem }): JSX.Element {
    const mistakes = problem.mistakes ?? [];
    const text = mistakes.length > 0 ? mistakes.map((mistake) => mistake.problem).join("; ") : textOf(problem);
    return (
        <p class="mistake" role="alert">
            {sentence(text)}
        </p>
    );
}

function textOf(problem: Problem): string {
    return sentence(problem.detail ?? problem.title);
}

/** A text that begins with a capital letter. */
export function sentence(text: string): string {
    return text.charAt(0).toUpperCase() + text.slice(1);
}
