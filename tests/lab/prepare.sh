#!/bin/bash
# Builds all that xen.sh boots, into $WORK.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

"$LAB/sysroot.sh"
"$LAB/build.sh"
# Optimised: an emulated processor runs it.
"$LAB/cargo.sh" build --quiet --release --features lab --lib --bin xen_driver_check
cp "$LAB_TARGET/release/xen_driver_check" "$WORK/"
"$LAB/proof.sh"
