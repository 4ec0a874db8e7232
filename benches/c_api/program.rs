//! The C program: compiled by the system's compiler, linked with the cdylib.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use crate::images::{Images, MAPPED_BASE, MAPPED_PAGES, MAPPED_PROCESS};

const SOURCES: [&str; 7] = [
    "main.c",
    "bench.c",
    "floor.c",
    "memory.c",
    "objects.c",
    "table.c",
    "user.c",
];

/// Compiles the program into `folder`.
pub fn build(folder: &Path) -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = library_folder()?;
    let program = folder.join("c_api");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let status = Command::new(compiler)
        .args(["-std=gnu11", "-O2", "-Wall", "-Wextra", "-pthread"])
        .arg("-I")
        .arg(root.join("include"))
        .args(SOURCES.map(|name| root.join("benches/c_api").join(name)))
        .arg("-L")
        .arg(&library)
        .arg(format!("-Wl,-rpath,{}", library.display()))
        .arg("-lwinvmi")
        .arg("-o")
        .arg(&program)
        .status()?;
    succeeded("the C compiler", status)?;
    Ok(program)
}

/// Where Cargo puts the shared library of this profile.
fn library_folder() -> io::Result<PathBuf> {
    let executable = env::current_exe()?;
    let mut folders = executable.ancestors().skip(1);
    folders
        .find(|folder| folder.join("libwinvmi.so").exists())
        .map(Path::to_path_buf)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "libwinvmi.so was not built"))
}

/// Measures and prints.
pub fn run(program: &Path, images: &Images) -> io::Result<()> {
    let status = Command::new(program)
        .args([&images.full, &images.sparse, &images.symbols])
        .arg(MAPPED_PROCESS)
        .arg(format!("{MAPPED_BASE:#x}"))
        .arg(MAPPED_PAGES.to_string())
        // Cargo's has folders where an older library may be.
        .env_remove("LD_LIBRARY_PATH")
        .status()?;
    succeeded("the benchmark", status)
}

fn succeeded(what: &str, status: ExitStatus) -> io::Result<()> {
    match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("{what} failed: {status}"))),
    }
}
