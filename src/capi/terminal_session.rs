//! Terminal sessions: those of services and of users that are logged on.

use super::{
    error::About,
    ffi::{Call, Plain, into_handle},
    process::wvmi_process,
    process_iter::wvmi_process_iter,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::Valid,
    walk::Walk,
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{TerminalSession, TerminalSessions, Windows},
};

/// A terminal session of the guest: the address of its `_MM_SESSION_SPACE`. A
/// value, nothing to free; not to be confused with a `wvmi_session`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_terminal_session {
    /// Address of the session's structure.
    pub address: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_terminal_session {}

impl wvmi_terminal_session {
    fn get(self, windows: &Windows) -> TerminalSession<'_> {
        TerminalSession::new(windows, Va(self.address))
    }
}

/// What is known about a terminal session, filled by
/// `wvmi_terminal_session_info()` and `wvmi_terminal_session_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_terminal_session_details {
    /// Which of the other fields were read: `WVMI_TERMINAL_SESSION_VALID_*` bits.
    pub valid: u64,
    /// Address of the session's structure; always filled.
    pub address: u64,
    /// Number: 0 for services, 1 and up for users
    /// (`_MM_SESSION_SPACE.SessionId`).
    pub id: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_terminal_session_details {}

/// `id` was read.
pub const WVMI_TERMINAL_SESSION_VALID_ID: u64 = 1;

fn describe(terminal: TerminalSession<'_>) -> (wvmi_terminal_session_details, Valid) {
    let mut valid = Valid::default();
    let id = valid.take(WVMI_TERMINAL_SESSION_VALID_ID, terminal.id());
    let details = wvmi_terminal_session_details {
        valid: valid.bits(),
        address: terminal.address().0,
        id,
        reserved: 0,
    };
    (details, valid)
}

/// Tells what is known about a terminal session.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NO_LAYOUT` where the
/// symbols do not describe sessions (Windows 11 24H2), for which
/// `wvmi_process_info()` still tells the numbers; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_terminal_session_info(
    session: *mut wvmi_session,
    terminal: wvmi_terminal_session,
    details: *mut wvmi_terminal_session_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_terminal_session_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let (details, valid) = describe(terminal.get(session.engine().windows()?));
        valid.finish().about("terminal session", terminal.address)?;
        output.write(details);
        Ok(WVMI_OK)
    })
}

/// Gets the terminal session that a process belongs to (`_EPROCESS.Session`).
///
/// `terminal` receives it.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` for processes of the kernel, which
/// belong to none; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NO_LAYOUT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_terminal_session(
    session: *mut wvmi_session,
    process: wvmi_process,
    terminal: *mut wvmi_terminal_session,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_terminal_session") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(terminal, "terminal")?;
        let found = process.get(session.engine().windows()?).terminal_session();
        let none = || Error::not_found("terminal session: the process belongs to none");
        let found = found.and_then(|found| found.ok_or_else(none));
        let found = found.about("process", process.object)?;
        output.write(wvmi_terminal_session {
            address: found.address().0,
        });
        Ok(WVMI_OK)
    })
}

/// Begins an iteration over the processes of a terminal session
/// (`_MM_SESSION_SPACE.ProcessList`).
///
/// `iter` receives the handle; free it with `wvmi_process_iter_free()`. The
/// `sources` of details are 0.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NO_LAYOUT` where the symbols do not describe
/// sessions (Windows 11 24H2); `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_iter_new_in_terminal_session(
    session: *mut wvmi_session,
    terminal: wvmi_terminal_session,
    iter: *mut *mut wvmi_process_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_iter_new_in_terminal_session") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let members =
            wvmi_process_iter::linked(&session, |windows| terminal.get(windows).processes());
        let members = members.about("terminal session", terminal.address)?;
        output.write(into_handle(members));
        Ok(WVMI_OK)
    })
}

/// An iteration over terminal sessions; made by
/// `wvmi_terminal_session_iter_new()`.
pub struct wvmi_terminal_session_iter(Walk<TerminalSessions<'static>>);

/// Begins an iteration over the terminal sessions that active processes belong
/// to, in the order of their first processes.
///
/// `iter` receives the handle; free it with `wvmi_terminal_session_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_terminal_session_iter_new(
    session: *mut wvmi_session,
    iter: *mut *mut wvmi_terminal_session_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_terminal_session_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        // SAFETY: the reference is kept by the iterator alone, and the sessions
        // that it yields are turned into values at once.
        let walk: Result<_> =
            unsafe { Walk::new(&session, |engine| Ok(engine.windows()?.terminal_sessions())) };
        output.write(into_handle(wvmi_terminal_session_iter(walk?)));
        Ok(WVMI_OK)
    })
}

/// Gets the next terminal session.
///
/// `terminal` receives it.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a process, or a part of the
/// list of processes, is damaged or absent (the iteration goes on);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_terminal_session_iter_next(
    iter: *mut wvmi_terminal_session_iter,
    terminal: *mut wvmi_terminal_session,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_terminal_session_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.output(terminal, "terminal")?;
        iter.0.next(&call, |_, found| {
            output.write(wvmi_terminal_session {
                address: found.address().0,
            });
        })
    })
}

/// Gets the details of many terminal sessions at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one session; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_terminal_session_iter_next_many(
    iter: *mut wvmi_terminal_session_iter,
    details: *mut wvmi_terminal_session_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_terminal_session_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        iter.0
            .next_many(&call, &array, &count, |_, found| describe(found).0)
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_terminal_session_iter_free(iter: *mut wvmi_terminal_session_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_terminal_session_iter_free") };
    call.free(iter);
}
