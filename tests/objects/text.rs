//! Names as Windows has them, and the attributes that callers name objects by.

use winvmi::{
    Error,
    core::Va,
    os::windows::{ObjectAttributes, Process, Windows},
};
use winvmi_forge::{Expected, Guest, InfoMask, PteFlags};

use crate::support::{address, altered};

/// Not text: an unpaired surrogate and an embedded NUL.
const STRANGE: [u16; 4] = [0x41, 0xd800, 0, 0x42];

#[test]
fn names_that_are_no_text_keep_their_units() {
    let rename = |guest: &mut Guest| {
        let null = address(guest.expected(), "\\Device\\Null");
        let info = guest.object_info(null, InfoMask::NAME).unwrap();
        let buffer = guest.peek_field(info, "_OBJECT_HEADER_NAME_INFO", "Name.Buffer");
        guest.write(buffer, &STRANGE.map(u16::to_le_bytes).concat());
    };
    altered(rename, |windows, expected| {
        let null = windows.object(Va(address(expected, "\\Device\\Null")));
        assert_eq!(null.name_utf16().unwrap().unwrap(), STRANGE);
        assert_eq!(null.name().unwrap().unwrap(), "A\u{fffd}\0B");
        let path = null.path_utf16().unwrap().unwrap();
        assert!(path.ends_with(&STRANGE) && path.len() == "\\Device\\".len() + 4);
        let devices = windows.object_at("\\Device").unwrap().unwrap();
        let devices = devices.as_directory().unwrap().unwrap();
        let found = devices.child_utf16(&STRANGE).unwrap().unwrap();
        assert_eq!(found.address(), null.address());
    });
}

#[test]
fn keys_have_wide_names_where_latin_does_not_suffice() {
    let rename = |guest: &mut Guest| {
        let key = address(guest.expected(), "\\REGISTRY\\MACHINE\\SOFTWARE");
        let block = guest.peek_field(key, "_CM_KEY_BODY", "KeyControlBlock");
        let name = guest.peek_field(block, "_CM_KEY_CONTROL_BLOCK", "NameBlock");
        let units: Vec<u8> = "漢字".encode_utf16().flat_map(u16::to_le_bytes).collect();
        guest.poke_field(name, "_CM_NAME_CONTROL_BLOCK", "Compressed", 0);
        guest.poke_field(name, "_CM_NAME_CONTROL_BLOCK", "NameLength", 4);
        let at = guest.profile().offset("_CM_NAME_CONTROL_BLOCK", "Name");
        guest.write(name + at, &units);
        guest.poke_field(block, "_CM_KEY_CONTROL_BLOCK", "KeyCell", 0x1234);
        guest.poke_field(key, "_CM_KEY_BODY", "ProcessID", 4);
    };
    altered(rename, |windows, expected| {
        let key = windows.object(Va(address(expected, "\\REGISTRY\\MACHINE\\SOFTWARE")));
        let key = key.as_key().unwrap().unwrap();
        assert_eq!(key.path().unwrap(), "\\REGISTRY\\MACHINE\\漢字");
        assert_eq!(key.process_id().unwrap(), 4);
        assert_eq!(key.key_control_block().unwrap().cell().unwrap(), 0x1234);
    });
}

/// Where a caller's attributes lie in user memory.
const ATTRIBUTES: u64 = 0x1_7000_0000;

/// A caller's 64-bit `_OBJECT_ATTRIBUTES`, its `_UNICODE_STRING` and its text.
fn attributes(root: u64, name: Option<&str>) -> Vec<u8> {
    let text: Vec<u8> = name
        .unwrap_or_default()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let string = name.map_or(0, |_| ATTRIBUTES + 0x30);
    let words = [
        0x30,
        root,
        string,
        0x40,
        0,
        0,
        text.len() as u64,
        ATTRIBUTES + 0x40,
    ];
    let words = words.into_iter().flat_map(u64::to_le_bytes);
    words.chain(text).collect()
}

fn caller<'a>(windows: &'a Windows, expected: &Expected) -> Process<'a> {
    windows.process(Va(expected.process_named("notepad.exe").unwrap().object))
}

/// Places attributes in user memory; `root` is the path of an object that the
/// process has open.
fn place(guest: &mut Guest, root: Option<&str>, name: Option<&str>) {
    let process = guest.expected().process_named("notepad.exe").unwrap();
    let (process, pid) = (process.object, process.pid);
    let handle = root.map_or(0, |root| {
        let object = address(guest.expected(), root);
        let handles = guest.expected().handles_of(pid);
        let handle = handles.iter().find(|handle| handle.object == object);
        handle.unwrap().handle.into()
    });
    guest.map_user(process, ATTRIBUTES, 0x1000, PteFlags::USER_DATA);
    guest.write_user(process, ATTRIBUTES, &attributes(handle, name));
}

#[test]
fn attributes_name_objects_from_the_root_and_relative_to_handles() {
    const FOLDER: &str = "\\Device\\HarddiskVolume2\\Windows\\System32";
    let cases = [
        (
            None,
            Some("\\??\\C:\\boot.ini"),
            Some("\\??\\C:\\boot.ini".to_owned()),
        ),
        (
            Some(FOLDER),
            Some("ntdll.dll"),
            Some(format!("{FOLDER}\\ntdll.dll")),
        ),
        (Some(FOLDER), None, Some(FOLDER.to_owned())),
        (
            Some("\\KnownDlls"),
            Some("x"),
            Some("\\KnownDlls\\x".to_owned()),
        ),
        (
            Some("\\REGISTRY\\MACHINE"),
            Some("SOFTWARE"),
            Some("\\REGISTRY\\MACHINE\\SOFTWARE".to_owned()),
        ),
        (None, None, None),
    ];
    for (root, name, path) in cases {
        let place = |guest: &mut Guest| place(guest, root, name);
        altered(place, |windows, expected| {
            let process = caller(windows, expected);
            let space = process.space().unwrap();
            let attributes = ObjectAttributes::new(windows, space, Va(ATTRIBUTES));
            assert_eq!(attributes.attributes().unwrap(), 0x40);
            assert_eq!(attributes.object_name().unwrap().as_deref(), name);
            assert_eq!(attributes.path(process, None).unwrap(), path);
        });
    }
}

#[test]
fn attributes_relative_to_nothing_known_have_no_path() {
    for handle in [0x7ffc, u64::MAX] {
        let place = |guest: &mut Guest| {
            let process = guest
                .expected()
                .process_named("notepad.exe")
                .unwrap()
                .object;
            guest.map_user(process, ATTRIBUTES, 0x1000, PteFlags::USER_DATA);
            guest.write_user(process, ATTRIBUTES, &attributes(handle, Some("x")));
        };
        altered(place, |windows, expected| {
            let process = caller(windows, expected);
            let space = process.space().unwrap();
            let attributes = ObjectAttributes::new(windows, space, Va(ATTRIBUTES));
            let path = attributes.path(process, None);
            assert!(matches!(path, Err(Error::NotFound { .. })), "{handle:#x}");
            assert_eq!(attributes.root_directory().unwrap(), handle);
        });
    }
}
