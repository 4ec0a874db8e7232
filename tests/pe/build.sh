#!/bin/sh
# Rebuilds the sample DLLs and what objdump says about them.
# Needs clang, lld-link, llvm-dlltool and GNU objdump. The PDBs' GUIDs differ from
# build to build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here"/sample.c "$here"/*.def "$work"
cd "$work"

build() { # name, target, dlltool machine, lld machine
    for library in kernel32 other; do
        llvm-dlltool -m "$3" -d $library.def -l $library.lib
    done
    clang -target "$2" -O1 -ffreestanding -fasynchronous-unwind-tables -gcodeview \
        -fdebug-compilation-dir=. -c sample.c -o sample.obj
    lld-link -dll -machine:"$4" -entry:DllMain -nodefaultlib -def:sample.def -debug \
        -osversion:10.0 -version:3.4 -pdb:"$1.pdb" -pdbaltpath:"C:\\build\\$1.pdb" \
        -out:"$1.dll" sample.obj kernel32.lib other.lib
    objdump -p "$1.dll" > "$1.txt"
    install -m 644 "$1.dll" "$1.txt" "$here"
}

build sample_x64 x86_64-pc-windows-msvc i386:x86-64 x64
build sample_x86 i686-pc-windows-msvc i386 x86
