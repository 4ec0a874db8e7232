//! Damaged objects: an error or a gap, once, and the good neighbours.

use winvmi::{
    Error, Result,
    core::Va,
    os::windows::{Object, Windows},
};
use winvmi_forge::{Expected, Guest, InfoMask, Layout};

use crate::support::{self, address, altered};

/// An address that no processor accepts.
const WILD: u64 = 0xdead_beef_dead_beef;

/// A canonical kernel address where nothing is mapped.
const UNMAPPED: u64 = 0xffff_8800_1234_5000;

const FOLDER: &str = "\\Device\\HarddiskVolume2\\Windows\\System32";
const HOSTS: &str = "\\Device\\HarddiskVolume2\\Windows\\System32\\drivers\\etc\\hosts";

fn object<'a>(windows: &'a Windows, expected: &Expected, path: &str) -> Object<'a> {
    windows.object(Va(address(expected, path)))
}

fn is_corrupt<T>(result: Result<T>, structure: &str) -> bool {
    matches!(result, Err(Error::Corrupt { structure: it, .. }) if it == structure)
}

fn is_fault<T>(result: Result<T>) -> bool {
    matches!(result, Err(Error::Fault(_)))
}

/// Points the directory of a named object elsewhere.
fn move_to(guest: &mut Guest, path: &str, directory: u64) {
    let object = address(guest.expected(), path);
    let info = guest.object_info(object, InfoMask::NAME).unwrap();
    guest.poke_field(info, "_OBJECT_HEADER_NAME_INFO", "Directory", directory);
}

#[test]
fn directories_in_a_circle_are_told_once() {
    let circle = |guest: &mut Guest| {
        let deep = address(guest.expected(), "\\Sessions\\1\\BaseNamedObjects");
        move_to(guest, "\\Sessions", deep);
    };
    altered(circle, |windows, expected| {
        for path in ["\\Sessions", "\\Sessions\\1\\BaseNamedObjects\\Throttle"] {
            let object = object(windows, expected, path);
            let path = object.path();
            assert!(is_corrupt(path, "_OBJECT_HEADER_NAME_INFO.Directory"));
            assert!(object.name().is_ok() && object.kind().is_ok());
        }
        let good = object(windows, expected, "\\Device\\Null");
        assert_eq!(good.path().unwrap().unwrap(), "\\Device\\Null");
    });
}

#[test]
fn wild_directories_and_devices_are_faults() {
    for pointer in [WILD, UNMAPPED, u64::MAX] {
        let wild = |guest: &mut Guest| {
            move_to(guest, "\\Device\\Null", pointer);
            let file = address(guest.expected(), FOLDER);
            guest.poke_field(file, "_FILE_OBJECT", "DeviceObject", pointer);
        };
        altered(wild, |windows, expected| {
            assert!(is_fault(object(windows, expected, "\\Device\\Null").path()));
            for path in [FOLDER, HOSTS] {
                let file = object(windows, expected, path);
                assert!(is_fault(file.path()), "{pointer:#x}");
                assert!(file.as_file().unwrap().unwrap().file_name().is_ok());
            }
        });
    }
}

#[test]
fn related_files_in_a_circle_are_told_once() {
    let circle = |guest: &mut Guest| {
        let (folder, hosts) = (
            address(guest.expected(), FOLDER),
            address(guest.expected(), HOSTS),
        );
        let name = guest.peek_field(hosts, "_FILE_OBJECT", "FileName.Buffer");
        guest.poke_field(folder, "_FILE_OBJECT", "FileName.Buffer", name);
        guest.poke_field(folder, "_FILE_OBJECT", "RelatedFileObject", hosts);
    };
    altered(circle, |windows, expected| {
        for path in [FOLDER, HOSTS] {
            let path = object(windows, expected, path).path();
            assert!(is_corrupt(path, "_FILE_OBJECT.RelatedFileObject"));
        }
    });
}

#[test]
fn related_files_that_are_gone_are_told() {
    let reuse = |guest: &mut Guest| {
        let folder = address(guest.expected(), FOLDER);
        guest.poke_field(folder, "_FILE_OBJECT", "Type", 3);
    };
    altered(reuse, |windows, expected| {
        let path = object(windows, expected, HOSTS).path();
        assert!(is_corrupt(path, "_FILE_OBJECT.RelatedFileObject"));
    });
}

#[test]
fn an_absolute_name_needs_no_related_file() {
    let stale = |guest: &mut Guest| {
        let folder = address(guest.expected(), FOLDER);
        guest.poke_field(folder, "_FILE_OBJECT", "RelatedFileObject", WILD);
    };
    altered(stale, |windows, expected| {
        let path = object(windows, expected, FOLDER).path();
        assert_eq!(path.unwrap().unwrap(), FOLDER);
    });
}

#[test]
fn names_longer_than_their_memory_are_faults() {
    let stretch = |guest: &mut Guest| {
        let null = address(guest.expected(), "\\Device\\Null");
        let info = guest.object_info(null, InfoMask::NAME).unwrap();
        guest.poke_field(info, "_OBJECT_HEADER_NAME_INFO", "Name.Length", 0xffff);
        guest.poke_field(
            info,
            "_OBJECT_HEADER_NAME_INFO",
            "Name.Buffer",
            u64::MAX - 8,
        );
    };
    altered(stretch, |windows, expected| {
        let device = object(windows, expected, "\\Device\\Null");
        assert!(is_fault(device.name()));
        assert!(is_fault(device.path()));
        let devices = object(windows, expected, "\\Device");
        let devices = devices.as_directory().unwrap().unwrap();
        assert!(devices.child("NamedPipe").unwrap().is_some());
        assert!(is_fault(devices.child("Null")), "it may hide there");
    });
}

#[test]
fn paths_longer_than_any_windows_string_are_refused() {
    let stretch = |guest: &mut Guest| {
        let buffer = guest.allocate(0x1_0000);
        guest.write(buffer, &[b'A', 0].repeat(0x7fff));
        for path in [FOLDER, HOSTS] {
            let file = address(guest.expected(), path);
            guest.poke_field(file, "_FILE_OBJECT", "FileName.Length", 0xfffe);
            guest.poke_field(file, "_FILE_OBJECT", "FileName.Buffer", buffer);
        }
    };
    altered(stretch, |windows, expected| {
        let file = object(windows, expected, HOSTS);
        assert!(is_corrupt(file.path(), "_FILE_OBJECT.RelatedFileObject"));
        let name = file.as_file().unwrap().unwrap().file_name().unwrap();
        assert_eq!(name.len(), 0x7fff);
    });
}

/// Flips bits of the type index until it stands for no type.
#[test]
fn type_indexes_of_no_type_are_told() {
    let flip = |guest: &mut Guest| {
        let header = guest.object_header(address(guest.expected(), "\\Device\\Null"));
        let index = guest.peek_field(header, "_OBJECT_HEADER", "TypeIndex");
        guest.poke_field(header, "_OBJECT_HEADER", "TypeIndex", index ^ 0x80);
    };
    altered(flip, |windows, expected| {
        let device = object(windows, expected, "\\Device\\Null");
        assert!(is_corrupt(device.kind(), "ObTypeIndexTable"));
        assert!(is_corrupt(device.type_name(), "ObTypeIndexTable"));
        assert!(is_corrupt(device.as_file().map(|_| ()), "ObTypeIndexTable"));
        assert_eq!(device.name().unwrap().unwrap(), "Null");
    });
}

#[test]
fn entries_of_the_type_table_are_checked() {
    let swap = |guest: &mut Guest| {
        let table = guest.symbol("ObTypeIndexTable");
        let index = |name| guest.peek_field(guest.type_object(name), "_OBJECT_TYPE", "Index");
        let (event, mutant) = (index("Event"), index("Mutant"));
        let type_object = guest.type_object("Event");
        guest.write_u64(table + mutant * 8, type_object);
        guest.write_u64(table + event * 8, WILD);
    };
    altered(swap, |windows, expected| {
        let of_type = |name: &str| {
            let placed = expected
                .objects
                .iter()
                .find(|it| it.type_name == name)
                .unwrap();
            windows.object(Va(placed.address))
        };
        assert!(is_corrupt(of_type("Mutant").kind(), "ObTypeIndexTable"));
        assert!(is_fault(of_type("Event").kind()));
        assert_eq!(of_type("Timer").type_name().unwrap(), "Timer");
        assert_eq!(windows.object_types().filter(Result::is_err).count(), 2);
    });
}

/// The objects and the gaps of a directory.
fn list(windows: &Windows, expected: &Expected, path: &str) -> (Vec<Va>, usize) {
    let directory = object(windows, expected, path)
        .as_directory()
        .unwrap()
        .unwrap();
    let (good, gaps): (Vec<_>, Vec<_>) = directory.entries().partition(Result::is_ok);
    let good = good.into_iter().map(|it| it.unwrap().address()).collect();
    (good, gaps.len())
}

#[test]
fn chains_of_a_directory_end_and_the_others_go_on() {
    let whole: Vec<_> = Layout::ALL
        .map(|layout| {
            let guest = support::guest(layout);
            let expected = guest.expected().clone();
            list(&support::windows(guest), &expected, "\\ObjectTypes").0
        })
        .into();
    for link in [None, Some(WILD), Some(UNMAPPED)] {
        for (layout, whole) in Layout::ALL.into_iter().zip(&whole) {
            let mut guest = support::guest(layout);
            damage_first_chain(&mut guest, link);
            let expected = guest.expected().clone();
            let (good, gaps) = list(&support::windows(guest), &expected, "\\ObjectTypes");
            assert_eq!(gaps, 1, "{link:x?}");
            assert!(good.len() <= whole.len() && good.len() + 5 >= whole.len());
            assert!(good.iter().all(|address| whole.contains(address)));
        }
    }
}

/// Makes the first entry of the first bucket in use lead to `link`, or to itself.
fn damage_first_chain(guest: &mut Guest, link: Option<u64>) {
    let directory = address(guest.expected(), "\\ObjectTypes");
    let entry = (0..37)
        .map(|bucket| guest.read_u64(directory + bucket * 8))
        .find(|entry| *entry != 0)
        .unwrap();
    let link = link.unwrap_or(entry);
    guest.poke_field(entry, "_OBJECT_DIRECTORY_ENTRY", "ChainLink", link);
}

#[test]
fn keys_in_a_circle_and_wild_names_are_told() {
    let circle = |guest: &mut Guest| {
        let machine = address(guest.expected(), "\\REGISTRY\\MACHINE");
        let block = guest.peek_field(machine, "_CM_KEY_BODY", "KeyControlBlock");
        let root = guest.peek_field(block, "_CM_KEY_CONTROL_BLOCK", "ParentKcb");
        guest.poke_field(root, "_CM_KEY_CONTROL_BLOCK", "ParentKcb", block);
        let software = address(guest.expected(), "\\REGISTRY\\MACHINE\\SOFTWARE");
        let block = guest.peek_field(software, "_CM_KEY_BODY", "KeyControlBlock");
        guest.poke_field(block, "_CM_KEY_CONTROL_BLOCK", "NameBlock", WILD);
    };
    altered(circle, |windows, expected| {
        let machine = object(windows, expected, "\\REGISTRY\\MACHINE");
        assert!(is_corrupt(
            machine.path(),
            "_CM_KEY_CONTROL_BLOCK.ParentKcb"
        ));
        let software = object(windows, expected, "\\REGISTRY\\MACHINE\\SOFTWARE");
        assert!(is_fault(software.path()));
    });
}

#[test]
fn a_missing_root_is_told_by_what_needs_it() {
    let remove = |guest: &mut Guest| {
        let variable = guest.symbol("ObpRootDirectoryObject");
        guest.write_u64(variable, 0);
    };
    altered(remove, |windows, expected| {
        let device = object(windows, expected, "\\Device\\Null");
        assert!(is_corrupt(device.path(), "ObpRootDirectoryObject"));
        assert_eq!(device.name().unwrap().unwrap(), "Null");
    });
}

#[test]
fn the_ring_of_unloaded_drivers_is_bounded() {
    let fill = |guest: &mut Guest| {
        let ring = guest.read_u64(guest.symbol("MmUnloadedDrivers"));
        let mut record = [0; 0x28];
        guest.read(ring, &mut record);
        for index in 0..50 {
            guest.write(ring + index * 0x28, &record);
        }
    };
    altered(fill, |windows, expected| {
        let names: Vec<_> = windows
            .unloaded_modules()
            .map(|it| it.unwrap().name())
            .collect();
        assert_eq!(names.len(), 50);
        let first = &expected.unloaded_modules.last().unwrap().name;
        assert!(names.iter().all(|name| name.as_ref().unwrap() == first));
    });
    let overrun = |guest: &mut Guest| {
        guest.write(guest.symbol("MmLastUnloadedDriver"), &[0xff; 4]);
    };
    altered(overrun, |windows, _| {
        let mut unloaded = windows.unloaded_modules();
        assert!(is_corrupt(
            unloaded.next().unwrap().map(|_| ()),
            "MmLastUnloadedDriver"
        ));
        assert!(unloaded.next().is_none());
    });
}
