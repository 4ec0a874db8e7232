#!/bin/sh
# Fuzzes every target (or those named) for a while, two at a time.
#
# usage: fuzz/run.sh [SECONDS [TARGET...]]
#
# SECONDS is the time of each target, 60 when left out. Stops with an error when
# an input breaks a target; the input is then in fuzz/artifacts.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# -eq 0 ] || shift

# Sanitizers are unstable options of the compiler. Stable toolchains carry the
# run time of the address sanitizer too, and take the options when told to.
if rustup run nightly rustc --version >/dev/null 2>&1; then
    toolchain=+nightly
else
    echo "fuzz: no nightly toolchain, using the stable one with RUSTC_BOOTSTRAP=1" >&2
    toolchain=
    export RUSTC_BOOTSTRAP=1
fi
fuzz() { cargo $toolchain fuzz "$@"; }

command -v cargo-fuzz >/dev/null || cargo install --quiet --locked --debug --version 0.13.2 cargo-fuzz
cargo run --quiet --example fuzz-seeds
[ $# -ne 0 ] || set -- $(fuzz list)
fuzz build

# An input may take 10 seconds and 2 GiB; both are far more than any needs.
run() {
    fuzz run "$1" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=131072 -print_final_stats=1 >"fuzz/artifacts/$1.log" 2>&1
}

mkdir -p fuzz/artifacts
failed=
while [ $# -gt 0 ]; do
    first=$1 second=${2:-}
    shift
    [ $# -eq 0 ] || shift
    run "$first" & pid=$!
    if [ -n "$second" ]; then run "$second" || failed="$failed $second"; fi
    wait $pid || failed="$failed $first"
done
for target in $failed; do
    echo "fuzz: $target failed" >&2
    tail -40 "fuzz/artifacts/$target.log" >&2
done
[ -z "$failed" ]
