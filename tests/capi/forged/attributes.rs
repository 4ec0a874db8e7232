//! `_OBJECT_ATTRIBUTES` in a process: a file relative to an open folder, and one
//! whose name is on a page that is not there.

use std::fmt::Write;

use winvmi_forge::{Expected, Guest, PteFlags};

const PROCESS: &str = "notepad.exe";
const FOLDER: &str = "\\Device\\HarddiskVolume2\\Windows\\System32";
const NAME: &str = "drivers\\etc\\hosts";
const ADDRESS: u64 = 0x1_7000_0000;
/// Attributes in the same page, whose name is in the next one.
const INCOMPLETE: u64 = ADDRESS + 0x800;
const MISSING: u64 = ADDRESS + 0x1000;

fn handle(expected: &Expected) -> u32 {
    let process = expected.process_named(PROCESS).unwrap();
    let folder = expected.objects.iter().find(|object| {
        let path = object.path.as_deref();
        path == Some(FOLDER)
    });
    let folder = folder.unwrap().address;
    let handles = expected.handles_of(process.pid);
    let handle = handles.iter().find(|handle| handle.object == folder);
    handle.unwrap().handle
}

/// Attributes, and the `_UNICODE_STRING` behind them.
fn structures(address: u64, root: u32, text: u64, length: usize) -> Vec<u8> {
    let string = address + 0x30;
    let words = [0x30, root.into(), string, 0x40, 0, 0, length as u64, text];
    words.into_iter().flat_map(u64::to_le_bytes).collect()
}

pub fn place(guest: &mut Guest) {
    let process = guest.expected().process_named(PROCESS).unwrap().object;
    let root = handle(guest.expected());
    let text: Vec<u8> = NAME.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut whole = structures(ADDRESS, root, ADDRESS + 0x40, text.len());
    whole.extend(&text);
    guest.map_user(process, ADDRESS, 0x1000, PteFlags::USER_DATA);
    guest.write_user(process, ADDRESS, &whole);
    let incomplete = structures(INCOMPLETE, 0, MISSING, text.len());
    guest.write_user(process, INCOMPLETE, &incomplete);
}

pub fn tell(expected: &Expected, out: &mut String) {
    let process = expected.process_named(PROCESS).unwrap().object;
    for (name, value) in [
        ("PROCESS", process),
        ("ROOT", handle(expected).into()),
        ("ADDRESS", ADDRESS),
        ("INCOMPLETE", INCOMPLETE),
        ("MISSING", MISSING),
    ] {
        writeln!(out, "#define FORGED_ATTRIBUTES_{name} UINT64_C({value:#x})").unwrap();
    }
    let path = super::text(Some(&format!("{FOLDER}\\{NAME}")));
    writeln!(out, "#define FORGED_ATTRIBUTES_PATH {path}").unwrap();
}
