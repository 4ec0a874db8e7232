//! `wvmi_thread_iter`: iterations over the threads of a process.

use super::{
    ffi::{Call, into_handle},
    gate::Inside,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
    thread_details::{describe, wvmi_thread_details},
    walk::Walk,
};
use crate::{error::Result, os::windows::Threads};

/// An iteration over the threads of a process; made by `wvmi_thread_iter_new()`.
pub struct wvmi_thread_iter(Walk<Threads<'static>>);

/// Begins an iteration over the threads of a process (`_EPROCESS.ThreadListHead`).
///
/// `iter` receives the handle; free it with `wvmi_thread_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`. What is wrong with the process shows in the first
/// `_next` call.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_iter_new(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_thread_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(walk(&session, process)?));
        Ok(WVMI_OK)
    })
}

fn walk(session: &Inside, process: wvmi_process) -> Result<wvmi_thread_iter> {
    // SAFETY: the reference is kept by the iterator alone, and the threads that
    // it yields are turned into values at once.
    let walk = unsafe {
        Walk::new(session, |engine| {
            Ok(process.get(engine.windows()?).threads())
        })
    };
    walk.map(wvmi_thread_iter)
}

/// Gets the next thread.
///
/// `thread` receives it.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged
/// or absent (the iteration goes on with what can be reached otherwise);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_iter_next(
    iter: *mut wvmi_thread_iter,
    thread: *mut wvmi_thread,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.output(thread, "thread")?;
        iter.0
            .next(&call, |_, thread| output.write(wvmi_thread::of(&thread)))
    })
}

/// Gets the details of many threads at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one thread; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_iter_next_many(
    iter: *mut wvmi_thread_iter,
    details: *mut wvmi_thread_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        iter.0
            .next_many(&call, &array, &count, |_, thread| describe(thread).0)
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_iter_free(iter: *mut wvmi_thread_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_iter_free") };
    call.free(iter);
}
