//! Examples for running guests, on a guest that C programs play (`tests/c/examples`).

use std::process::Command;

use crate::{
    c_files,
    forged::Forged,
    toolchain::{self, LANGUAGES, Linkage, compilers, for_each_at_once},
};

#[test]
fn print_what_a_running_guest_does() {
    let forged = Forged::get();
    for_each_at_once(&c_files("tests/c/examples"), |source| {
        for compiler in compilers() {
            let name = source.file_stem().unwrap().to_str().unwrap();
            let program = forged.directory().join(format!("{name}-{}", compiler.c));
            let include = forged.directory();
            compiler.build(LANGUAGES[0], Linkage::Shared, (source, include, &program));
            let mut command = Command::new(&program);
            command.arg(forged.dump()).arg(forged.symbols());
            command.arg(program.with_extension("out"));
            command.env("XDG_CACHE_HOME", forged.directory());
            toolchain::run(&mut command);
        }
    });
}
