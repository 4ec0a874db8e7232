#!/bin/bash
# usage: lab.sh SCENARIO [FILE...]
#
# Boots Bochs -> Xen -> dom0 and runs the shell script SCENARIO there, with the
# FILEs beside it in /lab. Prints dom0's console; succeeds when the scenario
# came to its end. Tried once more when Bochs hangs or Xen does not come up. Fails
# with 75 when there was too little time.
#   LAB_BOOT     name of the machine, where several run at a time
#   LAB_TIMEOUT  seconds of wall time per boot (default 280)
#   LAB_UNTIL    when it must have ended, in seconds since 1970
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

SERIAL=$BOOT_DIR/serial
LIMIT=${LAB_TIMEOUT:-280}
LEAST=60 # no boot comes up in less

# Seconds that a boot may take.
limit() {
    local now left
    now=$(date +%s)
    left=$((${LAB_UNTIL:-now + LIMIT} - now))
    echo $((left < LIMIT ? left : LIMIT))
}

emulate() {
    exec env SDL_VIDEODRIVER=dummy SDL_AUDIODRIVER=dummy timeout -k 5 "$(limit)" \
        nice -n 10 chroot "$SYSROOT" /usr/bin/bochs-bin -q -f "/$BOOT/bochsrc" \
        < /dev/null > "$BOOT_DIR/emulator.log" 2>&1
}

# Prints the console until the emulator ends; ends it when nothing can follow.
follow() {
    local emulator=$1 line
    tail -n +1 -s 0.2 -f --pid="$emulator" "$SERIAL" | while IFS= read -r line; do
        line=${line%$'\r'}
        printf '%s\n' "$line"
        case $line in
            *LAB-DONE*) sleep 1; kill "$emulator" 2>/dev/null || true ;;
            *"Panic on CPU"*|*"Kernel panic"*) sleep 2; kill "$emulator" 2>/dev/null || true ;;
        esac
    done
}

boot() {
    local emulator
    : > "$SERIAL"
    emulate &
    emulator=$!
    follow "$emulator"
    wait "$emulator" || true
    grep -q LAB-DONE "$SERIAL"
}

"$LAB/sysroot.sh"
mkdir -p "$CACHE"
exec 8> "$CACHE/lock-$BOOT"
flock 8                                # one emulator in a directory
"$LAB/image.sh" "$@"
boot && exit
[ "$(limit)" -gt "$LEAST" ] || exit 75
note "no end was reached, second and last try"
boot && exit
[ "$(limit)" -gt "$LEAST" ] || exit 75
exit 1
