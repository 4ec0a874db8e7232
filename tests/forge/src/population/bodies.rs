//! Content of the standard population's objects.

use super::processes::Processes;
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::object::bodies::Reset;

/// Device type of a disk (`FILE_DEVICE_DISK`).
const DISK: u32 = 7;
/// Milliseconds of a day.
const DAY: u32 = 86_400_000;

/// Fills the objects that were made before.
pub(super) fn fill(guest: &mut Guest, processes: &Processes) {
    waitable(guest, processes);
    sections(guest);
    devices(guest);
    let job = at(guest, "\\BaseNamedObjects\\WorkerJob");
    guest.fill_empty_job(job);
    drives(guest, processes);
    let port = at(guest, "\\RPC Control\\lsasspirpc");
    guest.fill_ports(port, processes.wow64, processes.notepad);
    for (path, cell) in [
        ("\\REGISTRY\\MACHINE", 0x20),
        ("\\REGISTRY\\MACHINE\\SOFTWARE", 0x1a8),
    ] {
        let key = placed(guest, path);
        guest.fill_key(key, 4, cell);
    }
    let link = guest.create_symbolic_link("\\KernelObjects\\Computed", "\\KernelObjects", 0);
    guest.compute_link(link);
}

/// The object of a namespace path.
fn at(guest: &Guest, path: &str) -> u64 {
    let object = guest.lookup(path);
    object.unwrap_or_else(|| panic!("{path} was made before"))
}

/// The object of any path: of a file or a key, too.
fn placed(guest: &Guest, path: &str) -> u64 {
    let object = guest.expected.object_at(path);
    object
        .unwrap_or_else(|| panic!("{path} was made before"))
        .address
}

fn waitable(guest: &mut Guest, processes: &Processes) {
    let event = at(guest, "\\BaseNamedObjects\\ShellReadyEvent");
    guest.fill_event(event, Reset::Auto, true);
    let event = at(guest, "\\KernelObjects\\LowMemoryCondition");
    guest.fill_event(event, Reset::Manual, false);
    let mutant = at(guest, "\\Sessions\\1\\BaseNamedObjects\\SingleInstance");
    let owner = guest.expected.threads_of(processes.explorer).next();
    let owner = owner.expect("explorer has threads").object;
    guest.fill_mutant(mutant, owner, 2);
    let semaphore = at(guest, "\\Sessions\\1\\BaseNamedObjects\\Throttle");
    guest.fill_semaphore(semaphore, 3, 8);
    let timer = at(guest, "\\BaseNamedObjects\\Daily");
    guest.fill_timer(timer, Reset::Auto, 0x1234_5678_9abc, DAY);
}

fn sections(guest: &mut Guest) {
    let page = PAGE_SIZE as usize;
    let shared = guest.create_section(None, false, &vec![0x5a; 3 * page]);
    let object = at(guest, "\\BaseNamedObjects\\SharedTable");
    guest.fill_section(object, &shared);
    let font = guest.create_section(
        Some("\\Windows\\Fonts\\arial.ttf"),
        false,
        &vec![1; 5 * page],
    );
    let size = guest.body_size("Section");
    let object = guest.create_named("Section", "\\BaseNamedObjects\\FontCache", size);
    guest.fill_section(object, &font);
    let file = placed(
        guest,
        "\\Device\\HarddiskVolume2\\Windows\\Fonts\\arial.ttf",
    );
    guest.fill_file_sections(file, &font, None);
    let notes = placed(guest, "\\Device\\HarddiskVolume2\\Users\\user\\notes.txt");
    guest.fill_file_sections(notes, &font, Some(&shared));
}

fn devices(guest: &mut Guest) {
    let volumes = at(guest, "\\Driver\\volmgr");
    guest.fill_driver(volumes, 2, "volmgr");
    let filter = guest.create_driver("\\Driver\\volsnap");
    guest.fill_driver(filter, 1, "volsnap");
    let top = guest.create_device("\\Device\\VolumeFilter", filter, DISK);
    let volume = at(guest, "\\Device\\HarddiskVolume2");
    guest.attach_device(top, volume);
}

/// Drive letters of a logon session: explorer sees them, other processes do not.
fn drives(guest: &mut Guest, processes: &Processes) {
    const OWN: &str = "\\Sessions\\1\\DosDevices-3e7a1";
    let own = guest.create_directory(OWN);
    guest.create_symbolic_link(&format!("{OWN}\\Z:"), "\\GLOBAL??\\C:\\Users", 26);
    let global = at(guest, "\\GLOBAL??");
    let map = guest.allocate(guest.profile.size_of("_DEVICE_MAP"));
    let mut record = guest.record("_DEVICE_MAP");
    record
        .set("DosDevicesDirectory", own)
        .set("GlobalDosDevicesDirectory", global)
        .set("DriveMap", 1 << 25);
    guest.write_record(map, &record);
    guest.poke_field(processes.explorer, "_EPROCESS", "DeviceMap", map);
    let facts = [
        ("device_map", map),
        ("dos_devices", own),
        ("global_dos_devices", global),
        ("drives", 1 << 25),
    ];
    guest.expect_facts(processes.explorer, &facts);
}
