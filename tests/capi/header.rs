//! The header in every language, alone and beside others.

use std::{fs, path::Path};

use crate::{
    root,
    toolchain::{LANGUAGES, compilers},
};

/// Headers that define macros with short names, or that others complained about.
const NEIGHBOURS: [&str; 6] = [
    "termcap.h",
    "sys/reg.h",
    "X11/Xlib.h",
    "X11/Xutil.h",
    "windows.h",
    "curses.h",
];

fn check(name: &str, text: &str) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let source = directory.join(format!("{name}.c"));
    fs::write(&source, text).unwrap();
    for compiler in compilers() {
        for language in LANGUAGES {
            compiler.check(language, &source, &root().join("include"));
        }
    }
}

#[test]
fn compiles_alone_and_twice() {
    check(
        "alone",
        "#include <winvmi.h>\n#include <winvmi.h>\nint main(void) { return WVMI_OK; }\n",
    );
}

#[test]
fn compiles_beside_others_in_either_order() {
    let guarded =
        |header: &str| format!("#if __has_include(<{header}>)\n#include <{header}>\n#endif\n");
    let others: String = NEIGHBOURS.iter().map(|header| guarded(header)).collect();
    check(
        "before",
        &format!("{others}#include <winvmi.h>\nint main(void) {{ return 0; }}\n"),
    );
    check(
        "after",
        &format!("#include <winvmi.h>\n{others}int main(void) {{ return 0; }}\n"),
    );
}
