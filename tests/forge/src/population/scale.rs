//! Processes and handles in numbers.

use crate::clock::{BOOT, SECOND};
use crate::guest::Guest;
use crate::process::{HandleAttributes, ProcessSpec, ThreadSpec, UserSpace};

/// Events that handles in bulk are spread over.
const EVENTS: usize = 1000;

/// Adds what the options ask for.
pub(super) fn enlarge(guest: &mut Guest) {
    add_processes(guest, guest.options.extra_processes);
    add_handles(guest, guest.options.extra_handles);
}

/// The extra processes share one user space and have one thread each.
fn add_processes(guest: &mut Guest, count: usize) {
    let model = guest
        .expected
        .processes
        .iter()
        .find(|process| process.name == "svchost.exe");
    let Some((model, parent_pid)) = model.map(|model| (model.object, model.pid)) else {
        return;
    };
    for number in 0..count {
        let spec = ProcessSpec {
            name: format!("extra{number:05}.exe"),
            parent_pid,
            session_id: Some(1),
            create_time: BOOT + 1000 * SECOND + number as u64,
            user_space: UserSpace::SharedWith(model),
            ..ProcessSpec::default()
        };
        let process = guest.add_process(&spec);
        guest.add_thread(
            process,
            &ThreadSpec {
                has_stack: false,
                ..ThreadSpec::default()
            },
        );
    }
}

fn add_handles(guest: &mut Guest, count: usize) {
    if count == 0 {
        return;
    }
    let process = guest.add_process(&ProcessSpec::user("bulk.exe", 4));
    let size = guest.body_size("Event");
    let events: Vec<u64> = (0..EVENTS.min(count))
        .map(|_| guest.create_unnamed("Event", size))
        .collect();
    for number in 0..count {
        let attributes = HandleAttributes::from_bits_truncate(number as u32);
        guest.open_handle(
            process,
            events[number % events.len()],
            0x1f_0003,
            attributes,
        );
    }
}
