#!/bin/bash
# Unpacks the lab's Debian packages (Xen, a dom0 kernel, Bochs, a compiler, GRUB)
# into a directory of their own. Nothing is installed on this machine, no
# maintainer script runs. Does nothing when the tree is there already.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

PACKAGES=(
    base-files libc-bin bash coreutils sed grep tar findutils cpio xz-utils # a tree to chroot into
    "xen-hypervisor-$XEN_VERSION-amd64" "xen-utils-$XEN_VERSION" libxen-dev
    linux-image-amd64 busybox-static                                       # dom0 (the cloud kernel lacks XEN_DOM0)
    bochs bochs-sdl bochsbios vgabios
    gcc libc6-dev binutils                                                 # guest and probe
    grub-pc-bin grub-common xorriso mtools                                 # bootable ISO
)
STAMP="$DEBIAN_RELEASE $XEN_VERSION ${PACKAGES[*]}"

# The mirror that this machine's own apt uses for a suite that matches $1.
mirror() {
    apt-get indextargets --format '$(SUITE) $(REPO_URI)' |
        awk -v suite="$1" '$1 ~ suite { print $2; exit }'
}

# apt with its own lists, cache and (empty) package state.
private_apt() {
    apt-get -qq -y \
        -o Dir::Etc::sourcelist="$APT/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::State::lists="$APT/lists" \
        -o Dir::State::status="$APT/status" -o Dir::Cache="$APT/cache" \
        -o APT::Install-Recommends=false -o APT::Sandbox::User=root \
        -o APT::Get::List-Cleanup=false "$@"
}

write_sources() {
    local main security
    [ -n "$(mirror .)" ] || apt-get -qq update
    main=$(mirror '^(oldstable|stable|bookworm|trixie)$')
    security=$(mirror 'security$')
    mkdir -p "$APT"/{lists/partial,cache/archives/partial}
    : > "$APT/status"
    {
        echo "deb $main $DEBIAN_RELEASE main"
        echo "deb $main $DEBIAN_RELEASE-updates main"
        [ -z "$security" ] || echo "deb $security $DEBIAN_RELEASE-security main"
    } > "$APT/sources.list"
}

unpack() {
    local deb node
    mkdir -p "$TREE"
    # base-files first: it holds the links of the merged /usr.
    dpkg-deb -x "$APT"/cache/archives/base-files_*.deb "$TREE"
    for deb in "$APT"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$TREE"; done
    mkdir -p "$TREE"/{dev,proc,tmp}
    for node in null:1:3 zero:1:5 urandom:1:9; do
        IFS=: read -r name major minor <<< "$node"
        mknod -m 666 "$TREE/dev/$name" c "$major" "$minor"
    done
    ln -sf bash "$TREE/bin/sh"
    chroot "$TREE" /sbin/ldconfig
}

[ "$(cat "$SYSROOT/.stamp" 2>/dev/null)" != "$STAMP" ] || exit 0
[ "$(id -u)" = 0 ] || die "unpacking needs root (device nodes and chroot)"

APT=$CACHE/apt
TREE=$CACHE/sysroot.part
rm -rf "$TREE" "$SYSROOT"
write_sources
note "fetching packages"
private_apt update
private_apt install --download-only "${PACKAGES[@]}" > "$CACHE/apt.log" 2>&1 ||
    { tail -20 "$CACHE/apt.log" >&2; die "packages could not be fetched"; }
note "unpacking"
unpack
rm -rf "$APT"
echo "$STAMP" > "$TREE/.stamp"
mv "$TREE" "$SYSROOT"
note "sysroot ready: $SYSROOT, $(du -sm "$SYSROOT" | cut -f1) MB"
