#!/bin/bash
# Builds what the proof on the running Windows guest needs, from the library that
# prepare.sh has built, into $WORK:
#   proof              the checks, through the C API
#   LAYOUT.elf         the guest, for each layout
#   LAYOUT.map         where its counters are
#   LAYOUT.json.xz     its kernel's symbols
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

cd "$PROJECT"
target=${CARGO_TARGET_DIR:-target}
make --silent library
guest() {
    "$target/debug/forge" --layout "$1" --format pvh --iterations 1 --running "$WORK/$1.json" "$WORK/$1.elf"
    python3 "$LAB/proof/map.py" "$WORK/$1.json" > "$WORK/$1.map"
    cp "tests/profiles/windows/ntkrnlmp.pdb/$2.json.xz" "$WORK/$1.json.xz"
}
guest win7-7601 339E74133576439CBCDF7E0229DA3773-1
guest win11-22000 9AA3518467E0D28B53CB63E0A57118DE-1

BUILD=$SYSROOT/proof-build
rm -rf "$BUILD"
mkdir -p "$BUILD"
cp -r "$LAB/proof" include/winvmi.h "$LAB_TARGET/release/libwinvmi.a" "$BUILD/"
in_sysroot "DEFINES=${DEFINES:-}" bash -euc '
    cd /proof-build
    gcc -std=gnu11 -O1 -g -Wall -Wextra -Wpedantic -Werror -I. $DEFINES -o proof-program proof/*.c libwinvmi.a \
        -lxenctrl -lxendevicemodel -lxenevtchn -lxenforeignmemory -lxenstore -lpthread -ldl -lm
    strip -d proof-program'
mv "$BUILD/proof-program" "$WORK/proof"
