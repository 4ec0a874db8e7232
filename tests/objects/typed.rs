//! What the bodies of objects say, type by type.

use winvmi::{
    core::Va,
    os::windows::{Object, ResetMode, SectionObject, Windows},
};
use winvmi_forge::{Expected, Guest, Layout};

use crate::support::{address, altered};

const VOLUME: &str = "\\Device\\HarddiskVolume2";
const NOTES: &str = "\\Device\\HarddiskVolume2\\Users\\user\\notes.txt";

/// Fills an object of the standard guest on every layout and checks what is told of it.
fn filled(
    path: &str,
    fill: impl Fn(&mut Guest, u64),
    check: impl Fn(Object<'_>, &Windows, &Expected),
) {
    let fill = |guest: &mut Guest| {
        let object = address(guest.expected(), path);
        fill(guest, object);
    };
    altered(fill, |windows, expected| {
        let object = windows.object(Va(address(expected, path)));
        check(object, windows, expected);
    });
}

fn set_header(guest: &mut Guest, object: u64, kind: u64, state: u64) {
    guest.poke_field(object, "_DISPATCHER_HEADER", "Type", kind);
    guest.poke_field(object, "_DISPATCHER_HEADER", "SignalState", state);
}

#[test]
fn events_tell_mode_and_state() {
    let modes = [
        (0, ResetMode::Manual),
        (1, ResetMode::Auto),
        (0x81, ResetMode::Auto),
        (9, ResetMode::Unknown(9)),
    ];
    for (kind, mode) in modes {
        filled(
            "\\BaseNamedObjects\\ShellReadyEvent",
            |guest, event| set_header(guest, event, kind, kind & 1),
            |object, _, _| {
                let event = object.as_event().unwrap().unwrap();
                assert_eq!(event.reset_mode().unwrap(), mode);
                assert_eq!(event.is_signalled().unwrap(), kind & 1 == 1);
                assert_eq!(event.object().address(), object.address());
            },
        );
    }
}

#[test]
fn mutexes_tell_their_owner() {
    filled(
        "\\Sessions\\1\\BaseNamedObjects\\SingleInstance",
        |guest, mutant| {
            let owner = guest.expected().threads[3].object;
            set_header(guest, mutant, 2, 0xffff_ffff);
            guest.poke_field(mutant, "_KMUTANT", "OwnerThread", owner);
            guest.poke_field(mutant, "_KMUTANT", "Abandoned", 1);
        },
        |object, _, expected| {
            let mutant = object.as_mutant().unwrap().unwrap();
            let owner = mutant.owner().unwrap().unwrap();
            assert_eq!(owner.object(), Va(expected.threads[3].object));
            assert_eq!(
                (mutant.count().unwrap(), mutant.is_abandoned().unwrap()),
                (-1, true)
            );
        },
    );
}

#[test]
fn semaphores_tell_count_and_limit() {
    filled(
        "\\Sessions\\1\\BaseNamedObjects\\Throttle",
        |guest, semaphore| {
            set_header(guest, semaphore, 5, 3);
            guest.poke_field(semaphore, "_KSEMAPHORE", "Limit", 8);
        },
        |object, _, _| {
            let semaphore = object.as_semaphore().unwrap().unwrap();
            assert_eq!(
                (semaphore.count().unwrap(), semaphore.limit().unwrap()),
                (3, 8)
            );
        },
    );
}

#[test]
fn timers_tell_when_they_run_out() {
    filled(
        "\\BaseNamedObjects\\Daily",
        |guest, timer| {
            set_header(guest, timer, 9, 0);
            guest.poke_field(timer, "_DISPATCHER_HEADER", "Inserted", 1);
            guest.poke_field(
                timer,
                "_ETIMER",
                "KeTimer.DueTime.QuadPart",
                0x1234_5678_9abc,
            );
            guest.poke_field(timer, "_ETIMER", "Period", 86_400_000);
        },
        |object, _, _| {
            let timer = object.as_timer().unwrap().unwrap();
            assert_eq!(timer.reset_mode().unwrap(), ResetMode::Auto);
            assert!(timer.is_running().unwrap() && !timer.is_signalled().unwrap());
            assert_eq!(timer.due_time().unwrap(), 0x1234_5678_9abc);
            assert_eq!(timer.period().unwrap(), 86_400_000);
        },
    );
}

#[test]
fn ports_tell_owner_and_connection() {
    filled(
        "\\RPC Control\\lsasspirpc",
        |guest, port| {
            let owner = guest.expected().processes[1].object;
            let client = guest.create_unnamed("ALPC Port", guest.body_size("ALPC Port"));
            let communication = guest.allocate(0x60);
            let mut set = |field, value| {
                guest.poke_field(communication, "_ALPC_COMMUNICATION_INFO", field, value);
            };
            set("ConnectionPort", port);
            set("ClientCommunicationPort", client);
            guest.poke_field(port, "_ALPC_PORT", "CommunicationInfo", communication);
            guest.poke_field(port, "_ALPC_PORT", "OwnerProcess", owner | 1);
        },
        |object, _, expected| {
            let port = object.as_alpc_port().unwrap().unwrap();
            let owner = port.owner().unwrap().unwrap();
            assert_eq!(owner.object(), Va(expected.processes[1].object));
            let connection = port.connection_port().unwrap().unwrap();
            assert_eq!(connection.object().address(), object.address());
            let client = port.client_port().unwrap().unwrap();
            let placed = expected.objects.last().unwrap();
            assert_eq!(client.object().address(), Va(placed.address));
            assert!(port.server_port().unwrap().is_none());
            assert!(client.connection_port().unwrap().is_none());
        },
    );
}

#[test]
fn drivers_and_devices_lead_to_each_other() {
    filled(
        "\\Driver\\volmgr",
        |guest, driver| {
            let module = guest.expected().modules[2].clone();
            let mut set = |field: &str, value| {
                guest.poke_field(driver, "_DRIVER_OBJECT", field, value);
            };
            set("DriverStart", module.base);
            set("DriverSize", module.size.into());
            set("DriverSection", module.entry);
            set("DriverUnload", module.base + 0x1000);
            set("MajorFunction[14]", module.base + 0x2000);
            let top = address(guest.expected(), "\\Device\\Null");
            let volume = address(guest.expected(), VOLUME);
            guest.poke_field(volume, "_DEVICE_OBJECT", "AttachedDevice", top);
        },
        |object, windows, expected| {
            let driver = object.as_driver().unwrap().unwrap();
            let module = &expected.modules[2];
            assert_eq!(driver.name().unwrap(), "\\Driver\\volmgr");
            assert_eq!(driver.start().unwrap(), Va(module.base));
            assert_eq!(driver.size().unwrap(), module.size);
            assert_eq!(
                driver.module().unwrap().unwrap().name().unwrap(),
                module.name
            );
            let function = Va(module.base + 0x1000);
            assert_eq!(driver.unload_function().unwrap(), Some(function));
            assert_eq!(driver.start_io_function().unwrap(), None);
            let functions = driver.major_functions().unwrap();
            assert_eq!(functions[14], Va(module.base + 0x2000));
            let devices: Vec<_> = driver.devices().map(Result::unwrap).collect();
            let names = devices
                .iter()
                .map(|it| it.object().path().unwrap().unwrap());
            assert_eq!(
                names.collect::<Vec<_>>(),
                [VOLUME, "\\Device\\HarddiskVolume1"]
            );
            let volume = devices[0];
            let back = volume.driver().unwrap().unwrap().object();
            assert_eq!(back.address(), object.address());
            assert_eq!(volume.device_type().unwrap(), 7);
            let top = volume.attached_device().unwrap().unwrap();
            let null = windows.object_at("\\Device\\Null").unwrap().unwrap();
            assert_eq!(top.object().address(), null.address());
        },
    );
}

#[test]
fn devices_in_a_circle_are_told_once() {
    filled(
        "\\Driver\\volmgr",
        |guest, _| {
            let second = address(guest.expected(), "\\Device\\HarddiskVolume1");
            let first = address(guest.expected(), VOLUME);
            guest.poke_field(second, "_DEVICE_OBJECT", "NextDevice", first);
        },
        |object, _, _| {
            let driver = object.as_driver().unwrap().unwrap();
            let devices: Vec<_> = driver.devices().collect();
            assert_eq!(devices.len(), 3);
            assert!(devices[2].is_err());
        },
    );
}

/// A control area of `file` with a segment of `size` bytes that point at each other.
fn control_area(guest: &mut Guest, file: u64, size: u64) -> (u64, u64) {
    let area = guest.allocate(guest.profile().size_of("_CONTROL_AREA"));
    let segment = guest.allocate(guest.profile().size_of("_SEGMENT"));
    guest.poke_field(segment, "_SEGMENT", "ControlArea", area);
    guest.poke_field(segment, "_SEGMENT", "SizeOfSegment", size);
    guest.poke_field(area, "_CONTROL_AREA", "Segment", segment);
    // The low bits count references.
    let reference = if file == 0 { 0 } else { file | 7 };
    guest.poke_field(area, "_CONTROL_AREA", "FilePointer", reference);
    (area, segment)
}

fn is_modern(guest: &Guest) -> bool {
    guest.profile().has_type("_SECTION")
}

/// Backs a section by a file (0: by the page file).
fn back_section(guest: &mut Guest, section: u64, file: u64) {
    let (area, segment) = control_area(guest, file, 0x3_2100);
    if is_modern(guest) {
        guest.poke_field(section, "_SECTION", "u1.ControlArea", area);
        guest.poke_field(section, "_SECTION", "SizeOfSection", 0x3_2100);
        guest.poke_field(section, "_SECTION", "u.Flags.File", (file != 0).into());
        guest.poke_field(section, "_SECTION", "StartingVpn", 0x7_ff00);
        guest.poke_field(section, "_SECTION", "EndingVpn", 0x7_ff03);
    } else {
        guest.poke_field(section, "_SECTION_OBJECT", "Segment", segment);
        guest.poke_field(section, "_SECTION_OBJECT", "StartingVa", 0x7ff0_0000);
        guest.poke_field(section, "_SECTION_OBJECT", "EndingVa", 0x7ff0_4000);
    }
}

fn section(object: Object<'_>) -> SectionObject<'_> {
    object.as_section().unwrap().unwrap()
}

const SECTION: &str = "\\BaseNamedObjects\\SharedTable";

#[test]
fn sections_of_files_tell_their_file() {
    filled(
        SECTION,
        |guest, section| {
            let file = address(guest.expected(), NOTES);
            back_section(guest, section, file);
        },
        |object, _, _| {
            let section = section(object);
            let file = section.file().unwrap().unwrap();
            assert_eq!(file.path().unwrap(), NOTES);
            assert_eq!(section.size().unwrap(), 0x3_2100);
            let range = (section.start().unwrap(), section.end().unwrap());
            assert_eq!(range, (Va(0x7ff0_0000), Va(0x7ff0_4000)));
        },
    );
}

#[test]
fn sections_of_the_page_file_have_no_file() {
    filled(
        SECTION,
        |guest, section| back_section(guest, section, 0),
        |object, _, _| {
            assert!(section(object).file().unwrap().is_none());
            assert!(section(object).control_area().unwrap().is_some());
        },
    );
}

#[test]
fn remote_sections_point_at_their_file() {
    for layout in Layout::ALL {
        let mut guest = crate::support::guest(layout);
        if !is_modern(&guest) {
            continue;
        }
        let (object, file) = (
            address(guest.expected(), SECTION),
            address(guest.expected(), NOTES),
        );
        guest.poke_field(object, "_SECTION", "u1.FileObject", file | 2);
        guest.poke_field(object, "_SECTION", "u.Flags.File", 1);
        let windows = crate::support::windows(guest);
        let section = section(windows.object(Va(object)));
        assert_eq!(section.file().unwrap().unwrap().path().unwrap(), NOTES);
        assert!(section.control_area().unwrap().is_none());
    }
}

#[test]
fn segments_as_the_symbols_declare_them_are_read_too() {
    for layout in [Layout::Win7Sp1, Layout::Win8_1] {
        let mut guest = crate::support::guest(layout);
        let file = address(guest.expected(), NOTES);
        let object = address(guest.expected(), SECTION);
        let (area, _) = control_area(&mut guest, file, 0x1000);
        let declared = guest.allocate(guest.profile().size_of("_SEGMENT_OBJECT"));
        guest.poke_field(declared, "_SEGMENT_OBJECT", "ControlArea", area);
        guest.poke_field(object, "_SECTION_OBJECT", "Segment", declared);
        let windows = crate::support::windows(guest);
        let section = section(windows.object(Va(object)));
        assert_eq!(section.file().unwrap().unwrap().path().unwrap(), NOTES);
    }
}

#[test]
fn files_lead_to_the_sections_of_their_pages() {
    filled(
        NOTES,
        |guest, file| {
            let (area, _) = control_area(guest, file, 0x4321);
            let pointers = guest.allocate(0x18);
            guest.poke_field(
                pointers,
                "_SECTION_OBJECT_POINTERS",
                "DataSectionObject",
                area,
            );
            guest.poke_field(file, "_FILE_OBJECT", "SectionObjectPointer", pointers);
        },
        |object, _, _| {
            let file = object.as_file().unwrap().unwrap();
            let area = file.data_section().unwrap().unwrap();
            assert_eq!(area.size().unwrap(), 0x4321);
            assert_eq!(area.file_object().unwrap(), Some(object.address()));
            assert!(file.image_section().unwrap().is_none());
        },
    );
}
