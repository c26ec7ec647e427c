import type { JSX } from "preact";

import { useApp } from "../app.ts";
import { useValue } from "../value.ts";
import { Cards } from "./cards.tsx";
import { OpenDialog } from "./dialogs.tsx";
import { Foot } from "./foot.tsx";
import { Head } from "./head.tsx";
import { LoginPage } from "./login.tsx";
import { ProblemBox } from "./problem.tsx";

/** Everything. */
export function Page(): JSX.Element {
    const app = useApp();
    const stage = useValue(app.stage);
    if (stage === "log-in") return <LoginPage />;
    return (
        <>
            <a class="skip" href="#cameras">
                Skip to the cameras
            </a>
            <Head />
            <main id="cameras" tabIndex={-1}>
                <Trouble />
                {stage === "in" && <Cards />}
            </main>
            <Foot />
            <OpenDialog />
            <p class="hidden" role="status">
                {useValue(app.notice)}
            </p>
        </>
    );
}

/** What keeps the page from showing what is. */
function Trouble(): JSX.Element | null {
    const app = useApp();
    const connection = useValue(app.live.connection);
    const trouble = useValue(app.trouble);
    if (connection === "lost") {
        return (
            <div class="trouble" role="alert">
                <p>
                    <strong>The connection to the server is lost.</strong> What you see is how it was. The page tries again by
                    itself.
                </p>
                <button type="button" onClick={() => app.live.connect()}>
                    Try now
                </button>
            </div>
        );
    }
    return trouble && <ProblemBox problem={trouble} />;
}
