#!/bin/bash
# usage: tests/lab/examples.sh
#
# Runs the C examples for running guests, their plugins, `winvmi trace`, and a client
# that steps, watches the guest's own INT3 and makes views (client/), against the running Windows guest on Xen, and looks at what they print: one line
# per check, then "N passed, M failed". A run that fails shows dom0's console.
#   LAYOUT  its layout (win11-22000)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

LAYOUT=${LAYOUT:-win11-22000}
EXAMPLES=(breakpoint trace_files trace_calls memory_watch own_loop plugin_host)
PLUGINS=(file_tracer process_monitor)
# Ticks of 10 ns that a processor of the guest sleeps between iterations: two that
# never sleep leave dom0 little of the emulated machine.
PACE=2000000
# Not the integrity checker: each of its reads of a hooked page is an event.
ACTORS=user,wow64,lifecycle

"$LAB/sysroot.sh"
cd "$PROJECT"
# Optimised: an emulated processor runs it. As xen.sh has it built.
"$LAB/cargo.sh" build --quiet --release --features xen --lib --bin winvmi
make --silent library
target=${CARGO_TARGET_DIR:-target}

declare -A symbols=(
    [win7-7601]=339E74133576439CBCDF7E0229DA3773-1
    [win11-22000]=9AA3518467E0D28B53CB63E0A57118DE-1
)
OUT=$WORK/examples
rm -rf "$OUT"
mkdir -p "$OUT"
"$target/debug/forge" --layout "$LAYOUT" --format pvh --pace "$PACE" --actors "$ACTORS" --running "$OUT/guest.json" "$OUT/guest.elf"
cp "tests/profiles/windows/ntkrnlmp.pdb/${symbols[$LAYOUT]}.json.xz" "$OUT/guest.json.xz"

BUILD=$SYSROOT/examples-build
rm -rf "$BUILD"
mkdir -p "$BUILD"
cp -r c-examples "$LAB/client" include/winvmi.h "$LAB_TARGET/release/libwinvmi.so" "$BUILD/"
in_sysroot EXAMPLES="${EXAMPLES[*]}" PLUGINS="${PLUGINS[*]}" bash -euc '
    cd /examples-build
    build() { gcc -std=c99 -O2 -g -Wall -Wextra -Wpedantic -Werror -I. "$@" -L. -lwinvmi -Wl,--allow-shlib-undefined; }
    for name in $EXAMPLES; do build c-examples/$name.c -o $name -pthread -ldl; done
    build client/client.c -o client-program
    for name in $PLUGINS; do build -shared -fPIC c-examples/plugins/$name.c -o $name.so; done
    cp libwinvmi.so stripped.so
    strip -d stripped.so'
for name in "${EXAMPLES[@]}" "${PLUGINS[@]/%/.so}"; do mv "$BUILD/$name" "$OUT/"; done
mv "$BUILD/client-program" "$OUT/client"
mv "$BUILD/stripped.so" "$OUT/libwinvmi.so"
cp "$LAB_TARGET/release/winvmi" "$OUT/winvmi"
strip -d "$OUT/winvmi"
"$LAB/build.sh"
cp "$WORK/limits" "$OUT/"

export LAB_TIMEOUT=${LAB_TIMEOUT:-600} LAB_BOOT=examples
status=0
"$LAB/lab.sh" "$LAB/examples-scenario.sh" "$OUT"/* > "$WORK/console-examples" || status=$?
grep -aE '^(PASS|FAIL) ' "$WORK/console-examples" > "$OUT/checks" || true
cat "$OUT/checks"
passed=$(grep -c '^PASS' "$OUT/checks" || true)
failed=$(grep -c '^FAIL' "$OUT/checks" || true)
if [ "$status" != 0 ] || [ "$passed" = 0 ]; then
    failed=$((failed + 1))
    echo "FAIL examples: the scenario did not come to its end (status $status)"
fi
[ "$failed" = 0 ] || cat "$WORK/console-examples"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
