#!/bin/sh
# All tests, on a fresh machine too: installs what they need, runs every step, and ends with the sums.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$here"

# shellcheck source=scripts/setup.sh
. scripts/setup.sh

main() {
    set_up "$here" test
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    step shellcheck -x launch.sh test.sh .ci/run scripts/*.sh
    for test in scripts/test-*.sh; do
        step "$test"
    done
    step scripts/check-page.sh --sources
    step cargo fmt --all --check
    step cargo clippy --workspace --all-targets --locked -- -D warnings
    step cargo test --workspace --locked --no-fail-fast
    # Figures in CPU time, which a busy machine hardly changes: they fail where a bar is broken. Of the whole workspace, as
    # above, so that nothing is built anew with other features: the server alone is, at the level of its benches.
    step cargo bench --workspace --profile dev --locked --bench readers --bench clockprobe --bench figures -- stamp
    # A tenth of the crowds, and bars that a busy machine leaves far below.
    step cargo bench --workspace --profile dev --locked --bench many -- --percent=10 demand thousand
    sum_up
}

# A failed step does not keep the next ones from running.
step() {
    printf '\ntest.sh: %s\n' "$*"
    { "$@" 2>&1 || echo "test.sh: FAILED: $*"; } | tee -a "$log"
}

# Adds up the closing lines of cargo's test programs ("test result: ok. 3 passed; 0 failed; 1 ignored; …") and of the
# script tests ("3 passed, 0 failed").
sum_up() {
    awk '
        /^test result:/ { passed += $4; failed += $6; ignored += $8 }
        /^[0-9]+ passed, [0-9]+ failed$/ { passed += $1; failed += $3 }
        /^test\.sh: FAILED: / { steps++; print }
        END {
            printf "test.sh: %d passed, %d failed, %d ignored; failed steps: %d\n", passed, failed, ignored, steps
            exit failed > 0 || steps > 0
        }
    ' "$log"
}

main
