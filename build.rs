//! Names the shared library as its installer wishes, and links the Xen libraries
//! where nobody else does.
//!
//! `WINVMI_SONAME` is the SONAME; without it there is none, for a library that
//! is used where it was built.
//!
//! With `XEN_SYS_USE_BINDINGS` set, the bindings' crate takes its shipped bindings
//! and asks no pkg-config; then this script names the libraries.
//! `WINVMI_XEN_LIBS` is a directory that holds them, for machines whose own Xen
//! libraries are older than 4.20 or absent.

use std::env;

const LIBRARIES: [&str; 5] = [
    "xenctrl",
    "xendevicemodel",
    "xenevtchn",
    "xenforeignmemory",
    "xenstore",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=WINVMI_SONAME");
    if let Some(name) = env::var("WINVMI_SONAME").ok().filter(|it| !it.is_empty()) {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{name}");
    }
    println!("cargo::rerun-if-env-changed=XEN_SYS_USE_BINDINGS");
    println!("cargo::rerun-if-env-changed=WINVMI_XEN_LIBS");
    let wanted = env::var_os("CARGO_FEATURE_XEN").is_some();
    if !wanted || env::var_os("XEN_SYS_USE_BINDINGS").is_none() {
        return;
    }
    if let Ok(directory) = env::var("WINVMI_XEN_LIBS") {
        println!("cargo::rustc-link-search=native={directory}");
        // Their own dependencies are found where the program runs, not here.
        println!("cargo::rustc-link-arg=-Wl,--allow-shlib-undefined");
    }
    for library in LIBRARIES {
        println!("cargo::rustc-link-lib=dylib={library}");
    }
}
