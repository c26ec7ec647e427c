import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { problemOf } from "../api.ts";
import { useApp } from "../app.ts";
import type { Problem, StreamStatus, ViewerStatus } from "../types.ts";
import { ago, bytes, count, instant, number, TRANSPORTS } from "../words.ts";
import { Icon } from "./icon.tsx";
import { ProblemLine } from "./problem.tsx";

/** So many viewers are shown before somebody asks for all. */
const SHOWN = 3;

interface ViewersProps {
    status: StreamStatus;
    mayChange: boolean;
}

/** Who plays the camera. */
export function Viewers({ status, mayChange }: ViewersProps): JSX.Element {
    const [showsAll, setShowsAll] = useState(false);
    const { viewers, maxViewers } = status;
    const shown = showsAll ? viewers : viewers.slice(0, SHOWN);
    return (
        <div class="viewers">
            <h3>
                {viewers.length === 0 ? "No viewers" : count(viewers.length, "viewer")}
                {maxViewers !== null && `, ${number(maxViewers)} at most`}
            </h3>
            {shown.length > 0 && (
                <ul>
                    {shown.map((viewer) => (
                        <ViewerLine key={viewer.session} viewer={viewer} mayChange={mayChange} />
                    ))}
                </ul>
            )}
            {viewers.length > SHOWN && (
                <button type="button" class="link" aria-expanded={showsAll} onClick={() => setShowsAll(!showsAll)}>
                    {showsAll ? "Show fewer" : `Show all ${number(viewers.length)}`}
                </button>
            )}
        </div>
    );
}

function ViewerLine({ viewer, mayChange }: { viewer: ViewerStatus; mayChange: boolean }): JSX.Element {
    const app = useApp();
    const [problem, setProblem] = useState<Problem | null>(null);
    const who = viewer.peer ?? "unknown address";
    const kick = async (): Promise<void> => {
        try {
            await app.api.kick(viewer.session);
            app.notice.set(`${who} was sent away`);
        } catch (thrown) {
            setProblem(problemOf(thrown));
        }
    };
    return (
        <li data-viewer={viewer.session}>
            <div class="viewer">
                <div>
                    <p class="viewer-who">
                        {viewer.user !== null && `${viewer.user}, `}
                        {who}
                    </p>
                    <p class="viewer-how">{howOf(viewer)}</p>
                </div>
                {mayChange && (
                    <button
                        type="button"
                        class="quiet"
                        title="Send away"
                        aria-label={`Send ${who} away`}
                        onClick={() => void kick()}
                    >
                        <Icon name="cross" />
                    </button>
                )}
            </div>
            {problem && <ProblemLine problem={problem} />}
        </li>
    );
}

/** How, since when, how much, and how well, by the viewer's own report. */
function howOf(viewer: ViewerStatus): JSX.Element {
    const lost = viewer.reports.reduce((most, report) => Math.max(most, report.fractionLost), 0);
    return (
        <>
            {TRANSPORTS[viewer.transport]} ·{" "}
            <time dateTime={viewer.since} title={`since ${instant(viewer.since)}`}>
                {ago(viewer.since, Date.now())}
            </time>{" "}
            · {bytes(viewer.sent.bytes)}
            {lost > 0 && <span class="lost"> · {number(lost * 100, 1)} % lost</span>}
        </>
    );
}
