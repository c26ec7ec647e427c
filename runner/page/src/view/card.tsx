import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { useApp } from "../app.ts";
import type { Camera } from "../camera.ts";
import type { Life, StreamStatus } from "../types.ts";
import { useValue, type Value } from "../value.ts";
import { nameOf, STATES } from "../words.ts";
import { Actions } from "./actions.tsx";
import { Address } from "./address.tsx";
import { Figures } from "./figures.tsx";
import { Icon } from "./icon.tsx";
import { LookEditor } from "./look_editor.tsx";
import { LivePicture } from "./picture.tsx";
import { sentence } from "./problem.tsx";
import { Viewers } from "./viewers.tsx";

interface CardProps {
    id: string;
    camera: Value<Camera>;
    mayChange: boolean;
}

/** A camera. */
export function Card({ id, camera, mayChange }: CardProps): JSX.Element {
    const app = useApp();
    const now = useValue(camera);
    const card = useRef<HTMLLIElement>(null);
    useEffect(() => (card.current ? app.cardsInSight.follow(card.current, id) : undefined), [id]);
    return (
        <li class="card" ref={card} data-stream={id}>
            <article aria-labelledby={`name-of-${id}`}>
                <LivePicture id={id} status={now.status} />
                <div class="card-body">
                    <CardHead id={id} status={now.status} mayChange={mayChange} />
                    <Cause life={now.status.life} />
                    <Address id={id} status={now.status} />
                    <Figures camera={now} />
                    <Viewers status={now.status} mayChange={mayChange} />
                </div>
                {mayChange && <Actions id={id} status={now.status} />}
            </article>
        </li>
    );
}

interface CardHeadProps {
    id: string;
    status: StreamStatus;
    mayChange: boolean;
}

/** The camera's name and state; the name becomes a form where it is edited. */
function CardHead({ id, status, mayChange }: CardHeadProps): JSX.Element {
    const [isEdited, setEdited] = useState(false);
    const pencil = useRef<HTMLButtonElement>(null);
    const wasEdited = useRef(false);
    useEffect(() => {
        if (!isEdited && wasEdited.current) pencil.current?.focus();
        wasEdited.current = isEdited;
    }, [isEdited]);
    return (
        <>
            <div class="card-head">
                <h2 id={`name-of-${id}`}>{nameOf(status)}</h2>
                {mayChange && !isEdited && (
                    <button
                        type="button"
                        class="quiet"
                        ref={pencil}
                        title="Edit label and colors"
                        aria-label={`Edit label and colors of ${nameOf(status)}`}
                        onClick={() => setEdited(true)}
                    >
                        <Icon name="pencil" />
                    </button>
                )}
                <p class={`badge state-${status.life.state}`}>{STATES[status.life.state]}</p>
            </div>
            {isEdited && <LookEditor id={id} status={status} onDone={() => setEdited(false)} />}
        </>
    );
}

function Cause({ life }: { life: Life }): JSX.Element | null {
    if (life.state !== "failed") return null;
    return <p class="cause">{sentence(life.cause)}</p>;
}
