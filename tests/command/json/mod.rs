//! Every command's JSON on every layout, value by value: what the forge placed, and
//! no value that is not looked at.

mod kernel;
mod objects;
mod processes;
mod user;

use std::{collections::BTreeSet, sync::OnceLock};

use serde_json::{Map, Value};
use winvmi_forge::Layout;

use super::forged::Forged;

/// Commands that need a running guest; `tests/lab` has some.
const LIVE: [&str; 1] = ["trace"];

/// The standard guest of each layout, written once for all tests.
fn each_layout(check: impl Fn(&Forged)) {
    static FORGED: [OnceLock<Forged>; Layout::ALL.len()] =
        [const { OnceLock::new() }; Layout::ALL.len()];
    for (layout, forged) in Layout::ALL.into_iter().zip(&FORGED) {
        let name = format!("json-{layout:?}.dmp");
        check(forged.get_or_init(|| Forged::of(layout, &name, |_| ())));
    }
}

/// The rows of a command that finds everything.
fn rows(forged: &Forged, command: &str, arguments: &[&str]) -> Vec<Map<String, Value>> {
    let (rows, code) = forged.rows(command, arguments);
    assert_eq!(code, Some(0), "{command}");
    let row = |row: Value| match row {
        Value::Object(row) => row,
        other => panic!("{command} printed {other}"),
    };
    rows.into_iter().map(row).collect()
}

/// An address as all commands print it.
fn hex(address: u64) -> Value {
    format!("{address:#x}").into()
}

/// As [`hex`], of what may be missing.
fn hex_or_null(address: u64) -> Value {
    match address {
        0 => Value::Null,
        address => hex(address),
    }
}

/// Checks a row: the values that the forge knows, and that there are no others
/// than those of `unplaced`, about which it says nothing.
fn check(row: &Map<String, Value>, placed: Value, unplaced: &[&str]) {
    let Value::Object(placed) = placed else {
        panic!("{placed}");
    };
    for (name, value) in &placed {
        assert_eq!(row.get(name), Some(value), "{name} of {row:?}");
    }
    let known = placed.keys().map(String::as_str);
    let known: BTreeSet<&str> = known.chain(unplaced.iter().copied()).collect();
    let printed: BTreeSet<&str> = row.keys().map(String::as_str).collect();
    assert_eq!(printed, known);
}

#[test]
fn no_command_is_left_out() {
    let checked: BTreeSet<&str> = [
        kernel::COMMANDS.as_slice(),
        objects::COMMANDS.as_slice(),
        processes::COMMANDS.as_slice(),
        user::COMMANDS.as_slice(),
        LIVE.as_slice(),
    ]
    .concat()
    .into_iter()
    .collect();
    let help = Forged::help();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let (commands, _) = commands.split_once("\n\n").unwrap();
    // A name stands before its description, whose other lines are indented further.
    let names = commands.lines().filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let names: BTreeSet<&str> = names.filter(|name| *name != "help").collect();
    assert_eq!(names, checked);
}
