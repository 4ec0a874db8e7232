//! `wvmi_process_iter`: iterations over processes.

use super::{
    ffi::{Call, into_handle},
    gate::Inside,
    process::wvmi_process,
    process_details::{describe, wvmi_process_details},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::Walk,
};
use crate::{
    error::{Error, Result},
    os::windows::{Process, ProcessSources, Processes, SourcedProcesses, Windows},
};

/// The list of active processes (`PsActiveProcessHead`).
pub const WVMI_PROCESS_SOURCE_ACTIVE_LIST: u32 = 1;
/// The table of process and thread ids (`PspCidTable`).
pub const WVMI_PROCESS_SOURCE_CID_TABLE: u32 = 2;

const _: () = assert!(
    WVMI_PROCESS_SOURCE_ACTIVE_LIST == ProcessSources::ACTIVE_LIST.bits()
        && WVMI_PROCESS_SOURCE_CID_TABLE == ProcessSources::CID_TABLE.bits()
);

/// An iteration over processes; made by `wvmi_process_iter_new()`,
/// `wvmi_process_iter_new_in_job()` or
/// `wvmi_process_iter_new_in_terminal_session()`.
pub struct wvmi_process_iter(Walk<List>);

/// Where processes come from.
#[allow(
    clippy::large_enum_variant,
    reason = "an iterator is on the heap already"
)]
enum List {
    Sourced(SourcedProcesses<'static>),
    Linked(Processes<'static>),
}

impl Iterator for List {
    type Item = Result<(Process<'static>, ProcessSources)>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Sourced(processes) => processes.next(),
            Self::Linked(processes) => {
                let process = processes.next()?;
                Some(process.map(|process| (process, ProcessSources::empty())))
            }
        }
    }
}

impl wvmi_process_iter {
    /// An iteration over the processes on one list.
    pub(super) fn linked(
        session: &Inside,
        begin: impl FnOnce(&'static Windows) -> Result<Processes<'static>>,
    ) -> Result<Self> {
        // SAFETY: the reference is kept by the iterator alone, and the processes
        // that it yields are turned into values at once.
        let walk =
            unsafe { Walk::new(session, |engine| begin(engine.windows()?).map(List::Linked)) };
        walk.map(Self)
    }
}

/// Begins an iteration over processes.
///
/// `sources` are `WVMI_PROCESS_SOURCE_*` bits, 0 for the list of active
/// processes alone. With both, each process comes once, and its details tell
/// which of them name it: one that only the table of ids names was hidden from
/// the list or has ended. `iter` receives the handle; free it with
/// `wvmi_process_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`
/// for unknown sources, `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_iter_new(
    session: *mut wvmi_session,
    sources: u32,
    iter: *mut *mut wvmi_process_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let sources = sources_of(sources)?;
        output.write(into_handle(walk(&session, sources)?));
        Ok(WVMI_OK)
    })
}

fn sources_of(bits: u32) -> Result<ProcessSources> {
    match bits {
        0 => Ok(ProcessSources::ACTIVE_LIST),
        _ => ProcessSources::from_bits(bits).ok_or_else(|| {
            Error::invalid_argument("sources", "not made of WVMI_PROCESS_SOURCE_ bits")
        }),
    }
}

fn walk(session: &Inside, sources: ProcessSources) -> Result<wvmi_process_iter> {
    // SAFETY: the reference is kept by the iterator alone, and the processes
    // that it yields are turned into values at once.
    let walk = unsafe {
        Walk::new(session, |engine| {
            let processes = engine.windows()?.processes_from(sources);
            Ok(List::Sourced(processes))
        })
    };
    walk.map(wvmi_process_iter)
}

/// Gets the next process.
///
/// `process` receives it.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged
/// or absent (the iteration goes on with what can be reached otherwise);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_iter_next(
    iter: *mut wvmi_process_iter,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.output(process, "process")?;
        iter.0.next(&call, |_, (process, _)| {
            output.write(wvmi_process::of(&process))
        })
    })
}

/// Gets the details of many processes at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one process; `WVMI_END` with none;
/// `WVMI_GAP` with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_iter_next_many(
    iter: *mut wvmi_process_iter,
    details: *mut wvmi_process_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        iter.0
            .next_many(&call, &array, &count, |_, (process, sources)| {
                describe(process, sources).0
            })
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_iter_free(iter: *mut wvmi_process_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_iter_free") };
    call.free(iter);
}
