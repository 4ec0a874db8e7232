#!/bin/bash
# Builds the lab's guest and its C programs with the sysroot's compiler, into $WORK.
#   guest.elf    the guest
#   probe        asks Xen what docs/XEN.md states
#   limits       tells what a client may have left changed
#   symbols      guest physical addresses: hot vars lazy_table after_int3
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

BUILD=$SYSROOT/lab-build
rm -rf "$BUILD"
mkdir -p "$BUILD" "$WORK"
cp -r "$LAB"/{guest,probe,limits} "$BUILD/"
in_sysroot bash -euc '
    cd /lab-build
    gcc -c guest/guest.S -o guest.o
    ld -T guest/guest.ld -z noexecstack --no-warn-rwx-segments guest.o -o guest.elf
    nm guest.elf > guest.nm
    mkdir bin
    gcc -std=gnu11 -O1 -Wall -Wextra -Werror -Iguest -o bin/probe probe/*.c \
        -lxenctrl -lxenevtchn -lxenforeignmemory -lxendevicemodel
    gcc -std=gnu11 -O1 -Wall -Wextra -Werror -o bin/limits limits/*.c -lxenctrl'
address() { sed -n "s/^0*\([0-9a-f]*\) . $1\$/\1/p" "$BUILD/guest.nm"; }
echo "$(address hot) $(address vars) $(address lazy_table) $(address after_int3)" > "$WORK/symbols"
cp "$BUILD"/{guest.elf,guest/guest.cfg,bin/probe,bin/limits} "$WORK/"
