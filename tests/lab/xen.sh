#!/bin/bash
# usage: tests/lab/xen.sh [CHECK...]
#
# The proof on a real Xen, on any Debian machine and without hardware
# virtualisation: prints one line per check and "N passed, M failed" at the end.
# A run that fails shows the consoles of the emulated machines.
#   CHECK    only these checks of the proof on the Windows guest (see proof/main.c)
#   LAYOUTS  its layouts (win7-7601 win11-22000)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

"$LAB/sysroot.sh"
"$LAB/build.sh"
"$LAB/cargo.sh" build --quiet --no-default-features --features xen --example xen_driver_check
"$LAB/proof.sh"

export LAB_TIMEOUT=${LAB_TIMEOUT:-900}
rm -f "$WORK"/console-*

# Boots one machine, in the background: two of them keep two processors busy.
machines=()
machine() {
    local name=$1
    shift
    LAB_BOOT=$name "$LAB/lab.sh" "$@" > "$WORK/console-$name" &
    machines+=("$!")
}

if [ $# = 0 ]; then
    machine driver "$LAB/scenario.sh" "$WORK"/{guest.elf,guest.cfg,symbols,probe,limits} \
        "$PROJECT/target/debug/examples/xen_driver_check"
fi
for layout in ${LAYOUTS:-win7-7601 win11-22000}; do
    { echo "LAYOUT=$layout CHECKS='$*'"; cat "$LAB/proof-scenario.sh"; } > "$WORK/proof-of-$layout"
    machine "$layout" "$WORK/proof-of-$layout" "$WORK"/{proof,limits} "$WORK/$layout".{elf,map,json.xz}
done
status=0
for process in "${machines[@]}"; do wait "$process" || status=$?; done

cat "$WORK"/console-* | grep -aE '^(PASS|FAIL) ' > "$WORK/checks" || true
passed=$(grep -c '^PASS' "$WORK/checks" || true)
failed=$(grep -c '^FAIL' "$WORK/checks" || true)
cat "$WORK/checks"
if [ "$status" != 0 ] || [ "$passed" = 0 ]; then
    failed=$((failed + 1))
    echo "FAIL lab: a scenario did not come to its end (status $status)"
fi
[ "$failed" = 0 ] || tail -n +1 "$WORK"/console-*
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
