import type { JSX } from "preact";

import { useApp } from "../app.ts";
import { useValue } from "../value.ts";
import { instant } from "../words.ts";

/** What the server is, for those who may see it. */
export function Foot(): JSX.Element {
    const server = useValue(useApp().server);
    return (
        <footer class="foot">
            {server && (
                <p>
                    rtsp-clock-server {server.version} · {server.gstreamer} · up since {instant(server.upSince)} · time of{" "}
                    {server.clock.source === "system" ? "this machine" : server.clock.source}
                    {!server.clock.isHeard && " (not heard now)"}
                </p>
            )}
        </footer>
    );
}
