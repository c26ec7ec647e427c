import assert from "node:assert/strict";
import { test } from "node:test";

import { bitsPerSecond, newCamera, withStatus } from "../../src/camera.ts";
import { status } from "./camera_of.ts";

test("the bitrate is that of viewers who are in both statuses", () => {
    let camera = withStatus(newCamera(status("a")), status("a", { viewers: { one: 1000 } }), 0);
    assert.equal(bitsPerSecond(camera), null);
    camera = withStatus(camera, status("a", { viewers: { one: 2000, two: 99_999 } }), 1000);
    assert.equal(bitsPerSecond(camera), 8000);
    camera = withStatus(camera, status("a", { viewers: { two: 100_999 } }), 2000);
    assert.equal(bitsPerSecond(camera), 8000);
});

test("statuses at uneven distances make an even bitrate", () => {
    let camera = withStatus(newCamera(status("a")), status("a", { viewers: { one: 0 } }), 0);
    [900, 2100, 3000].forEach((now) => {
        camera = withStatus(camera, status("a", { viewers: { one: now } }), now);
    });
    assert.equal(bitsPerSecond(camera), 8000);
});

test("a list that is read in between changes no bitrate", () => {
    let camera = withStatus(newCamera(status("a")), status("a", { viewers: { one: 0 } }), 0);
    camera = { ...camera, status: status("a", { viewers: { one: 600 } }) };
    camera = withStatus(camera, status("a", { viewers: { one: 1000 } }), 1000);
    assert.equal(bitsPerSecond(camera), 8000);
});

test("a card that was not on the screen begins anew", () => {
    const late = { frames: 10, totalSeconds: 0.02 };
    let camera = withStatus(newCamera(status("a")), status("a", { viewers: { one: 0 }, lately: late }), 0);
    camera = withStatus(camera, status("a", { viewers: { one: 1000 }, lately: late }), 1000);
    assert.deepEqual(camera.lateness, [0.002, 0.002]);
    camera = withStatus(camera, status("a", { viewers: { one: 90_000 }, lately: late }), 60_000);
    assert.deepEqual([camera.lateness, bitsPerSecond(camera)], [[0.002], null]);
});

test("a minute of lateness is kept", () => {
    let camera = newCamera(status("a"));
    for (let second = 0; second < 100; second += 1) {
        camera = withStatus(camera, status("a", { lately: { frames: 1, totalSeconds: second } }), second * 1000);
    }
    assert.deepEqual([camera.lateness.length, camera.lateness[0], camera.lateness[59]], [60, 40, 99]);
});
