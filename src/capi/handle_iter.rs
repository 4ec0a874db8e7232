//! `wvmi_handle_iter`: iterations over the handles of a process.

use super::{
    error::About,
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    handle::{describe_with_texts, no_table, wvmi_handle_details},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::{Texts, Walk},
};
use crate::{error::Result, os::windows::Handles};

/// An iteration over the handles of a process; made by `wvmi_handle_iter_new()`.
pub struct wvmi_handle_iter {
    walk: Walk<Handles<'static>>,
    texts: Texts,
}

/// Begins an iteration over the open handles of a process, in order of their
/// values.
///
/// `iter` receives the handle of the iteration; free it with
/// `wvmi_handle_iter_free()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no table, as
/// after its exit; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_handle_iter_new(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_handle_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_handle_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let walk = handles(&session, process).about("process", process.object)?;
        output.write(into_handle(wvmi_handle_iter {
            walk,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn handles(session: &Inside, process: wvmi_process) -> Result<Walk<Handles<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the entries that
    // it yields are plain.
    unsafe {
        Walk::new(session, |engine| {
            let table = process.get(engine.windows()?).handle_table()?;
            Ok(table.ok_or_else(no_table)?.handles())
        })
    }
}

/// Gets the next handle.
///
/// `details` receives the facts, `size` is `sizeof *details`; `type_name` is
/// valid until the next call with this iterator.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a page of the table is absent
/// or damaged (the iteration goes on with the next page); `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_handle_iter_next(
    iter: *mut wvmi_handle_iter,
    details: *mut wvmi_handle_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_handle_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(details, size, "details")?;
        let wvmi_handle_iter { walk, texts } = iter;
        texts.clear();
        walk.next(&call, |session, entry| {
            if let Ok(windows) = session.windows() {
                output.write(describe_with_texts(windows, &entry, texts));
            }
        })
    })
}

/// Gets the details of many handles at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return. Their texts are
/// valid until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one handle; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_handle_iter_next_many(
    iter: *mut wvmi_handle_iter,
    details: *mut wvmi_handle_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_handle_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        let wvmi_handle_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |session, entry| {
            match session.windows() {
                Ok(windows) => describe_with_texts(windows, &entry, texts),
                Err(_) => wvmi_handle_details::zeroed(),
            }
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_handle_iter_free(iter: *mut wvmi_handle_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_handle_iter_free") };
    call.free(iter);
}
