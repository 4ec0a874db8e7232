#!/bin/bash
# usage: image.sh SCENARIO [FILE...]
#
# Makes the ISO that the lab boots: GRUB, Xen, a dom0 kernel and an initramfs
# with Xen's tools. SCENARIO is the shell script that dom0 runs, the FILEs lie
# beside it in /lab; what a program among them links to comes along.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/common.sh"

scenario=$1
shift
TOOLS=(xl xenstored xenconsoled xen-init-dom0 libxl-save-helper)
TOOLS_DIR=/usr/lib/xen-$XEN_VERSION/bin
MODULES=(xen-evtchn xen-privcmd xen-gntdev xen-gntalloc xenfs/xenfs)
LIBS=/lib/x86_64-linux-gnu
KERNEL=$(basename "$(find "$SYSROOT/usr/lib/modules" -mindepth 1 -maxdepth 1 -name '*-amd64' ! -name '*cloud*')")

BUILD=$BOOT_DIR
ROOT=$BUILD/root
rm -rf "$BUILD"
mkdir -p "$ROOT"/{bin,lab,modules,dev,proc,sys,run,tmp,etc/xen,lib64,var/lib,"$LIBS","$TOOLS_DIR"} "$BUILD/iso/boot/grub"
ln -s "xen-$XEN_VERSION" "$ROOT/usr/lib/xen"

cp "$SYSROOT/usr/bin/busybox" "$ROOT/bin/"
ln -s busybox "$ROOT/bin/sh"
install -m 755 "$LAB/dom0/init" "$ROOT/init"
cp "$scenario" "$ROOT/lab/scenario"
[ $# = 0 ] || cp "$@" "$ROOT/lab/"
for tool in "${TOOLS[@]}"; do cp "$SYSROOT$TOOLS_DIR/$tool" "$ROOT$TOOLS_DIR/"; done
for module in "${MODULES[@]}"; do
    xz -dc "$SYSROOT/usr/lib/modules/$KERNEL/kernel/drivers/xen/$module.ko.xz" > "$ROOT/modules/${module##*/}.ko"
done

# pthread_cancel loads libgcc_s at run time, ldd does not tell.
libraries() {
    echo "$LIBS/libgcc_s.so.1"
    in_sysroot bash -c 'for file; do ldd "$file" 2>/dev/null; done; true' ldd \
        "${TOOLS[@]/#//$BOOT/root$TOOLS_DIR/}" "${@/#//$BOOT/root/lab/}" | grep -o '/[^ ]*\.so[^ ]*'
}
programs=("$@")
libraries "${programs[@]##*/}" | sort -u | while read -r library; do
    cp -L "$SYSROOT$library" "$ROOT$library"
done

: > "$ROOT/etc/xen/xl.conf"
echo 'root:x:0:0::/:/bin/sh' > "$ROOT/etc/passwd"
mknod "$ROOT/dev/console" c 5 1
mknod "$ROOT/dev/null" c 1 3
cp "$SYSROOT/boot/vmlinuz-$KERNEL" "$BUILD/iso/boot/vmlinuz"
gzip -dc "$SYSROOT/boot/xen-$XEN_VERSION-amd64.gz" > "$BUILD/iso/boot/xen"
cp "$LAB/dom0/grub.cfg" "$BUILD/iso/boot/grub/"
sed "s#@BOOT@#/$BOOT#" "$LAB/dom0/bochsrc" > "$BUILD/bochsrc"

in_sysroot BOOT="$BOOT" bash -euc '
    set -o pipefail
    cd "/$BOOT/root"
    find . | cpio -o -H newc --quiet > ../iso/boot/initrd
    cd ..
    grub-mkrescue -o lab.iso iso --locales= --fonts= --themes= \
        --install-modules="multiboot2 iso9660 biosdisk serial normal echo terminal" \
        --modules="multiboot2 iso9660 serial normal echo"' > "$BUILD/image.log" 2>&1 ||
    { tail -20 "$BUILD/image.log" >&2; die "the ISO could not be made"; }
