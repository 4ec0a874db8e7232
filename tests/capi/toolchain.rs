//! Compilers, and the library that programs are linked with.

use std::{
    env,
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::root;

/// A C and a C++ compiler of one make.
#[derive(Clone, Copy, Debug)]
pub struct Compiler {
    pub c: &'static str,
    pub cpp: &'static str,
}

const COMPILERS: [Compiler; 2] = [
    Compiler {
        c: "gcc",
        cpp: "g++",
    },
    Compiler {
        c: "clang",
        cpp: "clang++",
    },
];

/// A language standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    C(&'static str),
    Cpp(&'static str),
}

pub const LANGUAGES: [Language; 4] = [
    Language::C("-std=c99"),
    Language::C("-std=c11"),
    Language::Cpp("-std=c++11"),
    Language::Cpp("-std=c++17"),
];

const STRICT: [&str; 4] = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// How a program takes the library.
#[derive(Clone, Copy, Debug)]
pub enum Linkage {
    Shared,
    Static,
}

/// What the Rust standard library needs of the system.
const SYSTEM_LIBRARIES: [&str; 5] = ["-lgcc_s", "-lutil", "-lm", "-ldl", "-lpthread"];

/// The compilers of this machine; those that are absent are told.
pub fn compilers() -> Vec<Compiler> {
    let (present, absent): (Vec<_>, Vec<_>) = COMPILERS
        .into_iter()
        .partition(|compiler| is_installed(compiler.c) && is_installed(compiler.cpp));
    for compiler in absent {
        println!(
            "skipped: {} and {} are not installed",
            compiler.c, compiler.cpp
        );
    }
    assert!(!present.is_empty(), "no C compiler is installed");
    present
}

/// Can `program` be run?
pub fn is_installed(program: &str) -> bool {
    let version = Command::new(program).arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// The directory with `libwinvmi.so` and `libwinvmi.a`, built when needed.
pub fn library_directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        // Integration tests are linked with the rlib; the others may be missing or old.
        let mut build = Command::new(env!("CARGO"));
        // As the Makefile does, which keeps Cargo from building them with other features.
        build.args(["build", "--workspace", "--lib", "--bins", "--examples"]);
        build.current_dir(root());
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        run(&mut build);
        let program = env::current_exe().unwrap();
        program.ancestors().nth(2).unwrap().to_owned()
    })
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// Does `work` for each item, as many at a time as there are processors. Compilers
/// and valgrind use one each, and take longer than all other tests together.
pub fn for_each_at_once<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let take = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(take);
        }
    });
}

impl Compiler {
    /// A strict compiler call for `source` in `language`.
    pub fn command(self, language: Language, source: &Path) -> Command {
        let (program, standard, kind) = match language {
            Language::C(standard) => (self.c, standard, "c"),
            Language::Cpp(standard) => (self.cpp, standard, "c++"),
        };
        let mut command = Command::new(program);
        command
            .arg(standard)
            .args(STRICT)
            .arg("-pthread")
            .arg(format!("-I{}", root().join("include").display()))
            .args(["-x", kind])
            .arg(source)
            .args(["-x", "none"]);
        command
    }

    /// Compiles `source` without making anything of it.
    pub fn check(self, language: Language, source: &Path, include: &Path) {
        let mut command = self.command(language, source);
        run(command
            .arg(format!("-I{}", include.display()))
            .arg("-fsyntax-only"));
    }

    /// Compiles and links `source` to `program`.
    pub fn build(
        self,
        language: Language,
        linkage: Linkage,
        (source, include, program): (&Path, &Path, &Path),
    ) {
        let library = library_directory();
        let mut command = self.command(language, source);
        command
            .arg(format!("-I{}", include.display()))
            .args(["-g", "-o"])
            .arg(program);
        match linkage {
            Linkage::Shared => {
                command.arg(library.join("libwinvmi.so"));
                command.arg(format!("-Wl,-rpath,{}", library.display()));
            }
            Linkage::Static => {
                command.arg(library.join("libwinvmi.a"));
                command.args(SYSTEM_LIBRARIES);
            }
        }
        run(&mut command);
    }
}
