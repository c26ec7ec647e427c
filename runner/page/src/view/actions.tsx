import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { problemOf } from "../api.ts";
import { useApp } from "../app.ts";
import type { Problem, StreamStatus } from "../types.ts";
import { nameOf } from "../words.ts";
import { Icon } from "./icon.tsx";
import { ProblemLine } from "./problem.tsx";
import { useShortly } from "./shortly.ts";

/** What may be done with the camera. */
export function Actions({ id, status }: { id: string; status: StreamStatus }): JSX.Element {
    const app = useApp();
    const [problem, setProblem] = useState<Problem | null>(null);
    const [isAsked, setAsked] = useShortly();
    const name = nameOf(status);
    const forceKeyFrame = async (): Promise<void> => {
        try {
            await app.api.forceKeyFrame(id);
            setProblem(null);
            setAsked(true);
            app.notice.set(`The next frame of ${name} is a key frame`);
        } catch (thrown) {
            setProblem(problemOf(thrown));
        }
    };
    return (
        <div class="actions">
            <button type="button" aria-label={`Key frame of ${name}`} onClick={() => void forceKeyFrame()}>
                <Icon name={isAsked ? "check" : "key"} />
                Key frame
            </button>
            <button
                type="button"
                aria-label={`Settings of ${name}`}
                onClick={() => app.open.set({ what: "settings", id })}
            >
                <Icon name="settings" />
                Settings
            </button>
            <button type="button" aria-label={`Remove ${name}`} onClick={() => app.open.set({ what: "remove", id })}>
                <Icon name="bin" />
                Remove
            </button>
            {problem && <ProblemLine problem={problem} />}
        </div>
    );
}
