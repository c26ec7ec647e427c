import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { problemOf } from "../api.ts";
import { useApp } from "../app.ts";
import { NewestOnly } from "../newest_only.ts";
import type { Keys, Problem, StreamStatus } from "../types.ts";
import { nameOf } from "../words.ts";
import { ColorPicker } from "./field.tsx";
import { SaveBox } from "./form_end.tsx";
import { ProblemLine } from "./problem.tsx";

interface LookEditorProps {
    id: string;
    status: StreamStatus;
    onDone: () => void;
}

/** The least time from one change to the next while somebody types or drags, in ms. */
const APART = 200;

/** Changes label and colors in place: what is typed or picked is in the picture at once. Escape takes it back. */
export function LookEditor({ id, status, onDone }: LookEditorProps): JSX.Element {
    const app = useApp();
    const [look, setLook] = useState<Keys>({ label: status.label });
    const [problem, setProblem] = useState<Problem | null>(null);
    const before = useRef<Keys | null>(null);
    const changes = useMemo(() => new NewestOnly<Keys>(APART, (keys) => change(keys)), [id]);
    const change = async (keys: Keys): Promise<void> => {
        try {
            await app.api.change(id, keys, { save: app.save.now });
            setProblem(null);
        } catch (thrown) {
            setProblem(problemOf(thrown));
        }
    };
    useEffect(() => {
        app.api.config(id).then(
            ({ keys: { textColor, backgroundColor } }) => {
                before.current = { label: status.label, textColor, backgroundColor };
                setLook((typed) => ({ textColor, backgroundColor, ...typed }));
            },
            (thrown: unknown) => setProblem(problemOf(thrown)),
        );
    }, [id]);
    const set = (key: string, value: string): void => {
        const changed = { ...look, [key]: value };
        setLook(changed);
        changes.push(changed);
    };
    const onKeyDown = (event: KeyboardEvent): void => {
        const isInLabel = event.target instanceof HTMLTextAreaElement;
        if (event.key === "Escape") {
            if (before.current !== null) changes.push(before.current);
        } else if (event.key !== "Enter" || event.shiftKey || !isInLabel) {
            return;
        }
        event.preventDefault();
        onDone();
    };
    return (
        <div class="look-editor" onKeyDown={onKeyDown}>
            <textarea
                rows={2}
                aria-label={`Label of ${nameOf(status)}`}
                value={String(look["label"])}
                aria-invalid={problem !== null}
                ref={selected}
                onInput={(event) => set("label", event.currentTarget.value)}
            />
            <div class="look-colors">
                <Color name="Text" color={look["textColor"]} onPick={(color) => set("textColor", color)} />
                <Color name="Background" color={look["backgroundColor"]} onPick={(color) => set("backgroundColor", color)} />
                <SaveBox />
                <button type="button" class="primary" onClick={onDone}>
                    Done
                </button>
            </div>
            {problem && <ProblemLine problem={problem} />}
        </div>
    );
}

interface ColorProps {
    name: string;
    color: unknown;
    onPick: (color: string) => void;
}

function Color({ name, color, onPick }: ColorProps): JSX.Element {
    return (
        <span class="box">
            <ColorPicker name={`${name} color`} color={String(color)} onPick={onPick} />
            {name}
        </span>
    );
}

/** Selects all of a field as soon as it is there, which gives it the focus. */
function selected(field: HTMLTextAreaElement | null): void {
    field?.select();
}
