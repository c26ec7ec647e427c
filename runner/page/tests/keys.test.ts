import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

import { FIRST_KEYS, GROUPS } from "../src/keys.ts";
import { PROGRAM } from "./support/server.ts";

/** What the server's schema says of a key. */
interface Described {
    type?: string;
    enum?: string[];
    oneOf?: Described[];
    const?: string;
    items?: Described;
}

test("each field is one of a key that there is, and offers what that may be", () => {
    const schema = JSON.parse(execFileSync(PROGRAM, ["--print-schema"], { encoding: "utf8" })) as {
        properties: Record<string, Described>;
    };
    for (const key of [...FIRST_KEYS, ...GROUPS.flatMap((group) => group.keys)]) {
        const described = schema.properties[key.key];
        assert.ok(described, `there is no key ${key.key}`);
        if (key.kind === "switch") assert.equal(described.type, "boolean", key.key);
        if (key.kind === "choice") assert.deepEqual(choicesOf(described), [...key.choices].sort(), key.key);
        if (key.kind === "some") assert.deepEqual(choicesOf(described.items ?? {}), [...key.choices].sort(), key.key);
    }
});

function choicesOf(described: Described): string[] {
    const choices = described.enum ?? described.oneOf?.map((one) => one.const ?? "") ?? [];
    return [...choices].sort();
}
