//! The idle and System processes and the idle threads.

use crate::clock;
use crate::guest::Guest;
use crate::process::create::new_process;
use crate::process::{ProcessSpec, ProcessState, ThreadSpec, thread};

/// Process id of the System process.
pub(crate) const SYSTEM_PID: u32 = 4;

/// Makes the idle process, which lies in the kernel image, and the System process.
pub(crate) fn build(guest: &mut Guest) {
    build_idle(guest);
    let system = guest.add_system_process(&ProcessSpec {
        name: "System".into(),
        pid: Some(SYSTEM_PID),
        parent_pid: 0,
        protection: 0x72,
        ..ProcessSpec::default()
    });
    guest.write_u64(guest.symbol("PsInitialSystemProcess"), system);
    let table = guest.peek_field(system, "_EPROCESS", "ObjectTable");
    guest.write_u64(guest.symbol("ObpKernelHandleTable"), table);
}

fn build_idle(guest: &mut Guest) {
    let object = guest.symbol("KiInitialProcess");
    let root = guest.kernel_root();
    let mut record = new_process(guest, object);
    record
        .set("Pcb.DirectoryTableBase", root)
        .set_empty_list("ActiveProcessLinks", object)
        .put("ImageFileName", b"Idle\0");
    guest.write_record(object, &record);
    guest.write_u64(guest.symbol("PsIdleProcess"), object);
    guest.expected.idle_process = object;
    let state = ProcessState {
        index: None,
        pid: 0,
        root,
        user_root: None,
        directory_table_base: root,
        user_directory_table_base: root,
        is_wow64: false,
        handle_table: None,
        peb: 0,
        next_teb: 0,
        heap: 0..0,
        regions: Vec::new(),
    };
    guest.processes.insert(object, state);
}

/// Makes the idle thread of a processor; that of the first lies in the kernel image.
pub(crate) fn add_idle_thread(guest: &mut Guest, number: u32) -> u64 {
    let idle_process = guest.expected.idle_process;
    let object = match number {
        0 => guest.symbol("KiInitialThread"),
        _ => guest.create_unnamed("Thread", guest.profile.size_of("_ETHREAD")),
    };
    let start = guest.symbol("KiSystemStartup");
    let spec = ThreadSpec {
        state: thread::RUNNING,
        wait_reason: 0,
        wait_mode: 0,
        next_processor: number,
        previous_mode: 0,
        syscall_number: 0,
        create_time: clock::BOOT,
        start_address: start,
        win32_start_address: 0,
        ..ThreadSpec::default()
    };
    // Idle threads have no id.
    let expected = guest.place_thread(object, idle_process, &spec, 0);
    guest.expected.threads.push(expected);
    object
}
