//! Processes and threads of the standard population.

use crate::clock::{BOOT, NOW, SECOND};
use crate::guest::Guest;
use crate::object::token::TokenSpec;
use crate::process::{ProcessSpec, ThreadSpec, UserSpace, thread};

/// Wait reasons used below.
const EXECUTIVE: u8 = 0;
const DELAY_EXECUTION: u8 = 4;
const WR_QUEUE: u8 = 15;
const WR_LPC_RECEIVE: u8 = 16;
/// Thread state: terminated.
const TERMINATED: u8 = 4;
/// Thread state: ready to run.
const READY: u8 = 1;

/// The processes that other parts of the population use.
pub(super) struct Processes {
    pub system: u64,
    pub csrss: u64,
    pub services: u64,
    pub deep: u64,
    pub explorer: u64,
    pub notepad: u64,
    pub notepad_thread: u64,
    pub wow64: u64,
    pub impersonation_token: u64,
}

/// Makes the processes and their threads, and sets two threads running.
pub(super) fn create(guest: &mut Guest) -> Processes {
    let system = guest.expected.processes[0].object;
    let smss = start(guest, "smss.exe", 4, None, 0x61);
    let csrss = start(guest, "csrss.exe", pid(guest, smss), Some(0), 0x61);
    let wininit = start(guest, "wininit.exe", pid(guest, smss), Some(0), 0);
    let services = start(guest, "services.exe", pid(guest, wininit), Some(0), 0x61);
    let lsass = start(guest, "lsass.exe", pid(guest, wininit), Some(0), 0x41);
    let svchost = start(guest, "svchost.exe", pid(guest, services), Some(0), 0);
    let deep = start(guest, "sqlservr.exe", pid(guest, services), Some(0), 0);
    // The parent of explorer is gone: its id belongs to no process.
    let explorer = start(guest, "explorer.exe", 0x7f8, Some(1), 0);
    let notepad = start(guest, "notepad.exe", pid(guest, explorer), Some(1), 0);
    let wow64 = start_wow64(guest, pid(guest, explorer));
    add_exited(guest, pid(guest, explorer));
    start(
        guest,
        "VeryLongProcessName.exe",
        pid(guest, services),
        Some(1),
        0,
    );
    let impersonation_token = guest.create_token(&TokenSpec::full(1).impersonating(2));
    add_system_threads(guest, system, notepad);
    let waiting = [
        (lsass, WR_LPC_RECEIVE),
        (svchost, WR_QUEUE),
        (explorer, DELAY_EXECUTION),
        (wow64, WR_QUEUE),
    ];
    for (process, wait_reason) in waiting {
        guest.add_thread(
            process,
            &ThreadSpec {
                wait_reason,
                ..user_thread()
            },
        );
    }
    let notepad_thread = add_odd_threads(guest, notepad, svchost, impersonation_token);
    set_running(guest, notepad_thread);
    Processes {
        system,
        csrss,
        services,
        deep,
        explorer,
        notepad,
        notepad_thread,
        wow64,
        impersonation_token,
    }
}

fn pid(guest: &Guest, process: u64) -> u32 {
    guest.processes[&process].pid
}

/// Makes a native process with one waiting thread.
fn start(
    guest: &mut Guest,
    name: &str,
    parent_pid: u32,
    session_id: Option<u32>,
    protection: u8,
) -> u64 {
    let age = guest.expected.processes.len() as u64;
    let spec = ProcessSpec {
        session_id,
        protection,
        create_time: BOOT + age * SECOND,
        ..ProcessSpec::user(name, parent_pid)
    };
    let process = guest.add_process(&spec);
    guest.add_thread(process, &user_thread());
    process
}

fn start_wow64(guest: &mut Guest, parent_pid: u32) -> u64 {
    let path = "\\Device\\HarddiskVolume2\\Program Files (x86)\\Legacy\\legacy32.exe";
    let spec = ProcessSpec {
        is_wow64: true,
        image_path: Some(path.to_owned()),
        create_time: BOOT + 600 * SECOND,
        ..ProcessSpec::user("legacy32.exe", parent_pid)
    };
    let process = guest.add_process(&spec);
    let thread = ThreadSpec {
        start_address: 0x77c4_1100,
        win32_start_address: 0x40_1000,
        ..user_thread()
    };
    guest.add_thread(process, &thread);
    process
}

/// A process that has exited but is still referenced.
fn add_exited(guest: &mut Guest, parent_pid: u32) {
    let spec = ProcessSpec {
        create_time: BOOT + 100 * SECOND,
        exit_time: BOOT + 130 * SECOND,
        exit_status: -1_073_741_510,
        user_space: UserSpace::None,
        ..ProcessSpec::user("cmd.exe", parent_pid)
    };
    guest.add_process(&spec);
}

fn user_thread() -> ThreadSpec {
    ThreadSpec {
        create_time: BOOT + 30 * SECOND,
        ..ThreadSpec::default()
    }
}

/// Threads of the System process: one of them attached to another process, one without its stack.
fn add_system_threads(guest: &mut Guest, system: u64, attach_to: u64) {
    let start_address = guest.symbol("KiSystemStartup");
    let spec = ThreadSpec {
        wait_reason: EXECUTIVE,
        wait_mode: 0,
        previous_mode: 0,
        syscall_number: 0,
        start_address,
        win32_start_address: start_address,
        ..ThreadSpec::default()
    };
    guest.add_thread(system, &spec);
    guest.add_thread(
        system,
        &ThreadSpec {
            attached_to: Some(attach_to),
            ..spec.clone()
        },
    );
    guest.add_thread(
        system,
        &ThreadSpec {
            has_stack: false,
            next_processor: 1,
            ..spec
        },
    );
}

/// Threads in every state: the one returned is ready to be run.
fn add_odd_threads(guest: &mut Guest, process: u64, host: u64, token: u64) -> u64 {
    let ready = guest.add_thread(
        process,
        &ThreadSpec {
            state: READY,
            wait_reason: 0,
            next_processor: 1,
            ..user_thread()
        },
    );
    let sleeping = ThreadSpec {
        alertable: true,
        wait_reason: DELAY_EXECUTION,
        ..user_thread()
    };
    let terminated = ThreadSpec {
        state: TERMINATED,
        exit_time: NOW - SECOND,
        exit_status: 7,
        has_stack: false,
        ..user_thread()
    };
    let keyed = ThreadSpec {
        wait_reason: thread::WR_KEYED_EVENT,
        ..user_thread()
    };
    for thread in [sleeping, terminated, keyed] {
        guest.add_thread(process, &thread);
    }
    add_service_threads(guest, host, token);
    ready
}

/// A thread that impersonates, and threads in scheduling groups: one free, one held back by the
/// group above its own.
fn add_service_threads(guest: &mut Guest, process: u64, impersonation_token: u64) {
    let free = guest.create_scheduling_group(None, &[]);
    let full = guest.create_scheduling_group(None, &[0]);
    let below = guest.create_scheduling_group(full, &[]);
    let impersonating = ThreadSpec {
        impersonation_token,
        ..user_thread()
    };
    guest.add_thread(process, &impersonating);
    for group in [free, full, below].into_iter().flatten() {
        let grouped = ThreadSpec {
            scheduling_group: group,
            ..user_thread()
        };
        guest.add_thread(process, &grouped);
    }
}

/// The first processor is in the kernel, the second, where there is one, in user mode.
fn set_running(guest: &mut Guest, user_thread: u64) {
    let system_thread = guest.expected.threads.iter().find(|thread| thread.pid == 4);
    let system_thread = system_thread.map_or(0, |thread| thread.object);
    guest.run_thread(0, system_thread, false);
    if guest.options.processors > 1 {
        guest.run_thread(1, user_thread, true);
        guest.schedule_next(1, system_thread);
    }
}
