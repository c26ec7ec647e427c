import type { ComponentChildren, JSX } from "preact";

import { bitsPerSecond, meanLateness, type Camera } from "../camera.ts";
import { bitrate, codec, delay, frameRate, number } from "../words.ts";
import { Sparkline } from "./sparkline.tsx";

/** What the camera is made of, and how it does. */
export function Figures({ camera }: { camera: Camera }): JSX.Element {
    const { madeOf, frames, life } = camera.status;
    const { picture, audio } = madeOf;
    const bits = life.state === "running" ? bitsPerSecond(camera) : null;
    return (
        <dl class="figures">
            <Figure name="Codec">
                {picture === null ? "own pipeline" : codec(picture)}
                {audio !== null && ` + ${audio.toUpperCase()}`}
            </Figure>
            <Figure name="Size">{picture === null ? "–" : `${picture.width}×${picture.height}`}</Figure>
            <Figure name="Rate">{picture === null ? "–" : frameRate(picture)}</Figure>
            <Figure name="Bitrate now">{bits === null ? "–" : bitrate(bits)}</Figure>
            <Figure name="Frames">{number(frames.made)}</Figure>
            <Figure name="Skipped">{number(frames.skipped)}</Figure>
            <LatenessFigure camera={camera} />
        </dl>
    );
}

function Figure({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
    return (
        <div>
            <dt>{name}</dt>
            <dd>{children}</dd>
        </div>
    );
}

function LatenessFigure({ camera }: { camera: Camera }): JSX.Element {
    const { lately } = camera.status.lateness;
    const mean = meanLateness(lately);
    return (
        <div class="lateness">
            <dt>Frames leave late by, lately</dt>
            <dd>
                {mean === null ? "–" : latenessInWords(mean, lately.mostSeconds)}
                <Sparkline values={camera.lateness} />
            </dd>
        </div>
    );
}

function latenessInWords(mean: number, most: number): string {
    return most === 0 ? "nothing" : `${delay(mean)}, most ${delay(most)}`;
}
