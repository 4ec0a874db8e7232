#!/bin/bash
# Runs the unit tests of the Xen driver, with the sysroot's Xen libraries; they need no Xen.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

# Compiling is what takes time here, not running.
fast='profile.dev.package.winvmi.opt-level=0'
program=$("$LAB/cargo.sh" --config "$fast" test --quiet --no-run --lib --features lab --message-format json |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
cp "$program" "$SYSROOT/unit-tests"
in_sysroot /unit-tests driver::xen
