#!/bin/sh
# Builds the image, runs it with launch.sh, and plays its camera from outside over TCP, UDP and TLS. Needs a Docker
# Engine, curl, ffmpeg, openssl, and ports 8554 (or RTSP_SERVER_PORT), 8322 and 8080 with UDP ports 50000-50019 free.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
image=rtsp-clock-server:latest
port=${RTSP_SERVER_PORT:-8554}
tls_port=8322
work=$(mktemp -d)
passed=0 failed=0 launcher=

cleaned_up() {
    [ -z "$launcher" ] || kill "$launcher" 2>/dev/null || true
    rm -rf "$work"
}
trap cleaned_up EXIT
trap 'exit 130' HUP INT TERM

# check NAME COMMAND...: counts, and shows what a failed command said
check() {
    name=$1
    shift
    if "$@" >"$work/out" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        sort -u "$work/out" | sed 's/^/        /'
    fi
}

# within SECONDS COMMAND...: tries until it succeeds
within() {
    tries=$(($1 * 5))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.2
    done
}

# --- The image -------------------------------------------------------------------------------------------------------

# Not every builder keeps the base image where it can be asked for its size.
adds_at_most_170_megabytes() {
    docker image inspect debian:trixie-slim >/dev/null 2>&1 || docker pull -q debian:trixie-slim
    whole=$(docker image inspect --format '{{ .Size }}' "$image")
    base=$(docker image inspect --format '{{ .Size }}' debian:trixie-slim)
    echo "$(((whole - base) / 1000000)) MB on top of the base image's $((base / 1000000)) MB"
    [ "$((whole - base))" -le 170000000 ]
}

runs_pipeline() {
    docker run --rm --entrypoint gst-launch-1.0 "$image" -q "$@"
}

# The plugins are known at start: none is looked through again.
knows_its_plugins() {
    docker run --rm --entrypoint gst-inspect-1.0 -e GST_DEBUG=GST_REGISTRY:4 "$image" --exists clocksrc 2>&1 |
        grep 'Registry cache has not changed'
}

is_not_root() {
    [ "$(docker run --rm --entrypoint id "$image" -u)" -ne 0 ]
}

# Neither a cache that cannot be written nor a font that is missing makes a word.
is_quiet() {
    words=$(runs_pipeline clocksrc num-buffers=2 ! fakesink 2>&1) && echo "$words" && [ -z "$words" ]
}

# A word in each of many scripts; DejaVu, Noto, WenQuanYi and Symbola have them.
has_fonts() {
    words=$(docker run --rm -e RTSP_LABEL='停车场 停車場 駐車場ゲート 주차장 ที่จอดรถ पार्किंग পার্কিং நிறுத்துமிடம் పార్కింగ్ ಪಾರ್ಕಿಂಗ್ പാർക്കിംഗ് પાર્કિંગ ਪਾਰਕਿੰਗ වාහන موقف پارکنگ חניה Парковка Πάρκινγκ Կայան პარკინგი መኪና ចំណត ບ່ອນຈອດ ကားပါကင် བོད ᠮᠣᠩ 🚗🏠📷🔒' \
        "$image" --check 2>&1) && echo "$words" && ! echo "$words" | grep 'no installed font'
}

# --- The camera ------------------------------------------------------------------------------------------------------

# A configuration that only its owner reads: the server in the container is somebody else.
start_camera() {
    umask 077
    cp "$here/config.json" "$work/my config.json"
    RTSP_STAMP=qr RTSP_FLASH=true RTSP_AUDIO=aac "$here/launch.sh" --docker --config "$work/my config.json" \
        >"$work/log" 2>&1 &
    launcher=$!
    within 30 answers
}

answers() {
    ffprobe -v error -rtsp_transport tcp "rtsp://127.0.0.1:$port/live"
}

# plays TRANSPORT: ten frames arrive
plays() {
    ffmpeg -v error -rtsp_transport "$1" -i "rtsp://127.0.0.1:$port/live" -frames:v 10 -f null - </dev/null
}

# measures TRANSPORT: the probe in the image reads the camera's stamps, and hears its ticks
measures() {
    "$here/launch.sh" --docker probe "rtsp://127.0.0.1:$port/live" --transport "$1" --duration 5s \
        --max-unreadable 0 --json="$work/figures.json" &&
        grep -Eq '"readings": *[1-9]' "$work/figures.json" && grep -Eq '"ticks": *[1-9]' "$work/figures.json"
}

# What launch.sh has printed: the address, and the token for the run.
is_steered() {
    url=$(sed -n 's/^launch: seen and steered by HTTP: //p' "$work/log")
    api=${url%%#*}api/v1 token=${url#*#token=}
    echo "$url"
    curl -sSf "$api/streams/live" && ! curl -sf -X POST "$api/streams/live/keyframe" &&
        curl -sSf -X POST -H "Authorization: Bearer $token" "$api/streams/live/keyframe"
}

# What a browser does with that address: it gets the page and its script, and a cookie for the token.
shows_its_page() {
    page=${url%%#*}
    curl -sSf "$page" >page.html && script=$(sed -n 's/.*<script[^>]* src="\([^"]*\)".*/\1/p' page.html) &&
        curl -sSf -o page.js "$page${script#./}" &&
        curl -sSf -c cookies -X POST -H "Authorization: Bearer $token" "$api/session" &&
        curl -sSf -b cookies "$api/session" | grep '"mayChange":true'
}

# A configuration whose files are named as seen from here; only their owner reads the key.
start_camera_with_files() {
    umask 022
    mkdir "$work/tls"
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=camera -keyout tls/key.pem -out tls/certificate.pem
    chmod 0600 tls/key.pem
    ffmpeg -v error -f lavfi -i color=red:size=64x64 -frames:v 1 'a logo, "red".png' </dev/null
    cat >files.json <<END
{
    "tlsPort": $tls_port, "tlsCertificate": "tls/certificate.pem", "tlsPrivateKey": "./tls/key.pem",
    "streams": [{ "logo": "a logo, \"red\".png", "logoScale": 0.5, "logoPosition": "top-left" }]
}
END
    "$here/launch.sh" --docker --config files.json >"$work/log" 2>&1 &
    launcher=$!
    within 30 plays_with_tls
}

plays_with_tls() {
    ffmpeg -v error -rtsp_transport tcp -i "rtsps://127.0.0.1:$tls_port/live" -frames:v 10 -f null - </dev/null
}

# The corner of a frame, as one pixel: much red, little green.
shows_its_logo() {
    ffmpeg -v error -rtsp_transport tcp -i "rtsp://127.0.0.1:$port/live" -frames:v 1 \
        -vf crop=100:100:70:70,scale=1:1,format=rgb24 -f rawvideo -y pixel </dev/null
    # shellcheck disable=SC2046 # red, green and blue are a word each
    set -- $(od -An -tu1 pixel)
    echo "red $1, green $2"
    [ "$1" -gt 200 ] && [ "$2" -lt 80 ]
}

camera() {
    docker ps --filter "ancestor=$image" --format '{{ .ID }}' | head -n 1
}

# The plugin is in the system's folder too: what runs is the one in the server.
uses_its_own_clocksrc() {
    docker exec "$(camera)" cat /proc/1/maps >"$work/maps"
    grep -q 'gstreamer-1.0/libgstx264' "$work/maps" && ! grep 'libgstclocksrc' "$work/maps"
}

is_healthy() {
    [ "$(docker inspect --format '{{ .State.Health.Status }}' "$(camera)")" = healthy ]
}

stops_when_told_to() {
    [ -n "$(camera)" ] || return 1
    kill -TERM "$launcher"
    status=0
    wait "$launcher" || status=$?
    launcher=
    echo "exit status $status"
    cat "$work/log"
    [ "$status" -eq 0 ]
}

leaves_no_container() {
    [ -z "$(camera)" ]
}

"$here/launch.sh" --docker --build --version
check "adds at most 170 MB to its base image" adds_at_most_170_megabytes
check "does not run as root" is_not_root
check "knows its plugins at start" knows_its_plugins
check "encodes H.264 within" runs_pipeline clocksrc num-buffers=5 ! videoconvert ! x264enc ! rtph264pay ! fakesink
check "encodes H.265 within" runs_pipeline clocksrc num-buffers=5 ! videoconvert ! x265enc ! rtph265pay ! fakesink
check "encodes VP8 within" runs_pipeline clocksrc num-buffers=5 ! videoconvert ! vp8enc ! rtpvp8pay ! fakesink
check "encodes VP9 within" runs_pipeline clocksrc num-buffers=5 ! videoconvert ! vp9enc ! rtpvp9pay ! fakesink
check "encodes JPEG within" runs_pipeline clocksrc num-buffers=5 ! videoconvert ! jpegenc ! rtpjpegpay ! fakesink
check "clocksrc runs without a word" is_quiet
check "has a font for the scripts that people write in" has_fonts
check "starts with a configuration that only its owner reads" start_camera
check "plays over TCP" plays tcp
check "plays over UDP" plays udp
cd "$work" # what the probe in the container sees
check "measures itself over TCP" measures tcp
check "measures itself over UDP" measures udp
check "is seen by HTTP, and steered with the token that is printed" is_steered
check "shows its page at the address that is printed" shows_its_page
check "uses the clocksrc in the server, not the one in the system" uses_its_own_clocksrc
check "is healthy" within 30 is_healthy
check "stops with status 0 on SIGTERM" stops_when_told_to
check "leaves no container behind" within 10 leaves_no_container
check "plays over TLS with a certificate and a private key in files" start_camera_with_files
check "shows the logo in a file" shows_its_logo
check "is healthy with files in relative paths" within 30 is_healthy
check "stops with status 0 on SIGTERM, too" stops_when_told_to
check "leaves no container behind, either" within 10 leaves_no_container
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
