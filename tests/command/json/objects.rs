//! The namespace, and what objects say by their types.

use serde_json::{Map, Value, json};
use winvmi_forge::{Expected, ExpectedObject};

use super::{check, each_layout, hex, rows};

/// Commands that are checked here.
pub const COMMANDS: [&str; 1] = ["objects"];

/// Types whose objects lie in the registry or behind devices, not in the namespace.
const ELSEWHERE: [&str; 2] = ["File", "Key"];

fn check_object(row: &Map<String, Value>, it: &ExpectedObject, unplaced: &[&str]) {
    let placed = json!({
        "object": hex(it.address),
        "type_name": it.type_name,
        "path": it.path.as_ref().or(it.name.as_ref()),
        "pointer_count": it.pointer_count,
        "handle_count": it.handle_count,
    });
    check(row, placed, unplaced);
}

/// A number as the command prints it.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Null => Some(0),
        Value::Bool(flag) => Some(u64::from(*flag)),
        Value::Number(number) => number.as_u64().or(number
            .as_i64()
            .map(|it| u64::from((it as i32).cast_unsigned()))),
        Value::String(text) => match (text.as_str(), text.strip_prefix("0x")) {
            (_, Some(digits)) => u64::from_str_radix(digits, 16).ok(),
            ("manual", _) => Some(1),
            ("auto", _) => Some(2),
            // Drives are counted from 1.
            (letter, _) => letter.bytes().next().map(|it| u64::from(it - b'@')),
        },
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Names of facts that rows have other names for.
fn name_in_rows(fact: &str) -> &str {
    match fact {
        "drive" => "drive_letter",
        "link_target" => "target",
        other => other,
    }
}

/// Compares the facts of an object with its row: how many there were.
fn check_details(details: &Value, expected: &Expected, object: u64) -> usize {
    let mut compared = 0;
    for fact in expected.facts.iter().filter(|it| it.object == object) {
        let Some(value) = details.get(name_in_rows(&fact.name)) else {
            continue;
        };
        assert_eq!(
            number(value),
            Some(fact.value),
            "{} of {details}",
            fact.name
        );
        compared += 1;
    }
    for text in expected.texts.iter().filter(|it| it.object == object) {
        let Some(value) = details.get(name_in_rows(&text.name)) else {
            continue;
        };
        assert_eq!(value, &text.text, "{} of {details}", text.name);
        compared += 1;
    }
    compared
}

#[test]
fn the_namespace_is_listed_with_what_objects_say() {
    each_layout(|forged| {
        let expected = &forged.expected;
        let mut by_type = std::collections::BTreeMap::new();
        let rows = rows(forged, "objects", &["--recursive"]);
        let mut count = 0;
        for it in &expected.objects {
            let (Some(path), false) = (&it.path, ELSEWHERE.contains(&&*it.type_name)) else {
                continue;
            };
            if path == "\\" {
                continue;
            }
            let row = rows.iter().find(|row| row["object"] == hex(it.address));
            let row = row.unwrap_or_else(|| panic!("no row for {path}"));
            check_object(row, it, &["name", "details"]);
            assert_eq!(row["name"], it.name.as_deref().unwrap_or_default());
            let compared = check_details(&row["details"], expected, it.address);
            *by_type.entry(it.type_name.clone()).or_insert(0) += compared;
            count += 1;
        }
        assert_eq!(rows.len(), count);
        for told in [
            "ALPC Port",
            "Device",
            "Driver",
            "Event",
            "Mutant",
            "Section",
            "Semaphore",
            "SymbolicLink",
            "Timer",
        ] {
            assert!(by_type[told] > 0, "nothing was compared of {told}");
        }
        for named in ["Directory", "Job", "Type", "WindowStation"] {
            assert!(by_type.contains_key(named), "{named}");
        }
    });
}

/// Files, keys, tokens, desktops and what else has no place of its own: by address.
#[test]
fn single_objects_are_told_by_address() {
    each_layout(|forged| {
        let expected = &forged.expected;
        for kind in ["File", "Key", "Token", "Desktop", "Process", "Thread"] {
            let objects = expected.objects.iter().filter(|it| it.type_name == kind);
            let mut told = 0;
            for it in objects.take(8) {
                let rows = rows(forged, "objects", &[&format!("{:#x}", it.address)]);
                assert_eq!(rows.len(), 1);
                check_object(&rows[0], it, &["name", "details", "rest"]);
                let details = &rows[0]["details"];
                check_details(details, expected, it.address);
                if kind == "Token" {
                    let token = expected.token(it.address).unwrap();
                    assert_eq!(details["user"], token.user.sid);
                    assert_eq!(details["session_id"], token.session_id);
                }
                assert_eq!(details.is_null(), kind == "Desktop");
                told += 1;
            }
            assert!(told > 0, "{kind}");
        }
        let link = rows(forged, "objects", &["\\??\\C:\\x", "--follow"]);
        let volume = expected.object_at("\\Device\\HarddiskVolume2").unwrap();
        check_object(&link[0], volume, &["name", "details", "rest"]);
        assert_eq!(link[0]["rest"], "\\x");
    });
}
