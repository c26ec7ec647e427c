import type { JSX } from "preact";

import { useApp } from "../app.ts";
import { choose, EVERYTHING, ORDERS, type Choice, type Chosen } from "../choice.ts";
import type { State } from "../types.ts";
import { useValue } from "../value.ts";
import { count, number, STATES } from "../words.ts";
import { Card } from "./card.tsx";
import { Icon } from "./icon.tsx";
import { Pager } from "./pager.tsx";

/** So few cameras get larger cards. */
const FEW = 2;

/** The cameras that are chosen, a card each, and what chooses them. */
export function Cards(): JSX.Element {
    const app = useApp();
    const isKnown = useValue(app.cameras.version) > 0;
    const choice = useValue(app.choice);
    const mayChange = useValue(app.session)?.mayChange ?? false;
    const all = app.cameras.all();
    const chosen = choose(all, choice);
    return (
        <>
            <Tools choice={choice} chosen={chosen} />
            <p class="matching" role="status">
                {chosen.matching === all.length ? "" : `${number(chosen.matching)} of ${count(all.length, "camera")}`}
            </p>
            {chosen.matching === 0 && all.length > 0 && <NothingFound />}
            {isKnown && all.length === 0 && <p class="nothing">There is no camera.</p>}
            <ul class={all.length <= FEW ? "cards few" : "cards"}>
                {chosen.ids.map((id) => {
                    const camera = app.cameras.get(id);
                    return camera && <Card key={id} id={id} camera={camera} mayChange={mayChange} />;
                })}
            </ul>
            <Pager chosen={chosen} />
        </>
    );
}

function NothingFound(): JSX.Element {
    const app = useApp();
    return (
        <div class="nothing">
            <p>No camera matches.</p>
            <button type="button" onClick={() => app.choice.set(EVERYTHING)}>
                Show all
            </button>
        </div>
    );
}

function Tools({ choice, chosen }: { choice: Choice; chosen: Chosen }): JSX.Element {
    const app = useApp();
    return (
        <form class="tools" role="search" onSubmit={(event) => event.preventDefault()}>
            <label class="search">
                <span class="hidden">Search by label, address, codec or size</span>
                <Icon name="search" />
                <input
                    type="search"
                    placeholder="Label, address, codec, size"
                    value={choice.search}
                    onInput={(event) => app.choose({ search: event.currentTarget.value })}
                />
            </label>
            <fieldset class="states">
                <legend class="hidden">State</legend>
                {(["all", "running", "starting", "idle", "failed"] as const).map((state) => (
                    <StateChoice key={state} state={state} isChosen={choice.state === state} cameras={chosen.inState[state]} />
                ))}
            </fieldset>
            <label class="order">
                <span class="hidden">Order</span>
                <select
                    value={choice.order}
                    onChange={(event) => app.choose({ order: event.currentTarget.value as Choice["order"] })}
                >
                    {Object.entries(ORDERS).map(([order, words]) => (
                        <option key={order} value={order}>
                            {words}
                        </option>
                    ))}
                </select>
            </label>
        </form>
    );
}

interface StateChoiceProps {
    state: State | "all";
    isChosen: boolean;
    cameras: number;
}

function StateChoice({ state, isChosen, cameras }: StateChoiceProps): JSX.Element {
    const app = useApp();
    return (
        <label class="state-choice">
            <input type="radio" name="state" checked={isChosen} onChange={() => app.choose({ state })} />
            <span>
                {state === "all" ? "All" : STATES[state]} <span class="amount">{number(cameras)}</span>
            </span>
        </label>
    );
}
