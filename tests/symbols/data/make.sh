#!/bin/sh
# Makes sample.pdb from sample.c (clang and lld of LLVM 14 or later). Another
# compiler gives another GUID: put it into tests/symbols/pdb.rs
# (llvm-pdbutil dump -summary sample.pdb).
set -e
here=$(cd "$(dirname "$0")" && pwd)
folder=/tmp/sample-pdb # paths go into the file: the same one each time
mkdir "$folder"
trap 'rm -r "$folder"' EXIT
cp "$here/sample.c" "$folder"
cd "$folder"
clang --target=x86_64-pc-windows-msvc -g -gcodeview -O1 -c sample.c -o sample.obj
lld-link /dll /debug /nodefaultlib /entry:DllMain /Brepro /export:PublicFunction \
    /out:sample.dll /pdb:sample.pdb sample.obj
cp sample.pdb "$here"
