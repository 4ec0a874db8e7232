//! `wvmi_thread`: a thread as a value, and how to find one.

use super::{
    error::About,
    ffi::{Call, Plain},
    guard::Answer,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Thread, Windows},
};

/// A thread: the address of its `_ETHREAD`. A value, nothing to free.
///
/// Windows uses addresses again: the id and the creation time in
/// `wvmi_thread_details` tell a new thread from an old one.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_thread {
    /// Address of the thread object.
    pub object: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_thread {}

impl wvmi_thread {
    pub(super) fn of(thread: &Thread<'_>) -> Self {
        Self {
            object: thread.object().0,
        }
    }

    pub(super) fn get(self, windows: &Windows) -> Thread<'_> {
        windows.thread(Va(self.object))
    }
}

/// The body of a function that finds one thread.
fn find(
    call: &Call,
    session: *mut wvmi_session,
    thread: *mut wvmi_thread,
    find: impl for<'a> FnOnce(&'a Windows) -> Result<Thread<'a>>,
) -> Answer {
    let session = call.session(session)?;
    let output = call.output(thread, "thread")?;
    let found = find(session.engine().windows()?)?;
    output.write(wvmi_thread::of(&found));
    Ok(WVMI_OK)
}

/// Finds a thread by its id, in the table of ids (`PspCidTable`).
///
/// `thread` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_by_id(
    session: *mut wvmi_session,
    tid: u32,
    thread: *mut wvmi_thread,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_by_id") };
    call.run(|| {
        find(&call, session, thread, |windows| {
            windows.client_ids()?.thread(tid)
        })
    })
}

/// Gets the thread that a virtual processor runs (`_KPRCB.CurrentThread`).
///
/// `vcpu` counts from 0. `thread` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a processor that the guest does
/// not have, `WVMI_ERROR_FAULT`, `WVMI_ERROR_CORRUPT`,
/// `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_current(
    session: *mut wvmi_session,
    vcpu: u16,
    thread: *mut wvmi_thread,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_current") };
    call.run(|| {
        find(&call, session, thread, |windows| {
            windows.processor(vcpu)?.current_thread()
        })
    })
}

/// Reads the id of a thread (`_ETHREAD.Cid.UniqueThread`).
///
/// `tid` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_id(
    session: *mut wvmi_session,
    thread: wvmi_thread,
    tid: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_id") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(tid, "tid")?;
        let id = thread.get(session.engine().windows()?).id();
        output.write(id.about("thread", thread.object)?);
        Ok(WVMI_OK)
    })
}

/// Tells whether a thread is kept from running on a processor because its
/// scheduling group, or one above it, has used up its quota there.
///
/// `held_back` receives 1 or 0; it is 0 for a thread without a group and on
/// Windows 7, which has none (`_KSCB.OverQuota`, `_KSCB.MaxOverQuota`).
///
/// Returns as `wvmi_thread_id()`; `WVMI_ERROR_NOT_FOUND` when the guest has no
/// processor `vcpu`; `WVMI_ERROR_CORRUPT` when the groups are nested without end.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_held_back(
    session: *mut wvmi_session,
    thread: wvmi_thread,
    vcpu: u16,
    held_back: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_held_back") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(held_back, "held_back")?;
        let windows = session.engine().windows()?;
        let processor = windows.processor(vcpu)?;
        let found = thread
            .get(windows)
            .is_held_back_by_scheduling_group(&processor);
        output.write(found.about("thread", thread.object)?.into());
        Ok(WVMI_OK)
    })
}

/// Reads the process that owns a thread (`_KTHREAD.Process`).
///
/// `process` receives it. The thread may be attached to another process's
/// address space; `wvmi_thread_details` tells.
///
/// Returns as `wvmi_thread_id()`, and `WVMI_ERROR_CORRUPT` when it has none.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_process(
    session: *mut wvmi_session,
    thread: wvmi_thread,
    process: *mut wvmi_process,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_process") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(process, "process")?;
        let owner = thread.get(session.engine().windows()?).process();
        let owner = owner.about("thread", thread.object)?;
        output.write(wvmi_process::of(&owner));
        Ok(WVMI_OK)
    })
}
