//! `wvmi_job_iter`: iterations over nested jobs.

use super::{
    error::{About, Failure},
    ffi::{Call, into_handle},
    gate::Inside,
    job::{describe, job_at, wvmi_job_details},
    object::wvmi_object,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::Walk,
};
use crate::{error::Result, os::windows::ChildJobs};

/// An iteration over the jobs that are nested in a job; made by
/// `wvmi_job_iter_new_in_job()`.
pub struct wvmi_job_iter(Walk<ChildJobs<'static>>);

/// Begins an iteration over the jobs that are nested in a job, without those in
/// them (`_EJOB.ChildJobListHead`); Windows 7 has no nested jobs.
///
/// `job` is the job's object. `iter` receives the handle; free it with
/// `wvmi_job_iter_free()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
/// type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_job_iter_new_in_job(
    session: *mut wvmi_session,
    job: wvmi_object,
    iter: *mut *mut wvmi_job_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_job_iter_new_in_job") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_job_iter(children(&session, job)?)));
        Ok(WVMI_OK)
    })
}

fn children(session: &Inside, job: wvmi_object) -> Result<Walk<ChildJobs<'static>>, Failure> {
    // SAFETY: the reference is kept by the iterator alone, and the jobs that it
    // yields are turned into values at once.
    let walk = unsafe {
        Walk::new(session, |engine| {
            Ok(job_at(engine.windows()?, job)?.children())
        })
    };
    walk.about("job", job.object)
}

/// Gets the next job.
///
/// `job` receives its object.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a part of the list is damaged or
/// absent (the iteration goes on with what can be reached otherwise);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_job_iter_next(
    iter: *mut wvmi_job_iter,
    job: *mut wvmi_object,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_job_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.output(job, "job")?;
        iter.0.next(&call, |_, found| {
            output.write(wvmi_object {
                object: found.address().0,
            });
        })
    })
}

/// Gets the details of many jobs at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one job; `WVMI_END` with none; `WVMI_GAP` with
/// those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_job_iter_next_many(
    iter: *mut wvmi_job_iter,
    details: *mut wvmi_job_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_job_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        iter.0
            .next_many(&call, &array, &count, |_, job| describe(job).0)
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_job_iter_free(iter: *mut wvmi_job_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_job_iter_free") };
    call.free(iter);
}
