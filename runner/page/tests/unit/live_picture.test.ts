import assert from "node:assert/strict";
import { test } from "node:test";

import { readPicture } from "../../src/live_picture.ts";

function message(id: string, instant: bigint, jpeg: number[]): ArrayBuffer {
    const name = new TextEncoder().encode(id);
    const data = new ArrayBuffer(2 + name.length + 8 + jpeg.length);
    const view = new DataView(data);
    view.setUint16(0, name.length);
    new Uint8Array(data, 2).set(name);
    view.setBigInt64(2 + name.length, instant);
    new Uint8Array(data, 10 + name.length).set(jpeg);
    return data;
}

test("a picture is read", () => {
    const picture = readPicture(message("hof-ü", 1_800_000_000_123_456n, [1, 2, 3]));
    assert.equal(picture?.id, "hof-ü");
    assert.equal(picture?.instant, 1_800_000_000_123_456n);
    assert.deepEqual([...(picture?.jpeg ?? [])], [1, 2, 3]);
});

test("what is cut off is no picture", () => {
    const whole = message("door", 1n, [1]);
    for (let length = 0; length < whole.byteLength; length += 1) {
        assert.equal(readPicture(whole.slice(0, length)), null, `${length} bytes`);
    }
});
