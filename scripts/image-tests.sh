#!/bin/sh
# The tests with the GStreamer of the image, which may be newer than this machine's: `scripts/image-tests.sh [CARGO TEST
# OPTION...]`, all tests by default. They run where the image is built, in a container of that stage; what they build stays
# in the volume rtsp-clock-server-tests for the next time. Needs a Docker Engine.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

[ "$#" -gt 0 ] || set -- --workspace --locked --no-fail-fast
docker build --target build --tag rtsp-clock-server:build "$here"
docker build --tag rtsp-clock-server:tests --file - "$here/scripts" <<'END'
FROM rtsp-clock-server:build
COPY setup.sh /tmp/
RUN . /tmp/setup.sh && apt-get update && install_missing test
END

# Tests make network namespaces of their own.
docker run --rm --init --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined \
    --security-opt apparmor=unconfined --mount "type=bind,source=$here,target=/source,readonly" --workdir /source \
    --mount type=volume,source=rtsp-clock-server-tests,target=/target --env CARGO_TARGET_DIR=/target \
    rtsp-clock-server:tests sh -c '. scripts/setup.sh && install_clients . && gst-inspect-1.0 --version && exec cargo test "$@"' sh "$@"
