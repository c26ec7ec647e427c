import type { ComponentChildren, JSX } from "preact";

import { useApp } from "../app.ts";
import { useValue } from "../value.ts";

interface FormEndProps {
    /** What the button says that does it. */
    does: string;
    isBusy: boolean;
    isDangerous?: boolean;
    children?: ComponentChildren;
}

/** What each form ends with: whether the file is written, and the buttons. */
export function FormEnd({ does, isBusy, isDangerous = false, children }: FormEndProps): JSX.Element {
    const app = useApp();
    return (
        <div class="form-end">
            {children}
            <SaveBox />
            <div class="buttons">
                <button type="button" onClick={() => app.open.set(null)}>
                    Cancel
                </button>
                <button type="submit" class={isDangerous ? "danger" : "primary"} disabled={isBusy}>
                    {does}
                </button>
            </div>
        </div>
    );
}

/** Whether changes are kept in the configuration's file. */
export function SaveBox(): JSX.Element {
    const app = useApp();
    return (
        <label class="box">
            <input
                type="checkbox"
                checked={useValue(app.save)}
                onChange={(event) => app.save.set(event.currentTarget.checked)}
            />
            Keep it in the file
        </label>
    );
}
