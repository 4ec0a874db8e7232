//! `wvmi_region_iter`: iterations over the regions of a process.

use super::{
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    process::wvmi_process,
    region::{describe_with_texts, wvmi_region, wvmi_region_details},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::{Texts, Walk},
};
use crate::{error::Result, os::windows::Regions};

/// An iteration over the regions of a process; made by `wvmi_region_iter_new()`.
pub struct wvmi_region_iter {
    walk: Walk<Regions<'static>>,
    texts: Texts,
}

/// Begins an iteration over the regions of a process, in order of addresses
/// (`_EPROCESS.VadRoot`).
///
/// `iter` receives the handle; free it with `wvmi_region_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_iter_new(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_region_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_region_iter {
            walk: regions(&session, process)?,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn regions(session: &Inside, process: wvmi_process) -> Result<Walk<Regions<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the regions that
    // it yields are turned into values at once.
    unsafe {
        Walk::new(session, |engine| {
            Ok(process.get(engine.windows()?).regions())
        })
    }
}

/// Gets the next region.
///
/// `region` receives it.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the tree is damaged
/// or absent (the iteration goes on with its other branches);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_iter_next(
    iter: *mut wvmi_region_iter,
    region: *mut wvmi_region,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.output(region, "region")?;
        iter.texts.clear();
        iter.walk
            .next(&call, |_, region| output.write(wvmi_region::of(&region)))
    })
}

/// Gets the details of many regions at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return. Their paths are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one region; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none (the iteration goes on with the
/// other branches of the tree); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_iter_next_many(
    iter: *mut wvmi_region_iter,
    details: *mut wvmi_region_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        let wvmi_region_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |session, region| {
            match session.windows() {
                Ok(windows) => describe_with_texts(windows, region, texts),
                Err(_) => wvmi_region_details::zeroed(),
            }
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_iter_free(iter: *mut wvmi_region_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_iter_free") };
    call.free(iter);
}
