#!/usr/bin/env python3
"""Adds a hundred cameras to a running server, changes one while it is played, sees that in its picture, and removes them all.

Needs rtsp-clock-probe. API is the server's address, TOKEN its token where it has one.
"""
import json, os, subprocess, urllib.request

API = os.environ.get("API", "http://127.0.0.1:8080")
HEADERS = {"Content-Type": "application/json"}
if "TOKEN" in os.environ:
    HEADERS["Authorization"] = "Bearer " + os.environ["TOKEN"]
PROBE = ["rtsp-clock-probe", "--transport", "tcp"]


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(API + path, data, HEADERS, method=method)).read().decode()


cameras = {"rtspStreamPath": "/test{n}", "label": "Test {n}", "stamp": "qr", "count": 100}
ids = json.loads(ask("POST", "/api/v1/streams", cameras))["streams"]
url = json.loads(ask("GET", f"/api/v1/streams/{ids[6]}"))["urls"][0]
player = subprocess.Popen([*PROBE, "--duration", "6s", url])  # somebody who plays on
ask("PATCH", f"/api/v1/streams/{ids[6]}/config", {"label": "Door", "stampId": 777})
seen = json.loads(subprocess.check_output([*PROBE, "--duration", "3s", "--json", url]))
assert seen["streams"][0]["streamId"] == 777, seen
assert player.wait() == 0
print(*(line for line in ask("GET", "/metrics").splitlines() if f'joins_total{{stream="{ids[6]}"' in line))
for each in ids:
    ask("DELETE", f"/api/v1/streams/{each}")
