#!/bin/sh
# Fuzzes every target (or those named) for a while, several at a time.
#
# usage: fuzz/run.sh [SECONDS [TARGET...]]
#
# SECONDS is the time of each target, 60 when left out; 0 builds the targets and
# ends. The variable FUZZ_JOBS says how many run at a time, 2 when it is not set. Stops with an error when
# an input breaks a target; the input is then in fuzz/artifacts. With 75 when
# cargo-fuzz cannot be installed.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
jobs=${FUZZ_JOBS:-2}
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
# Clang brings the fuzzing engine, which takes a minute to compile otherwise.
engine=$(clang -print-file-name=libclang_rt.fuzzer-x86_64.a 2>/dev/null) || engine=
[ ! -f "$engine" ] || export CUSTOM_LIBFUZZER_PATH="$engine"
# In folders of their own, which no other build waits for.
fuzz() { CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/fuzz cargo $toolchain fuzz "$@"; }

command -v cargo-fuzz >/dev/null ||
    env -u CARGO_TARGET_DIR cargo install --quiet --locked --debug --version 0.13.2 cargo-fuzz ||
    exit 75
fuzz build
[ "$seconds" -ne 0 ] || exit 0
make --silent library
"${CARGO_TARGET_DIR:-target}/debug/examples/fuzz-seeds"
[ $# -ne 0 ] || set -- $(fuzz list)

# An input may take 30 seconds and 2 GiB; both are far more than any needs.
run() {
    fuzz run "$1" -- -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 \
        -max_len=131072 -print_final_stats=1 >"fuzz/artifacts/$1.log" 2>&1
}

mkdir -p fuzz/artifacts
failed=
started=
collect() {
    for each in $started; do
        wait "${each#*:}" || failed="$failed ${each%:*}"
    done
    started=
}
count=0
for target; do
    run "$target" &
    started="$started $target:$!"
    count=$((count + 1))
    [ $((count % jobs)) -ne 0 ] || collect
done
collect
for target in $failed; do
    echo "fuzz: $target failed" >&2
    tail -40 "fuzz/artifacts/$target.log" >&2
done
[ -z "$failed" ]
