#!/bin/sh
# The long tests: what CI does on a small scale. `scripts/soak.sh [PICTURES [REQUESTS [CYCLES [MATRIX]]]]`: so many pictures
# without a readable stamp (a million by default, some 25 min of two cores; fails when one was read), and so many hostile
# requests to a server without and with a log-in (100000 by default, some 5 min each), and 10000 connections that say
# nothing, and 2000 viewers who leave RTCP and RTP behind, and as many connections by HTTP with garbage, 10000 without
# anything, and 10000 generated requests; so many viewers who come and go (10000 by default),
# 1000 who join a stream that is watched, 1000 viewers of one stream, and 100 streams with a viewer each; and so many times
# (once by default) every client with every codec over every transport with every log-in, and before them PyAV, which is
# installed for that (104 MB), with picture and sound. A 0 leaves a part out.
set -eu
cd "$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"

usage() {
    echo "usage: scripts/soak.sh [PICTURES [REQUESTS [CYCLES [MATRIX]]]]" >&2
    exit 2
}

[ "$#" -le 4 ] || usage
pictures=${1:-1000000} requests=${2:-100000} cycles=${3:-10000} matrix=${4:-1}
for number in "$pictures" "$requests" "$cycles" "$matrix"; do
    case $number in
        '' | *[!0-9]*) usage ;;
    esac
done
start=$(date +%s)

# soaked LINE COMMAND...: runs a test, and fails unless its log has such a line: one that is renamed would run nothing,
# and pass
soaked() {
    line=$1
    shift
    log=$("$@" 2>&1) || {
        echo "$log" >&2
        echo "soak: FAILED" >&2
        exit 1
    }
    echo "$log" | grep -E "$line" || {
        echo "soak: FAILED: the test did not run" >&2
        exit 1
    }
}

# attacked TEST LINE: a test of alone/hostile.rs at full size
attacked() {
    soaked "$2|packets lost|before, Footprint" env HOSTILE_REQUESTS="$requests" HOSTILE_CONNECTIONS=10000 \
        HOSTILE_LEAVES=1000 \
        cargo test --release --locked --package rtsp-clock-server --test alone -- --nocapture --exact "hostile::$1"
}

# crowded TEST LINE: a test of alone/crowd.rs at full size
crowded() {
    soaked "$2|before, Footprint" env CROWD_CYCLES="$cycles" CROWD_VIEWERS=1000 CROWD_STREAMS=100 \
        cargo test --release --locked --package rtsp-clock-server --test alone -- --nocapture --exact "crowd::$1"
}

# played_by_pyav: picture and sound, in a virtual environment that is made where it is missing
played_by_pyav() {
    target=${CARGO_TARGET_DIR:-target} pyav=18.1.0
    python=$target/pyav/bin/python
    "$python" -c "import av; assert av.__version__ == '$pyav'" 2>/dev/null || install_pyav || {
        echo "soak: FAILED: PyAV cannot be installed" >&2
        exit 1
    }
    soaked Finished cargo build --release --locked --package rtsp-clock-server
    soaked 'pictures|ways play whole' "$python" scripts/pyav.py "$target/release/rtsp-clock-server" 10
}

install_pyav() {
    rm -rf "$target/pyav"
    python3 -m venv "$target/pyav" && "$python" -m pip install --quiet --only-binary :all: "av==$pyav"
}

if [ "$pictures" -gt 0 ]; then
    echo "soak: $pictures pictures without a readable stamp: noise, patterns, text, damaged stamps"
    soaked "^$pictures pictures without a stamp, 0 misread" env STAMP_SOAK_PICTURES="$pictures" \
        cargo test --release --locked --package clockface --test stamp \
        -- --nocapture --exact pictures_without_a_whole_stamp_are_not_read
fi
if [ "$requests" -gt 0 ]; then
    echo "soak: $requests hostile requests to a server without a log-in, and to one with"
    attacked hostile_requests_do_no_harm '^[0-9]+ requests in'
    attacked hostile_requests_do_no_harm_where_a_log_in_is_needed '^[0-9]+ requests in'
    echo "soak: 1000 viewers who leave RTCP and RTP behind, without a log-in, and as many with"
    for login in '' _where_a_login_is_needed; do
        attacked "media::packets_of_those_who_leave_do_no_harm$login" '^1000 left with'
    done
    echo "soak: 10000 connections that say nothing, and 200 slow ones"
    for login in '' _where_a_login_is_needed; do
        attacked "idle_connections_do_no_harm$login" '^10000 connections within'
        attacked "slow_bytes_do_no_harm$login" '^[0-9]+ of [0-9]+ packets lost'
    done
    echo "soak: hostile clients of the HTTP server"
    soaked '10000 connections: |the last one was closed|changes,|before, Footprint' env HTTP_CONNECTIONS=10000 HTTP_SLOW=50 \
        HTTP_GARBAGE="$requests" HTTP_SESSIONS=3000 \
        cargo test --release --locked --package rtsp-clock-server --test http -- --nocapture --test-threads=1 hostile::
    echo "soak: requests that schemathesis makes up of the API's description"
    soaked '^[0-9]+ generated requests' env API_EXAMPLES=400 \
        cargo test --release --locked --package rtsp-clock-server --test http -- --nocapture --test-threads=1 generated::whatever
    echo "soak: whether the time of an answer tells a wrong name from a wrong password"
    soaked '^the time of an answer' cargo bench --locked --package rtsp-clock-server --bench login
fi
if [ "$cycles" -gt 0 ]; then
    echo "soak: 1000 joins of a stream that is watched"
    soaked '^1000 of 1000 joins' env FIRST_PICTURE_JOINS=1000 \
        cargo test --release --locked --package rtsp-clock-server --test picture \
        -- --nocapture --exact first_picture::whoever_joins_others_begins_with_a_key_picture
    echo "soak: 1000 viewers of one stream, 100 streams with a viewer each, $cycles viewers who come and go"
    crowded many_viewers_of_one_stream_leave_no_trace '^1000 viewers joined'
    crowded many_streams_leave_no_trace '^100 viewers joined'
    crowded those_who_come_and_go_leave_no_trace "^$cycles came and went"
fi
if [ "$matrix" -gt 0 ]; then
    echo "soak: picture and sound by PyAV, over TCP and UDP"
    played_by_pyav
fi
while [ "$matrix" -gt 0 ]; do
    echo "soak: every client with every codec, transport and log-in"
    soaked '^[0-9]+ cells are as the table says' env MATRIX=all \
        cargo test --release --locked --package rtsp-clock-server --test matrix \
        -- --nocapture --exact every_client_plays_what_it_can
    matrix=$((matrix - 1))
done
echo "soak: passed in $(($(date +%s) - start)) s"
