import type { JSX } from "preact";

const WIDTH = 120;
const HEIGHT = 24;
/** How many values fit. */
const LONGEST = 60;
/** What is drawn at full height at least, in seconds: noise below it is no mountain. */
const LOWEST_TOP = 0.001;

/** How late frames left, a value a second, the newest at the right. */
export function Sparkline({ values }: { values: readonly number[] }): JSX.Element {
    const top = Math.max(LOWEST_TOP, ...values);
    const first = LONGEST - values.length;
    const points = values.map((value, index) => {
        const x = ((first + index) / (LONGEST - 1)) * WIDTH;
        const y = HEIGHT - 1 - (value / top) * (HEIGHT - 3);
        return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    const left = ((first / (LONGEST - 1)) * WIDTH).toFixed(1);
    return (
        <svg class="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
            <line x1="0" x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
            {points.length > 1 && (
                <>
                    <polygon points={`${left},${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
                    <polyline points={points.join(" ")} />
                </>
            )}
        </svg>
    );
}
