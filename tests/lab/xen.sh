#!/bin/bash
# usage: tests/lab/xen.sh [--prepared] [CHECK...]
#
# The proof on a real Xen, on any Debian machine and without hardware
# virtualisation: prints one line per check and "N passed, M failed" at the end.
# A check on the Windows guest that fails is tried once more, and told as AGAIN. A run
# that fails shows the consoles of the emulated machines.
#   --prepared  prepare.sh has built everything
#   CHECK    only these checks of the proof on the Windows guest (see proof/main.c)
#   LAYOUTS  its layouts (win7-7601 win11-22000)
# Fails with 75 when no check failed but the end was not reached: LAB_UNTIL (see
# lab.sh) came first, or the emulator does not work here.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

case ${1:-} in
    --prepared) shift ;;
    *) "$LAB/prepare.sh" ;;
esac

export LAB_TIMEOUT=${LAB_TIMEOUT:-900}
rm -f "$WORK"/console-*

# One machine a layout, in the background: two of them keep two processors busy.
# The first one checks the driver, too.
machines=()
driver=()
if [ $# = 0 ]; then
    driver=("$WORK"/{guest.elf,guest.cfg,symbols,probe,xen_driver_check})
fi
for layout in ${LAYOUTS:-win7-7601 win11-22000}; do
    scenario=$WORK/scenario-$layout
    {
        [ ${#driver[@]} = 0 ] || cat "$LAB/scenario.sh"
        echo "LAYOUT=$layout CHECKS='$*'"
        cat "$LAB/proof-scenario.sh"
    } > "$scenario"
    LAB_BOOT=$layout "$LAB/lab.sh" "$scenario" "$WORK"/{proof,limits} "$WORK/$layout".{elf,map,json.xz} "${driver[@]}" \
        > "$WORK/console-$layout" &
    machines+=("$!")
    driver=()
done
status=0
for process in "${machines[@]}"; do wait "$process" || status=$?; done

cat "$WORK"/console-* | grep -aE '^(PASS|FAIL|AGAIN) ' > "$WORK/checks" || true
passed=$(grep -c '^PASS' "$WORK/checks" || true)
failed=$(grep -c '^FAIL' "$WORK/checks" || true)
cat "$WORK/checks"
again=$(grep -c '^AGAIN' "$WORK/checks" || true)
[ "$again" = 0 ] || echo "$again failed at the first of two tries (AGAIN)"
if ! grep -qs LAB-UP "$WORK"/console-*; then
    tail -n +1 "$WORK"/console-*
    echo "0 passed, 0 failed: the emulated machines do not come up here"
    exit 75
fi
if [ "$status" = 75 ] && [ "$failed" = 0 ]; then
    echo "$passed passed, 0 failed, the rest was not reached in time"
    exit 75
fi
if [ "$status" != 0 ] || [ "$passed" = 0 ]; then
    failed=$((failed + 1))
    echo "FAIL lab: a scenario did not come to its end (status $status)"
fi
[ "$failed" = 0 ] || tail -n +1 "$WORK"/console-*
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
