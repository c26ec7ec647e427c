import type { JSX } from "preact";
import { useEffect } from "preact/hooks";

import { useApp } from "../app.ts";
import { useValue } from "../value.ts";
import { AddDialog } from "./add_dialog.tsx";
import { CodeDialog } from "./code_dialog.tsx";
import { RemoveDialog } from "./remove_dialog.tsx";
import { SettingsDialog } from "./settings_dialog.tsx";

/** The dialog that is open, if there is one. */
export function OpenDialog(): JSX.Element | null {
    const app = useApp();
    const open = useValue(app.open);
    useValue(app.cameras.version);
    const camera = open !== null && open.what !== "add" ? app.cameras.get(open.id) : undefined;
    const isWithoutCamera = open !== null && open.what !== "add" && camera === undefined;
    useEffect(() => {
        // Somebody else has removed the camera meanwhile.
        if (isWithoutCamera) app.open.set(null);
    }, [isWithoutCamera]);
    if (open?.what === "add") return <AddDialog />;
    if (open === null || camera === undefined) return null;
    const { status } = camera.now;
    switch (open.what) {
        case "settings":
            return <SettingsDialog key={open.id} status={status} />;
        case "remove":
            return <RemoveDialog key={open.id} status={status} />;
        case "code":
            return <CodeDialog key={open.id} status={status} />;
    }
}
