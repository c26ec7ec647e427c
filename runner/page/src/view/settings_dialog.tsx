import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";

import { problemOf, type Versioned } from "../api.ts";
import { useApp } from "../app.ts";
import { changesOf, fieldsOf, type Fields } from "../form_values.ts";
import { GROUPS, type Key } from "../keys.ts";
import type { Problem, StreamStatus } from "../types.ts";
import { nameOf } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { FormField } from "./field.tsx";
import { FormEnd } from "./form_end.tsx";
import { ProblemBox } from "./problem.tsx";
import { useSubmission } from "./submission.ts";

const ALL: readonly Key[] = GROUPS.flatMap((group) => group.keys);
const NAMES = ALL.map((key) => key.key);

const CONFLICT = 409;
/** What the server names where that is what it takes. */
const REPLACE = "replace=true";
const CHANGED_MEANWHILE = 412;

/** Changes a camera's configuration, once it is known. */
export function SettingsDialog({ status }: { status: StreamStatus }): JSX.Element {
    const app = useApp();
    const [config, setConfig] = useState<Versioned | null>(null);
    const [problem, setProblem] = useState<Problem | null>(null);
    const load = async (): Promise<void> => {
        setConfig(null);
        try {
            setConfig(await app.api.config(status.id));
        } catch (thrown) {
            setProblem(problemOf(thrown));
        }
    };
    useEffect(() => void load(), []);
    return (
        <Dialog title={`Settings of ${nameOf(status)}`}>
            {problem && <ProblemBox problem={problem} />}
            {config && <SettingsForm status={status} config={config} onReload={() => void load()} />}
        </Dialog>
    );
}

interface SettingsFormProps {
    status: StreamStatus;
    config: Versioned;
    onReload: () => void;
}

function SettingsForm({ status, config, onReload }: SettingsFormProps): JSX.Element {
    const app = useApp();
    const before = fieldsOf(ALL, config.keys);
    const [fields, setFields] = useState<Fields>(before);
    const { isBusy, problem, form, mistakeAt, others, send } = useSubmission();
    useEffect(() => form.current?.querySelector("textarea")?.focus(), []);
    const mustReplace = problem?.status === CONFLICT && problem.detail?.includes(REPLACE) === true;
    const change = async (): Promise<void> => {
        const changes = changesOf(ALL, before, fields);
        const how = { save: app.save.now, replace: mustReplace };
        await app.api.change(status.id, changes, how, config.etag);
        app.notice.set(`Changed ${nameOf(status)}`);
        app.open.set(null);
        app.refresh();
    };
    return (
        <form
            ref={form}
            onSubmit={(event) => {
                event.preventDefault();
                send(change);
            }}
        >
            <div class="dialog-body">
                <SharedPicture status={status} />
                {GROUPS.map((group) => (
                    <fieldset key={group.title} class="group">
                        <legend>{group.title}</legend>
                        <p class="hint">{group.hint}</p>
                        <div class="fields">
                            {group.keys.map((key) => (
                                <FormField
                                    key={key.key}
                                    of={key}
                                    value={fields[key.key] ?? ""}
                                    mistake={mistakeAt(key.key)}
                                    onChange={(value) => setFields((now) => ({ ...now, [key.key]: value }))}
                                />
                            ))}
                        </div>
                    </fieldset>
                ))}
            </div>
            <FormEnd does={mustReplace ? "Replace the stream" : "Change"} isBusy={isBusy} isDangerous={mustReplace}>
                {mustReplace && <MustReplace />}
                {problem && !mustReplace && <ProblemBox problem={problem} mistakes={others(NAMES)} />}
                {problem?.status === CHANGED_MEANWHILE && (
                    <button type="button" onClick={onReload}>
                        Show what is in force now
                    </button>
                )}
            </FormEnd>
        </form>
    );
}

function MustReplace(): JSX.Element {
    return (
        <p class="problem" role="alert">
            This takes a new stream: viewers see the end of the one they play.
        </p>
    );
}

/** Says whom else a change is about. */
export function SharedPicture({ status }: { status: StreamStatus }): JSX.Element | null {
    const others = status.sharesPictureWith;
    if (others.length === 0) return null;
    return (
        <p class="hint">
            Its picture is also that of {others.slice(0, 3).join(", ")}
            {others.length > 3 && ` and ${others.length - 3} more`}: what happens to one happens to all.
        </p>
    );
}
