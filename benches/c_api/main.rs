//! `cargo bench --bench c_api`: what a call of the C API costs.
//!
//! Forges the images, compiles the C program beside this file against the
//! committed header, links it with the shared library as any C program would
//! be, and runs it. See `benches/README.md`.

mod images;
mod program;

use std::{path::Path, process::ExitCode};

use images::Images;

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let run = Images::forge(folder).and_then(|images| {
        let program = program::build(folder)?;
        program::run(&program, &images)
    });
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("c_api: {error}");
            ExitCode::FAILURE
        }
    }
}
