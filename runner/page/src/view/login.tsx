import type { JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";

import { useApp } from "../app.ts";
import { useValue } from "../value.ts";
import { Logo } from "./icon.tsx";
import { ProblemBox } from "./problem.tsx";
import { useSubmission } from "./submission.ts";

/** Asks for a log-in: a name and a password, or the token. */
export function LoginPage(): JSX.Element {
    const app = useApp();
    const mayLookOn = useValue(app.session) !== null;
    const [way, setWay] = useState<"password" | "token">(app.tokenProblem.now ? "token" : "password");
    const [name, setName] = useState("");
    const [secret, setSecret] = useState("");
    const tokenProblem = useValue(app.tokenProblem);
    const { isBusy, problem, form, send } = useSubmission();
    useEffect(() => form.current?.querySelector<HTMLInputElement>(".field input")?.focus(), []);
    const logIn = (): Promise<void> =>
        app.logIn(way === "token" ? `Bearer ${secret.trim()}` : `Basic ${base64(`${name}:${secret}`)}`);
    return (
        <main class="login">
            <form
                ref={form}
                onSubmit={(event) => {
                    event.preventDefault();
                    send(logIn);
                }}
            >
                <Logo />
                <h1>Log in</h1>
                <fieldset class="states">
                    <legend class="hidden">With what</legend>
                    <Way name="Name and password" isChosen={way === "password"} onChoose={() => setWay("password")} />
                    <Way name="Token" isChosen={way === "token"} onChoose={() => setWay("token")} />
                </fieldset>
                {way === "password" && <Entry title="Name" autoComplete="username" value={name} onInput={setName} />}
                <Entry
                    title={way === "password" ? "Password" : "Token"}
                    type="password"
                    autoComplete="current-password"
                    value={secret}
                    onInput={setSecret}
                />
                {way === "token" && <p class="hint">The server prints it at its start, or its configuration has it.</p>}
                {problem ? <ProblemBox problem={problem} /> : tokenProblem && <ProblemBox problem={tokenProblem} />}
                <button type="submit" class="primary" disabled={isBusy}>
                    Log in
                </button>
                {mayLookOn && (
                    <button type="button" onClick={() => void app.enter()}>
                        Look on without
                    </button>
                )}
            </form>
        </main>
    );
}

interface WayProps {
    name: string;
    isChosen: boolean;
    onChoose: () => void;
}

function Way({ name, isChosen, onChoose }: WayProps): JSX.Element {
    return (
        <label class="state-choice">
            <input type="radio" name="way" checked={isChosen} onChange={onChoose} />
            <span>{name}</span>
        </label>
    );
}

interface EntryProps {
    title: string;
    type?: "text" | "password";
    autoComplete: "username" | "current-password";
    value: string;
    onInput: (value: string) => void;
}

function Entry({ title, type = "text", autoComplete, value, onInput }: EntryProps): JSX.Element {
    const id = useId();
    return (
        <div class="field">
            <label for={id}>{title}</label>
            <input
                id={id}
                // The types of JSX know each type of input alone.
                type={type as "text"}
                autoComplete={autoComplete}
                autoCapitalize="none"
                spellcheck={false}
                required
                value={value}
                onInput={(event) => onInput(event.currentTarget.value)}
            />
        </div>
    );
}

/** A text's UTF-8 in base64, as Basic has it. */
function base64(text: string): string {
    return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
