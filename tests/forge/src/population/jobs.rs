//! Jobs of the standard population.

use super::processes::Processes;
use crate::guest::Guest;
use crate::process::job::JobSpec;

/// Active processes, process memory, job memory, kill on close.
const BOUNDED: u32 = 0x0008 | 0x0100 | 0x0200 | 0x2000;
/// Working set and breakaway.
const LOOSE: u32 = 0x0001 | 0x0800;
/// Handles, clipboard, desktop.
const NO_DESKTOP: u32 = 0x01 | 0x02 | 0x04 | 0x40;

/// A job of two processes, one nested in it, and one without processes.
pub(super) fn place(guest: &mut Guest, processes: &Processes) {
    let outer = JobSpec {
        path: Some("\\Sessions\\1\\BaseNamedObjects\\ShellJob".into()),
        limit_flags: LOOSE,
        working_set: (0x32, 0x159),
        session_id: 1,
        id: 7,
        terminated: 2,
        ..JobSpec::default()
    };
    let outer = guest.create_job(&outer, &[processes.explorer, processes.notepad]);
    let sandbox = JobSpec {
        limit_flags: BOUNDED,
        active_process_limit: 1,
        process_memory_limit: 0x8000,
        job_memory_limit: 0x1_0000_0000,
        ui_restrictions: NO_DESKTOP,
        session_id: 1,
        id: 8,
        parent: outer,
        ..JobSpec::default()
    };
    guest.create_job(&sandbox, &[processes.wow64]);
    guest.create_job(&JobSpec::default(), &[]);
}
