#!/bin/sh
# Adds a hundred cameras to a running server, changes one while it is played, sees that in its picture, and removes them all.
# Needs curl and rtsp-clock-probe. API is the server's address, TOKEN its token where it has one.
set -eu
api=${API:-http://127.0.0.1:8080}
ask() {
    curl -sS --fail ${TOKEN:+-H "Authorization: Bearer $TOKEN"} -H 'Content-Type: application/json' "$@"
}

ask -o /dev/null -d '{"rtspStreamPath": "/test{n}", "label": "Test {n}", "stamp": "qr", "count": 100}' "$api/api/v1/streams"
url=$(ask "$api/api/v1/streams/test7" | grep -o 'rtsp://[^"]*' | head -n 1)
rtsp-clock-probe --transport tcp --duration 6s "$url" & # somebody who plays on
player=$!
ask -o /dev/null -X PATCH -d '{"label": "Door", "stampId": 777}' "$api/api/v1/streams/test7/config"
rtsp-clock-probe --transport tcp --duration 3s --json "$url" | grep '"streamId": 777'
wait "$player"
ask "$api/metrics" | grep 'rtsp_clock_viewer_joins_total{stream="test7"'
for number in $(seq 100); do
    ask -o /dev/null -X DELETE "$api/api/v1/streams/test$number"
done
