import assert from "node:assert/strict";
import { test } from "node:test";

import { bestUrl } from "../../src/best_url.ts";

const URLS = ["rtsp://192.0.2.7:8554/door", "rtsps://[2001:db8::7]:8322/door", "rtsp://127.0.0.1:8554/door", "rtsp://lab/door"];

test("a camera is played where the page comes from", () => {
    assert.equal(bestUrl(URLS, "127.0.0.1"), URLS[2]);
    assert.equal(bestUrl(URLS, "[2001:db8::7]"), URLS[1]);
    assert.equal(bestUrl(URLS, "lab"), URLS[3]);
});

test("the first address is as good as any where none has that host", () => {
    assert.equal(bestUrl(URLS, "camera.example"), URLS[0]);
    assert.equal(bestUrl(URLS, "192.0.2"), URLS[0]);
    assert.equal(bestUrl([], "lab"), undefined);
});
