#!/bin/bash
# usage: tests/lab/xen.sh
#
# The proof on a real Xen, on any Debian machine and without hardware
# virtualisation: prints one line per check and "N passed, M failed" at the end.
# A run that fails shows the console of the emulated machine.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

"$LAB/sysroot.sh"
"$LAB/build.sh"
"$LAB/cargo.sh" build --quiet --no-default-features --features xen --example xen_driver_check

PROGRAMS=("$WORK"/{guest.elf,guest.cfg,symbols,probe,limits} "$PROJECT/target/debug/examples/xen_driver_check")
status=0
"$LAB/lab.sh" "$LAB/scenario.sh" "${PROGRAMS[@]}" > "$WORK/console" || status=$?
grep -aE '^(PASS|FAIL) ' "$WORK/console" > "$WORK/checks" || true
passed=$(grep -c '^PASS' "$WORK/checks" || true)
failed=$(grep -c '^FAIL' "$WORK/checks" || true)
cat "$WORK/checks"
if [ "$status" != 0 ] || [ "$passed" = 0 ]; then
    failed=$((failed + 1))
    echo "FAIL lab: the scenario did not come to its end (status $status)"
fi
[ "$failed" = 0 ] || { echo "--- console"; cat "$WORK/console"; echo "---"; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
