#!/bin/bash
# usage: cargo.sh ARGUMENT...
#
# Runs cargo so that what it builds with the feature `xen` links to the sysroot's
# Xen libraries, whatever this machine has. Such programs run in dom0. They have a
# folder of their own, $LAB_TARGET: cargo gives a library of other features the same
# name, and takes either for the other. (WINVMI_LAB_TARGET names another folder, for
# who sees to that.)
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

"$LAB/sysroot.sh"
LIBRARIES=$WORK/xen-libs
rm -rf "$LIBRARIES"
mkdir -p "$LIBRARIES"
# Only these: the sysroot's C library is not this machine's.
for name in xenctrl xendevicemodel xenevtchn xenforeignmemory xenstore; do
    ln -s "$SYSROOT/usr/lib/x86_64-linux-gnu/lib$name.so" "$LIBRARIES/"
done
cd "$PROJECT"
export CARGO_TARGET_DIR=$LAB_TARGET
XEN_SYS_USE_BINDINGS=1 WINVMI_XEN_LIBS=$LIBRARIES exec nice -n 10 cargo "$@"
