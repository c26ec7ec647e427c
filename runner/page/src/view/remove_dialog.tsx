import type { JSX } from "preact";

import { useApp } from "../app.ts";
import type { StreamStatus } from "../types.ts";
import { count, nameOf } from "../words.ts";
import { Dialog } from "./dialog.tsx";
import { FormEnd } from "./form_end.tsx";
import { ProblemBox } from "./problem.tsx";
import { SharedPicture } from "./settings_dialog.tsx";
import { useSubmission } from "./submission.ts";

/** Asks before a camera is removed. */
export function RemoveDialog({ status }: { status: StreamStatus }): JSX.Element {
    const app = useApp();
    const { isBusy, problem, form, send } = useSubmission();
    const viewers = status.viewers.length;
    const remove = async (): Promise<void> => {
        await app.api.remove(status.id, { save: app.save.now });
        app.notice.set(`Removed ${nameOf(status)}`);
        app.open.set(null);
        app.cameras.remove([status.id]);
        app.refresh();
        // The button that had the focus is gone.
        document.getElementById("cameras")?.focus({ preventScroll: true });
    };
    return (
        <Dialog title={`Remove ${nameOf(status)}?`}>
            <form
                ref={form}
                onSubmit={(event) => {
                    event.preventDefault();
                    send(remove);
                }}
            >
                <div class="dialog-body">
                    <p>
                        {viewers === 0 ? "Nobody plays it now." : `${count(viewers, "viewer")} of it will see its end.`} Unless it
                        is kept in the file that it is gone, it comes back when the file is read again.
                    </p>
                    <SharedPicture status={status} />
                    {problem && <ProblemBox problem={problem} mistakes={problem.mistakes ?? []} />}
                </div>
                <FormEnd does="Remove" isBusy={isBusy} isDangerous />
            </form>
        </Dialog>
    );
}
