import assert from "node:assert/strict";
import { test } from "node:test";

import { CARDS_A_PAGE, choose, EVERYTHING } from "../../src/choice.ts";
import { camera, status } from "./camera_of.ts";

const CAMERAS = [
    camera(status("b", { label: "Camera 10", viewers: 1 })),
    camera(status("a", { label: "Camera 9", life: { state: "running", since: "2026-01-01T00:00:00Z" } })),
    camera(status("door", { viewers: 3 })),
];

test("everything is shown in the order of the file", () => {
    const chosen = choose(CAMERAS, EVERYTHING);
    assert.deepEqual(chosen.ids, ["b", "a", "door"]);
    assert.deepEqual([chosen.page, chosen.pages, chosen.matching], [0, 1, 3]);
    assert.deepEqual(chosen.inState, { all: 3, idle: 2, starting: 0, running: 1, failed: 0 });
});

test("each word has to be found, in whatever is said of a camera", () => {
    const found = (search: string): string[] => choose(CAMERAS, { ...EVERYTHING, search }).ids;
    assert.deepEqual(found("CAMERA 9"), ["a"]);
    assert.deepEqual(found("/door"), ["door"]);
    assert.deepEqual(found("h264 640x480"), ["b", "a", "door"]);
    assert.deepEqual(found("camera nowhere"), []);
});

test("a state chooses, and its number counts what is searched for alone", () => {
    const chosen = choose(CAMERAS, { ...EVERYTHING, search: "camera", state: "running" });
    assert.deepEqual(chosen.ids, ["a"]);
    assert.equal(chosen.inState.all, 2);
});

test("numbers in labels are sorted as numbers, and most viewers come first", () => {
    assert.deepEqual(choose(CAMERAS, { ...EVERYTHING, order: "label" }).ids, ["a", "b", "door"]);
    assert.deepEqual(choose(CAMERAS, { ...EVERYTHING, order: "viewers" }).ids, ["door", "b", "a"]);
    assert.deepEqual(choose(CAMERAS, { ...EVERYTHING, order: "state" }).ids, ["a", "b", "door"]);
});

test("a page beyond the last one is the last one", () => {
    const many = Array.from({ length: CARDS_A_PAGE + 1 }, (_, index) => camera(status(String(index))));
    const chosen = choose(many, { ...EVERYTHING, page: 7 });
    assert.deepEqual([chosen.page, chosen.pages, chosen.ids], [1, 2, [String(CARDS_A_PAGE)]]);
    assert.equal(choose([], { ...EVERYTHING, page: 1 }).page, 0);
});
