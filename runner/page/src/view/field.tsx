import type { JSX } from "preact";
import { useId } from "preact/hooks";

import type { Field } from "../form_values.ts";
import type { Key } from "../keys.ts";
import type { Mistake } from "../types.ts";
import { sentence } from "./problem.tsx";

interface FieldProps {
    of: Key;
    value: Field;
    mistake: Mistake | undefined;
    /** What stands for a value that is not said; without it, each key has a value. */
    unsaid?: string | undefined;
    onChange: (value: Field) => void;
}

/** What each kind of control needs. */
interface ControlProps extends FieldProps {
    id: string;
    describedBy: string | undefined;
}

/** A key of the configuration in a form, with what is wrong with it beside it. */
export function FormField(props: FieldProps): JSX.Element {
    const { of: key, mistake } = props;
    const id = useId();
    const described = [key.hint && `${id}-hint`, mistake && `${id}-mistake`].filter(Boolean).join(" ");
    const control = { ...props, id, describedBy: described || undefined };
    const isGroup = key.kind === "some";
    const content = (
        <>
            {isGroup ? <legend>{key.title}</legend> : <label for={id}>{key.title}</label>}
            <Control {...control} />
            {key.hint && (
                <p class="hint" id={`${id}-hint`}>
                    {key.hint}
                </p>
            )}
            {mistake && (
                <p class="mistake" id={`${id}-mistake`}>
                    {sentence(mistake.problem)}
                </p>
            )}
        </>
    );
    const name = key.kind === "text" && key.lines ? "field wide" : "field";
    return isGroup ? (
        <fieldset class={name} data-key={key.key} aria-describedby={described || undefined}>
            {content}
        </fieldset>
    ) : (
        <div class={name} data-key={key.key}>
            {content}
        </div>
    );
}

function Control(props: ControlProps): JSX.Element {
    switch (props.of.kind) {
        case "text":
            return props.of.lines ? <Area {...props} lines={props.of.lines} /> : <Line {...props} />;
        case "number":
            return <Line {...props} />;
        case "choice":
            return <Select {...props} choices={props.of.choices.map((choice) => [choice, choice])} />;
        case "switch":
            return (
                <Select
                    {...props}
                    choices={[
                        ["true", "yes"],
                        ["false", "no"],
                    ]}
                />
            );
        case "color":
            return <ColorLine {...props} />;
        case "some":
            return <Boxes {...props} choices={props.of.choices} />;
    }
}

function Line({ id, of: key, value, mistake, describedBy, unsaid, onChange }: ControlProps): JSX.Element {
    return (
        <input
            id={id}
            type="text"
            inputMode={key.kind === "number" ? "decimal" : "text"}
            autoComplete="off"
            spellcheck={false}
            value={String(value)}
            placeholder={unsaid}
            aria-invalid={mistake !== undefined}
            aria-describedby={describedBy}
            onInput={(event) => onChange(event.currentTarget.value)}
        />
    );
}

function Area({ id, value, mistake, describedBy, unsaid, onChange, lines }: ControlProps & { lines: number }): JSX.Element {
    return (
        <textarea
            id={id}
            rows={lines}
            value={String(value)}
            placeholder={unsaid}
            aria-invalid={mistake !== undefined}
            aria-describedby={describedBy}
            onInput={(event) => onChange(event.currentTarget.value)}
        />
    );
}

interface SelectProps extends ControlProps {
    choices: readonly (readonly [string, string])[];
}

function Select({ id, value, mistake, describedBy, unsaid, onChange, choices }: SelectProps): JSX.Element {
    return (
        <select
            id={id}
            value={String(value)}
            aria-invalid={mistake !== undefined}
            aria-describedby={describedBy}
            onChange={(event) => onChange(event.currentTarget.value)}
        >
            {unsaid !== undefined && <option value="">{unsaid}</option>}
            {choices.map(([choice, words]) => (
                <option key={choice} value={choice}>
                    {words}
                </option>
            ))}
        </select>
    );
}

/** A color as a text, and one to pick beside it, which leaves the alpha as it is. */
function ColorLine(props: ControlProps): JSX.Element {
    const { of: key, value, onChange } = props;
    return (
        <div class="color-line">
            <Line {...props} />
            <ColorPicker name={`Pick: ${key.title}`} color={String(value)} onPick={onChange} />
        </div>
    );
}

interface ColorPickerProps {
    name: string;
    color: string;
    onPick: (color: string) => void;
}

/** The browser's own way to pick a color; the color's alpha stays as it is. */
export function ColorPicker({ name, color, onPick }: ColorPickerProps): JSX.Element {
    const isColor = /^#[0-9a-f]{6}([0-9a-f]{2})?$/i.test(color);
    return (
        <input
            type="color"
            aria-label={name}
            value={isColor ? color.slice(0, 7) : "#000000"}
            onInput={(event) => onPick(event.currentTarget.value + (isColor ? color.slice(7) : ""))}
        />
    );
}

function Boxes({ value, onChange, choices }: ControlProps & { choices: readonly string[] }): JSX.Element {
    const chosen = typeof value === "string" ? [] : value;
    const toggle = (choice: string, isOn: boolean): void =>
        onChange(choices.filter((other) => (other === choice ? isOn : chosen.includes(other))));
    return (
        <div class="boxes">
            {choices.map((choice) => (
                <label key={choice} class="box">
                    <input
                        type="checkbox"
                        checked={chosen.includes(choice)}
                        onChange={(event) => toggle(choice, event.currentTarget.checked)}
                    />
                    {choice}
                </label>
            ))}
        </div>
    );
}
