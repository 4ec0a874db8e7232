//! Paths in the object namespace and the links on their way.

use winvmi::{
    Error,
    core::Va,
    os::windows::{ObjectKind, Process, Windows},
};
use winvmi_forge::Guest;

use crate::{
    on_all_layouts,
    support::{address, altered},
};

const VOLUME: &str = "\\Device\\HarddiskVolume2";

/// Where a path leads: the object and the rest of the path.
fn resolve(windows: &Windows, path: &str, process: Option<Process<'_>>) -> Option<(Va, String)> {
    let process = process.map(|process| windows.process(process.object()));
    let found = windows.resolve_path(path, process).unwrap()?;
    let rest = String::from_utf16(&found.rest).unwrap();
    Some((found.object.address(), rest))
}

#[test]
fn every_path_of_the_namespace_finds_its_object() {
    on_all_layouts(|windows, expected| {
        for placed in &expected.objects {
            let Some(path) = &placed.path else { continue };
            if ["File", "Key"].contains(&placed.type_name.as_str()) {
                continue;
            }
            for path in [path.clone(), path.to_ascii_uppercase()] {
                let found = windows.object_at(&path).unwrap().unwrap();
                assert_eq!(found.address(), Va(placed.address), "{path}");
            }
        }
        for missing in ["\\Nothing", "\\Device\\Null\\below", "\\Device\\\\Null"] {
            assert!(windows.object_at(missing).unwrap().is_none(), "{missing}");
        }
        let relative = windows.object_at("Device\\Null");
        assert!(matches!(relative, Err(Error::InvalidArgument { .. })));
    });
}

#[test]
fn links_tell_their_targets() {
    on_all_layouts(|windows, expected| {
        let link = |path: &str| {
            let object = windows.object(Va(expected.object_at(path).unwrap().address));
            object.as_symbolic_link().unwrap().unwrap()
        };
        let drive = link("\\GLOBAL??\\C:");
        assert_eq!(drive.target().unwrap().unwrap(), VOLUME);
        assert_eq!(drive.drive_letter().unwrap(), Some('C'));
        assert!(drive.creation_time().unwrap().0 > 0 && !drive.is_callback().unwrap());
        assert_eq!(link("\\DosDevices").drive_letter().unwrap(), None);
    });
}

#[test]
fn links_are_followed_to_devices_and_directories() {
    on_all_layouts(|windows, expected| {
        let volume = Va(expected.object_at(VOLUME).unwrap().address);
        for root in ["\\??", "\\DosDevices", "\\GLOBAL??"] {
            let path = format!("{root}\\c:\\Windows\\notepad.exe");
            let found = resolve(windows, &path, None).unwrap();
            assert_eq!(found, (volume, "\\Windows\\notepad.exe".into()), "{path}");
            let drive = resolve(windows, &format!("{root}\\C:"), None).unwrap();
            assert_eq!(drive, (volume, String::new()));
            assert!(resolve(windows, &format!("{root}\\Q:"), None).is_none());
        }
        let event = expected
            .object_at("\\BaseNamedObjects\\ShellReadyEvent")
            .unwrap();
        let found = resolve(windows, "\\BaseNamedObjects\\Global\\ShellReadyEvent", None);
        assert_eq!(found, Some((Va(event.address), String::new())));
        let global = expected.object_at("\\GLOBAL??").unwrap().address;
        let directory = windows.resolve_path("\\??", None).unwrap().unwrap().object;
        assert_eq!(directory.address(), Va(global));
        assert_eq!(directory.kind().unwrap(), ObjectKind::Directory);
    });
}

#[test]
fn drives_of_a_process_come_first() {
    let subst = |guest: &mut Guest| {
        let own = guest.create_directory("\\Sessions\\1\\DosDevices");
        guest.create_symbolic_link("\\Sessions\\1\\DosDevices\\Q:", "\\??\\C:\\deep", 17);
        guest.create_symbolic_link("\\Sessions\\1\\DosDevices\\C:", "\\Device\\Null", 3);
        let map = guest.allocate(0x200);
        guest.poke_field(map, "_DEVICE_MAP", "DosDevicesDirectory", own);
        guest.poke_field(map, "_DEVICE_MAP", "DriveMap", 1 << 16 | 1 << 2);
        let process = guest
            .expected()
            .process_named("notepad.exe")
            .unwrap()
            .object;
        guest.poke_field(process, "_EPROCESS", "DeviceMap", map | 5);
    };
    altered(subst, |windows, expected| {
        let process = expected.process_named("notepad.exe").unwrap().object;
        let process = windows.process(Va(process));
        let null = Va(address(expected, "\\Device\\Null"));
        let volume = Va(address(expected, VOLUME));
        let seen = |path| resolve(windows, path, Some(process));
        assert_eq!(seen("\\??\\C:\\x"), Some((null, "\\x".into())));
        assert_eq!(seen("\\??\\Q:\\x"), Some((null, "\\deep\\x".into())));
        assert_eq!(
            resolve(windows, "\\??\\C:", None),
            Some((volume, String::new()))
        );
        let map = process.device_map().unwrap().unwrap();
        assert_eq!(map.drives().unwrap(), 0x1_0004);
        assert!(map.global_dos_devices().unwrap().is_none());
    });
}

#[test]
fn links_without_end_are_refused() {
    let circle = |guest: &mut Guest| {
        guest.create_symbolic_link("\\ping", "\\pong\\x", 0);
        guest.create_symbolic_link("\\pong", "\\ping\\x", 0);
    };
    altered(circle, |windows, _| {
        let endless = windows.resolve_path("\\ping", None);
        assert!(matches!(endless, Err(Error::Corrupt { .. })));
        assert!(windows.object_at("\\ping").unwrap().is_some());
    });
}

#[test]
fn links_without_a_path_are_where_the_way_ends() {
    let empty = |guest: &mut Guest| {
        let link = address(guest.expected(), "\\GLOBAL??\\C:");
        guest.poke_field(link, "_OBJECT_SYMBOLIC_LINK", "LinkTarget.Length", 0);
    };
    altered(empty, |windows, expected| {
        let link = Va(address(expected, "\\GLOBAL??\\C:"));
        let found = resolve(windows, "\\??\\C:\\x", None).unwrap();
        assert_eq!(found, (link, "\\x".into()));
    });
}
