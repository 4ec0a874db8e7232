//! The programs of `tests/c`, compiled in every language and run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use winvmi_forge::Layout;

use crate::{
    c_files,
    forged::Forged,
    root,
    toolchain::{self, Compiler, LANGUAGES, Language, Linkage, compilers, for_each_at_once},
};

/// The languages that a source can be compiled in.
fn languages(source: &Path) -> impl Iterator<Item = Language> {
    let any = source.extension().is_some_and(|it| it == "c");
    LANGUAGES
        .into_iter()
        .filter(move |language| any || *language == Language::Cpp("-std=c++17"))
}

fn newest(source: &Path) -> Language {
    languages(source).last().unwrap()
}

/// Builds a program for a test, which alone writes and runs that file.
fn build(
    test: &str,
    compiler: Compiler,
    language: Language,
    linkage: Linkage,
    source: &Path,
) -> PathBuf {
    let forged = Forged::get();
    let name = source.file_stem().unwrap().to_str().unwrap();
    let name = format!("{name}-{}-{test}", compiler.c);
    let program = forged.directory().join(name);
    compiler.build(language, linkage, (source, forged.directory(), &program));
    program
}

/// Runs a program on the forged guest.
fn run(command: Command) {
    run_on(Forged::get(), command);
}

fn run_on(forged: &Forged, mut command: Command) {
    command.arg(forged.dump()).arg(forged.symbols());
    command.env("XDG_CACHE_HOME", forged.directory());
    if std::env::var_os("WINVMI_SHARED").is_none() {
        // Programs run elsewhere: what lies beside the project is named in full.
        let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
        command.env("WINVMI_SHARED", shared);
    }
    toolchain::run(&mut command);
}

#[test]
fn compile_in_every_language() {
    let forged = Forged::get();
    for_each_at_once(&c_files("tests/c"), |source| {
        for compiler in compilers() {
            for language in languages(source) {
                compiler.check(language, source, forged.directory());
            }
        }
    });
}

#[test]
fn pass_with_the_shared_library() {
    for_each_at_once(&c_files("tests/c"), |source| {
        for (index, compiler) in compilers().into_iter().enumerate() {
            let language = languages(source).next().unwrap();
            let program = build("shared", compiler, language, Linkage::Shared, source);
            let mut command = Command::new(program);
            if index == 0 {
                command.env("WINVMI_EVERY_CASE", "1");
            }
            run(command);
        }
    });
}

/// Programs about what differs from Windows to Windows.
const LAYOUT_PROGRAMS: [&str; 6] = [
    "block",
    "job",
    "namespace",
    "token",
    "typed_object",
    "user_module",
];

#[test]
fn pass_on_every_layout() {
    let compiler = compilers()[0];
    for layout in Layout::ALL {
        let forged = Forged::of(layout);
        for_each_at_once(&LAYOUT_PROGRAMS, |name| {
            let source = root().join("tests/c").join(name).with_extension("c");
            let program = forged.directory().join(name);
            let language = languages(&source).next().unwrap();
            compiler.build(
                language,
                Linkage::Shared,
                (&source, forged.directory(), &program),
            );
            run_on(&forged, Command::new(program));
        });
        fs::remove_dir_all(forged.directory()).unwrap();
    }
}

#[test]
fn pass_with_the_static_library() {
    let compiler = compilers()[0];
    for_each_at_once(&c_files("tests/c"), |source| {
        run(Command::new(build(
            "static",
            compiler,
            newest(source),
            Linkage::Static,
            source,
        )));
    });
}

#[test]
fn pass_under_valgrind() {
    if !toolchain::is_installed("valgrind") {
        println!("skipped: valgrind is not installed");
        return;
    }
    let compiler = compilers()[0];
    for_each_at_once(&c_files("tests/c"), |source| {
        let language = languages(source).next().unwrap();
        let program = build("valgrind", compiler, language, Linkage::Shared, source);
        let mut command = Command::new("valgrind");
        command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
        command.args([
            "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite",
            "--fair-sched=yes",
        ]);
        command.arg(program);
        run(command);
    });
}
