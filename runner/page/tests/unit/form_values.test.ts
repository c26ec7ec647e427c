import assert from "node:assert/strict";
import { test } from "node:test";

import { changesOf, entryOf, fieldsOf } from "../../src/form_values.ts";
import type { Key } from "../../src/keys.ts";

const KEYS: Key[] = [
    { key: "label", title: "Label", kind: "text" },
    { key: "framesPerSecond", title: "Rate", kind: "number" },
    { key: "bitrateKbps", title: "Bitrate", kind: "number" },
    { key: "flash", title: "Flash", kind: "switch" },
    { key: "transports", title: "Transports", kind: "some", choices: ["udp", "tcp"] },
];
const CONFIG = { label: "Door", framesPerSecond: 25, flash: false, transports: ["udp", "tcp"], other: 1 };

test("nothing is sent of what has not been changed", () => {
    const fields = fieldsOf(KEYS, CONFIG);
    assert.deepEqual(changesOf(KEYS, fields, fields), {});
});

test("what has been changed is sent as the configuration has it", () => {
    const before = fieldsOf(KEYS, CONFIG);
    const after = { ...before, label: "", framesPerSecond: "12.5", bitrateKbps: "800", flash: "true", transports: ["tcp"] };
    assert.deepEqual(changesOf(KEYS, before, after), {
        label: "",
        framesPerSecond: 12.5,
        bitrateKbps: 800,
        flash: true,
        transports: ["tcp"],
    });
});

test("an empty number takes its key out, and what is no number is sent as it stands", () => {
    const before = fieldsOf(KEYS, { ...CONFIG, bitrateKbps: 800 });
    const after = { ...before, bitrateKbps: " ", framesPerSecond: "30000/1001" };
    assert.deepEqual(changesOf(KEYS, before, after), { bitrateKbps: null, framesPerSecond: "30000/1001" });
});

test("a new entry has only what is said", () => {
    assert.deepEqual(entryOf(KEYS, fieldsOf(KEYS, { label: "Door", framesPerSecond: 25 })), { label: "Door", framesPerSecond: 25 });
});
