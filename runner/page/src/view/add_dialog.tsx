import type { JSX } from "preact";
import { useState } from "preact/hooks";

import { useApp } from "../app.ts";
import { EVERYTHING } from "../choice.ts";
import { entryOf, fieldsOf, type Fields } from "../form_values.ts";
import { FIRST_KEYS, GROUPS, otherKeys, type Key } from "../keys.ts";
import { count } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { FormField } from "./field.tsx";
import { FormEnd } from "./form_end.tsx";
import { ProblemBox } from "./problem.tsx";
import { useSubmission } from "./submission.ts";

const MORE = GROUPS.map((group) => ({ ...group, keys: otherKeys(group) }));
const ALL: readonly Key[] = [...FIRST_KEYS, ...MORE.flatMap((group) => group.keys)];
const NAMES = ALL.map((key) => key.key);

/** Adds a camera, or several. */
export function AddDialog(): JSX.Element {
    const app = useApp();
    const [fields, setFields] = useState<Fields>(() => firstFields(app.cameras.all().length));
    const { isBusy, problem, form, mistakeAt, others, send } = useSubmission();
    const add = async (): Promise<void> => {
        const { streams } = await app.api.add(entryOf(ALL, fields), { save: app.save.now });
        app.notice.set(`Added ${count(streams.length, "camera")}`);
        app.choice.set(EVERYTHING);
        app.open.set(null);
        app.refresh();
    };
    const field = (key: Key): JSX.Element => (
        <FormField
            key={key.key}
            of={key}
            value={fields[key.key] ?? ""}
            mistake={mistakeAt(key.key)}
            unsaid="as in the file"
            onChange={(value) => setFields((before) => ({ ...before, [key.key]: value }))}
        />
    );
    return (
        <Dialog title="Add a camera">
            <form
                ref={form}
                onSubmit={(event) => {
                    event.preventDefault();
                    send(add);
                }}
            >
                <div class="dialog-body">
                    {problem && <ProblemBox problem={problem} mistakes={others(NAMES)} />}
                    <div class="fields">{FIRST_KEYS.map(field)}</div>
                    {MORE.map((group) => (
                        <details key={group.title} class="more">
                            <summary>More: {group.title.toLowerCase()}</summary>
                            <div class="fields">{group.keys.map(field)}</div>
                        </details>
                    ))}
                </div>
                <FormEnd does="Add" isBusy={isBusy} />
            </form>
        </Dialog>
    );
}

/** One camera, at a path that is likely to be free. */
function firstFields(cameras: number): Fields {
    return fieldsOf(ALL, { rtspStreamPath: `/camera-${cameras + 1}`, count: 1 });
}
