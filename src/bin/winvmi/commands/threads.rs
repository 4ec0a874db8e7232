//! `winvmi threads`

use winvmi::{
    Result,
    os::windows::{PreviousMode, Process, Thread},
};

use crate::{
    args::ProcessFilter,
    output::{Report, Row},
    target::{Guest, process_row},
};

const COLUMNS: &[&str] = &[
    "pid",
    "tid",
    "state_name",
    "wait_reason_name",
    "start_address",
    "object",
];

pub fn run(guest: &Guest, filter: &ProcessFilter) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    for process in guest.processes(filter, &mut report)? {
        for thread in process.threads() {
            match thread {
                Ok(thread) => report.push(row(process_row(&process), &thread)),
                Err(gap) => report.gap(gap),
            }
        }
    }
    Ok(report)
}

fn row(process: Row, thread: &Thread<'_>) -> Row {
    let mut buffer = [0; Thread::SNAPSHOT];
    let thread = thread.with_copy(&mut buffer);
    let mode = thread.previous_mode().map(|mode| match mode {
        PreviousMode::Kernel => 0,
        PreviousMode::User => 1,
        PreviousMode::Unknown(value) => value,
    });
    let object = |process: Option<Process<'_>>| process.map(|process| process.object());
    process
        .with("object", thread.object())
        .with("tid", thread.id())
        .with("current_process", thread.current_process().map(object))
        .with("saved_process", thread.saved_process().map(object))
        .with("create_time", thread.create_time())
        .with("exit_time", thread.exit_time())
        .with("exit_status", thread.exit_status())
        .with("start_address", thread.start_address())
        .with("win32_start_address", thread.win32_start_address())
        .with("teb", thread.teb())
        .with("native_teb", thread.native_teb())
        .with("trap_frame", thread.trap_frame())
        .with("kernel_stack", thread.kernel_stack())
        .with("stack_base", thread.stack_base())
        .with("stack_limit", thread.stack_limit())
        .with("impersonation_token", thread.impersonation_token())
        .with("scheduling_group", thread.scheduling_group())
        .with("next_processor", thread.next_processor())
        .with("syscall_number", thread.syscall_number())
        .with("state", thread.state().map(|state| state.0))
        .with("state_name", thread.state().map(|state| state.name()))
        .with("wait_reason", thread.wait_reason().map(|reason| reason.0))
        .with("wait_reason_name", thread.wait_reason().map(|it| it.name()))
        .with("previous_mode", mode)
        .with("priority", thread.priority())
        .with("base_priority", thread.base_priority())
        .with("apc_state_index", thread.apc_state_index())
        .with("alertable", thread.is_alertable())
        .with("name", thread.name())
}
