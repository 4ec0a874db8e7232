# Shared by the lab's scripts: where things are kept, and how the lab talks.
# shellcheck shell=bash

LAB=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
PROJECT=$(readlink -f "$LAB/../..")

# Unpacked packages outlive a checkout: they are 1.5 GB and never change.
CACHE=${WINVMI_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/winvmi-lab}
SYSROOT=$CACHE/sysroot
WORK=${WINVMI_LAB_WORK:-$PROJECT/target/lab}

# Where cargo.sh builds.
LAB_TARGET=${WINVMI_LAB_TARGET:-$WORK/cargo}

# What one emulated machine boots; machines that run side by side have one each.
BOOT=boot-${LAB_BOOT:-lab}
BOOT_DIR=$SYSROOT/$BOOT

XEN_VERSION=4.20
DEBIAN_RELEASE=trixie

note() { printf 'lab: %s\n' "$*" >&2; }
die() { printf 'lab: %s\n' "$*" >&2; exit 1; }

in_sysroot() { chroot "$SYSROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"; }
