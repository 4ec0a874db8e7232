//! Handles of the standard population.

use super::objects::Objects;
use super::processes::Processes;
use crate::guest::Guest;
use crate::process::HandleAttributes;

/// Handles enough for a table of two levels.
const TWO_LEVELS: usize = 600;
/// A handle that needs a table of three levels.
const THREE_LEVELS: u32 = 0x8_0404;
/// Another handle of that table, in its middle.
const IN_THE_MIDDLE: u32 = 0x4_0214;
/// Access granted when the object's type does not matter.
const ALL_ACCESS: u32 = 0x1f_0003;
const READ: u32 = 0x12_0089;

/// Opens handles of many types, with every combination of attributes, in tables of one to
/// three levels.
pub(super) fn open(guest: &mut Guest, processes: &Processes, objects: &Objects) {
    for process in [processes.notepad, processes.explorer, processes.wow64] {
        open_all(guest, process, &objects.all);
    }
    let none = HandleAttributes::empty();
    let owners = [processes.services, processes.csrss];
    for target in [
        processes.notepad,
        processes.system,
        processes.notepad_thread,
        processes.impersonation_token,
    ] {
        for owner in owners {
            guest.open_handle(owner, target, 0x1f_ffff, none);
        }
        guest.open_handle(processes.system, target, 0x2a, none);
    }
    open_all(guest, processes.system, &objects.all);
    for index in 0..TWO_LEVELS {
        let object = objects.all[index % objects.all.len()];
        guest.open_handle(processes.csrss, object, READ, none);
    }
    guest.open_handle(processes.deep, objects.event, ALL_ACCESS, none);
    if guest.options.deep_handle_table {
        let inherit = HandleAttributes::INHERIT;
        guest.open_handle_at(processes.deep, THREE_LEVELS, objects.event, READ, inherit);
        guest.open_handle_at(processes.deep, IN_THE_MIDDLE, objects.all[0], READ, none);
    }
}

fn open_all(guest: &mut Guest, process: u64, objects: &[u64]) {
    for (index, object) in objects.iter().enumerate() {
        let attributes = HandleAttributes::from_bits_truncate(index as u32);
        let access = if index % 2 == 0 { ALL_ACCESS } else { READ };
        guest.open_handle(process, *object, access, attributes);
    }
}
