//! What the library exports, what the header declares, and what the tests call.

use std::{collections::BTreeSet, fs, process::Command};

use crate::{c_files, header_functions, root, toolchain};

#[test]
fn exports_are_the_functions_of_the_header() {
    let library = toolchain::library_directory().join("libwinvmi.so");
    let symbols = toolchain::run(
        Command::new("nm")
            .arg("-D")
            .arg("--defined-only")
            .arg(library),
    );
    let exported: BTreeSet<_> = String::from_utf8(symbols.stdout)
        .unwrap()
        .lines()
        .filter_map(|line| line.split(' ').next_back())
        .map(str::to_owned)
        .collect();
    let declared: BTreeSet<_> = header_functions().into_iter().collect();
    let missing: Vec<_> = declared.difference(&exported).collect();
    let extra: Vec<_> = exported.difference(&declared).collect();
    assert!(missing.is_empty(), "declared, not exported: {missing:?}");
    assert!(extra.is_empty(), "exported, not declared: {extra:?}");
}

#[test]
fn every_function_is_called_by_a_c_test() {
    let programs: String = c_files("tests/c")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let untested: Vec<_> = header_functions()
        .into_iter()
        .filter(|name| !programs.contains(&format!("{name}(")))
        .collect();
    assert!(untested.is_empty(), "no C test calls {untested:?}");
}

/// The name in the last error is the name of the function.
#[test]
fn functions_give_their_own_names() {
    for entry in root().join("src/capi").read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let text = text.replace("pub unsafe extern", "pub extern");
        for function in text.split("pub extern \"C\" fn ").skip(1) {
            let name = function.split(['(', '<']).next().unwrap();
            let body = function.split("\n}\n").next().unwrap();
            let given = body.split("Call::new(c\"").nth(1);
            if let Some(given) = given.and_then(|rest| rest.split('"').next()) {
                assert_eq!(given, name);
            }
        }
    }
}
