//! The C API as C and C++ programs see it.
//!
//! `tests/c` holds the programs. They are compiled against the committed header
//! and run against the library that this package builds, on a guest that the
//! forge makes; `forged.h` tells them what is in it.

mod examples;
mod exports;
mod forged;
mod header;
#[path = "../support/images.rs"]
#[allow(
    dead_code,
    reason = "the files alone are used, not what they are made of"
)]
mod images;
mod programs;
mod samples;
mod toolchain;

use std::path::{Path, PathBuf};

/// The package's directory.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The C files in a directory of the package, in order of their names.
fn c_files(directory: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = root()
        .join(directory)
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "c" || it == "cpp"))
        .collect();
    files.sort();
    files
}

/// Names of the functions that the header declares, in order.
fn header_functions() -> Vec<String> {
    let header = std::fs::read_to_string(root().join("include/winvmi.h")).unwrap();
    let mut functions: Vec<_> = header
        .lines()
        .filter(|line| !line.starts_with([' ', '#', '/', '}']) && !line.starts_with("typedef"))
        .filter_map(|line| line.split_once('('))
        .filter_map(|(head, _)| head.split([' ', '*']).next_back())
        .filter(|name| name.starts_with("wvmi_"))
        .map(str::to_owned)
        .collect();
    functions.sort();
    functions
}
