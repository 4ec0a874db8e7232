//! The guest, its kernel, symbols and memory.

use serde_json::{Map, Value, json};
use winvmi_forge::PageKind;

use super::{check, each_layout, hex, rows};
use crate::forged::Forged;

/// Commands that are checked here.
pub const COMMANDS: [&str; 5] = ["info", "modules", "symbols", "read", "translate"];

/// The only row of `info`, which prints no list.
fn info(forged: &Forged) -> Map<String, Value> {
    let output = forged.run("info", &["--json"]);
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn info_tells_of_the_kernel() {
    each_layout(|forged| {
        let kernel = &forged.expected.kernel;
        let placed = json!({
            "back_end": "kdmp",
            "vcpus": kernel.processors,
            "kernel_base": hex(kernel.base),
            "kernel_size": kernel.size,
            "kernel_root": hex(kernel.system_root),
            "version_major": kernel.major_version,
            "version_minor": kernel.minor_version,
            "build": kernel.build,
            "build_lab": kernel.build_lab_ex,
            "processors": kernel.processors,
            "kva_shadow": kernel.kva_shadow,
            "pdb_name": kernel.pdb,
            "pdb_guid": kernel.guid,
            "pdb_age": kernel.age,
            "symbols_loaded": true,
            "system_time": kernel.system_time,
        });
        let unplaced = [
            "format",
            "memory_size",
            "bug_check_code",
            "kernel_time_date_stamp",
        ];
        check(&info(forged), placed, &unplaced);
    });
}

#[test]
fn modules_are_those_of_the_kernel() {
    each_layout(|forged| {
        let rows = rows(forged, "modules", &[]);
        assert_eq!(rows.len(), forged.expected.modules.len());
        let profile = forged.guest.profile();
        let has_stamp = profile.has_field("_KLDR_DATA_TABLE_ENTRY", "TimeDateStamp");
        for (row, module) in rows.iter().zip(&forged.expected.modules) {
            let placed = json!({
                "entry": hex(module.entry),
                "base": hex(module.base),
                "size": module.size,
                "entry_point": hex(module.entry_point),
                "name": module.name,
                "path": module.path,
                "time_date_stamp": has_stamp.then_some(module.time_stamp),
            });
            check(row, placed, &[]);
        }
    });
}

#[test]
fn symbols_are_told_both_ways() {
    each_layout(|forged| {
        for (name, address) in &forged.expected.kernel.exports {
            let symbol = format!("nt!{name}");
            let inside = format!("{:#x}", address + 1);
            let rows = rows(forged, "symbols", &[&symbol, &inside]);
            let [there, back] = &rows[..] else {
                panic!("{rows:?}");
            };
            let placed = json!({"address": hex(*address), "symbol": symbol, "offset": 0});
            check(there, placed, &[]);
            let placed = json!({"address": inside, "offset": 1});
            check(back, placed, &["symbol"]);
        }
    });
}

/// Id of the process that a test page lies in.
fn owner(forged: &Forged, process: u64) -> String {
    let mut processes = forged.expected.processes.iter();
    let owner = processes.find(|it| it.object == process).unwrap();
    owner.pid.to_string()
}

#[test]
fn memory_is_read_and_translated() {
    each_layout(|forged| {
        let mut checked = 0;
        for page in &forged.expected.pages {
            let (Some(pa), PageKind::Present) = (page.pa, &page.kind) else {
                continue;
            };
            let (pid, address) = (owner(forged, page.process), format!("{:#x}", page.va));
            let place = ["--pid", &pid, &address];
            let rows_of_place = rows(forged, "translate", &place);
            let [row] = &rows_of_place[..] else {
                panic!("{rows_of_place:?}");
            };
            let right = |has, letter: char| if has { letter } else { '-' };
            let protection = [
                'r',
                right(page.writable, 'w'),
                right(page.executable, 'x'),
                right(page.user, 'u'),
            ];
            let placed = json!({
                "address": address,
                "physical": hex(pa),
                "page_size": page.size.bytes(),
                "protection": String::from_iter(protection),
                "source": "hardware",
            });
            check(row, placed, &["root", "level"]);
            checked += 1;
            // The first frame of all is in no dump.
            if pa < 0x1000 {
                continue;
            }
            let length = page.content.len().min(16);
            let place = ["--pid", &pid, &address, &length.to_string()];
            let row = &rows(forged, "read", &place)[0];
            let bytes = page.content[..length].iter();
            let bytes: String = bytes.map(|it| format!("{it:02x}")).collect();
            check(row, json!({"address": address, "bytes": bytes}), &[]);
        }
        assert!(checked > 3);
    });
}
