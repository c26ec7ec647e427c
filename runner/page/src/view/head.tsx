import type { JSX } from "preact";

import { useApp } from "../app.ts";
import type { Connection } from "../live.ts";
import { useValue } from "../value.ts";
import { count } from "../words.ts";
import { Icon, Logo } from "./icon.tsx";

const CONNECTIONS: Record<Connection, string> = {
    off: "Not connected",
    connecting: "Connecting",
    open: "Live",
    lost: "Connection lost",
};

/** What is at the top of the page: whose page it is, how many there are, and what may be done. */
export function Head(): JSX.Element {
    const app = useApp();
    const session = useValue(app.session);
    return (
        <header class="head">
            <Logo />
            <div class="head-title">
                <h1>Cameras</h1>
                <Sums />
            </div>
            <ConnectionState />
            <div class="head-actions">
                {session !== null && <Login />}
                {session?.mayChange && (
                    <button type="button" class="primary" onClick={() => app.open.set({ what: "add" })}>
                        <Icon name="plus" />
                        Add a camera
                    </button>
                )}
            </div>
        </header>
    );
}

function Sums(): JSX.Element {
    const app = useApp();
    useValue(app.cameras.version);
    const all = app.cameras.all();
    const viewers = all.reduce((sum, camera) => sum + camera.status.viewers.length, 0);
    return (
        <p class="sums">
            {count(all.length, "camera")}, {count(viewers, "viewer")}
        </p>
    );
}

function ConnectionState(): JSX.Element {
    const connection = useValue(useApp().live.connection);
    return <p class={`badge connection-${connection}`}>{CONNECTIONS[connection]}</p>;
}

/** Who has logged in; a log-out for them, and a log-in for whoever may only look. */
function Login(): JSX.Element {
    const app = useApp();
    const session = useValue(app.session);
    const hasToken = useValue(app.hasToken);
    if (session?.user || hasToken) {
        return (
            <button type="button" onClick={() => void app.logOut()}>
                Log out{session?.user ? ` ${session.user}` : ""}
            </button>
        );
    }
    if (session?.mayChange) return <></>;
    return (
        <button type="button" onClick={() => app.showLogin()}>
            Log in
        </button>
    );
}
