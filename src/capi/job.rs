//! Jobs: processes that are limited together.

use super::{
    error::About,
    ffi::{Call, Plain, into_handle},
    object::wvmi_object,
    object_info::fill,
    process::wvmi_process,
    process_iter::wvmi_process_iter,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
};
use crate::{
    error::{Error, Result},
    os::windows::{JobLimits, JobObject, Windows},
};

/// What is known about a job, filled by `wvmi_job_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_job_details {
    /// Which of the other fields were read: `WVMI_JOB_VALID_*` bits.
    pub valid: u64,
    /// Address of the job object (`_EJOB`); always filled.
    pub object: u64,
    /// The job that this one is nested in, as a `wvmi_object`; 0 without one
    /// (`_EJOB.ParentJob`).
    pub parent: u64,
    /// User time of processes that ended, in units of 100 ns
    /// (`_EJOB.TotalUserTime`).
    pub user_time: u64,
    /// Kernel time of processes that ended, in units of 100 ns
    /// (`_EJOB.TotalKernelTime`).
    pub kernel_time: u64,
    /// Most committed bytes of each process (`_EJOB.ProcessMemoryLimit`).
    pub process_memory_limit: u64,
    /// Most committed bytes of all processes (`_EJOB.JobMemoryLimit`).
    pub job_memory_limit: u64,
    /// Lower bound of each working set in bytes (`_EJOB.MinimumWorkingSetSize`).
    pub minimum_working_set: u64,
    /// Upper bound of each working set in bytes (`_EJOB.MaximumWorkingSetSize`).
    pub maximum_working_set: u64,
    /// Which limits count: `WVMI_JOB_LIMIT_*` bits and others that Windows
    /// numbers, `JOB_OBJECT_LIMIT_*` (`_EJOB.LimitFlags`).
    pub limits: u32,
    /// What the processes may not do to the desktop, `JOB_OBJECT_UILIMIT_*` bits
    /// (`_EJOB.UIRestrictionsClass`).
    pub ui_restrictions: u32,
    /// Most processes at a time (`_EJOB.ActiveProcessLimit`).
    pub active_process_limit: u32,
    /// Number of processes in the job now (`_EJOB.ActiveProcesses`).
    pub active_processes: u32,
    /// Number of processes that ever were in the job (`_EJOB.TotalProcesses`).
    pub total_processes: u32,
    /// Number of processes that a limit ended (`_EJOB.TotalTerminatedProcesses`).
    pub terminated_processes: u32,
    /// Number of the terminal session that made the job (`_EJOB.SessionId`).
    pub session_id: u32,
    /// Number of the job; unknown before Windows 10 1607 (`_EJOB.JobId`).
    pub id: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_job_details {}

/// `parent` was read.
pub const WVMI_JOB_VALID_PARENT: u64 = 1;
/// `user_time` was read.
pub const WVMI_JOB_VALID_USER_TIME: u64 = 2;
/// `kernel_time` was read.
pub const WVMI_JOB_VALID_KERNEL_TIME: u64 = 4;
/// `process_memory_limit` was read.
pub const WVMI_JOB_VALID_PROCESS_MEMORY_LIMIT: u64 = 8;
/// `job_memory_limit` was read.
pub const WVMI_JOB_VALID_JOB_MEMORY_LIMIT: u64 = 0x10;
/// `minimum_working_set` was read.
pub const WVMI_JOB_VALID_MINIMUM_WORKING_SET: u64 = 0x20;
/// `maximum_working_set` was read.
pub const WVMI_JOB_VALID_MAXIMUM_WORKING_SET: u64 = 0x40;
/// `limits` was read.
pub const WVMI_JOB_VALID_LIMITS: u64 = 0x80;
/// `ui_restrictions` was read.
pub const WVMI_JOB_VALID_UI_RESTRICTIONS: u64 = 0x100;
/// `active_process_limit` was read.
pub const WVMI_JOB_VALID_ACTIVE_PROCESS_LIMIT: u64 = 0x200;
/// `active_processes` was read.
pub const WVMI_JOB_VALID_ACTIVE_PROCESSES: u64 = 0x400;
/// `total_processes` was read.
pub const WVMI_JOB_VALID_TOTAL_PROCESSES: u64 = 0x800;
/// `terminated_processes` was read.
pub const WVMI_JOB_VALID_TERMINATED_PROCESSES: u64 = 0x1000;
/// `session_id` was read.
pub const WVMI_JOB_VALID_SESSION_ID: u64 = 0x2000;
/// `id` was read.
pub const WVMI_JOB_VALID_ID: u64 = 0x4000;

/// `minimum_working_set` and `maximum_working_set` count.
pub const WVMI_JOB_LIMIT_WORKING_SET: u32 = 1;
/// `active_process_limit` counts.
pub const WVMI_JOB_LIMIT_ACTIVE_PROCESS: u32 = 8;
/// `process_memory_limit` counts.
pub const WVMI_JOB_LIMIT_PROCESS_MEMORY: u32 = 0x100;
/// `job_memory_limit` counts.
pub const WVMI_JOB_LIMIT_JOB_MEMORY: u32 = 0x200;
/// Child processes may leave the job when they ask to.
pub const WVMI_JOB_LIMIT_BREAKAWAY_OK: u32 = 0x800;
/// Child processes are not a part of the job.
pub const WVMI_JOB_LIMIT_SILENT_BREAKAWAY_OK: u32 = 0x1000;
/// Closing the last handle ends all processes.
pub const WVMI_JOB_LIMIT_KILL_ON_JOB_CLOSE: u32 = 0x2000;

const _: () = assert!(
    WVMI_JOB_LIMIT_WORKING_SET == JobLimits::WORKING_SET.bits()
        && WVMI_JOB_LIMIT_ACTIVE_PROCESS == JobLimits::ACTIVE_PROCESS.bits()
        && WVMI_JOB_LIMIT_PROCESS_MEMORY == JobLimits::PROCESS_MEMORY.bits()
        && WVMI_JOB_LIMIT_JOB_MEMORY == JobLimits::JOB_MEMORY.bits()
        && WVMI_JOB_LIMIT_BREAKAWAY_OK == JobLimits::BREAKAWAY_OK.bits()
        && WVMI_JOB_LIMIT_SILENT_BREAKAWAY_OK == JobLimits::SILENT_BREAKAWAY_OK.bits()
        && WVMI_JOB_LIMIT_KILL_ON_JOB_CLOSE == JobLimits::KILL_ON_JOB_CLOSE.bits()
);

/// The engine's job for an object's value.
pub fn job_at(windows: &Windows, job: wvmi_object) -> Result<JobObject<'_>> {
    let none = || Error::invalid_argument("job", "it is no job");
    job.get(windows).as_job()?.ok_or_else(none)
}

/// The details, and what could not be read.
pub fn describe(it: JobObject<'_>) -> (wvmi_job_details, Valid) {
    let mut valid = Valid::default();
    let v = &mut valid;
    let parent = it.parent().map(|parent| parent.map(|it| it.address()));
    let id = it.id();
    let id = id.and_then(|id| id.ok_or_else(|| Error::layout("_EJOB.JobId")));
    let details = wvmi_job_details {
        object: it.address().0,
        parent: v.take(WVMI_JOB_VALID_PARENT, or_zero(parent)),
        user_time: v.take(WVMI_JOB_VALID_USER_TIME, it.user_time()),
        kernel_time: v.take(WVMI_JOB_VALID_KERNEL_TIME, it.kernel_time()),
        process_memory_limit: v.take(
            WVMI_JOB_VALID_PROCESS_MEMORY_LIMIT,
            it.process_memory_limit(),
        ),
        job_memory_limit: v.take(WVMI_JOB_VALID_JOB_MEMORY_LIMIT, it.job_memory_limit()),
        minimum_working_set: v.take(WVMI_JOB_VALID_MINIMUM_WORKING_SET, it.minimum_working_set()),
        maximum_working_set: v.take(WVMI_JOB_VALID_MAXIMUM_WORKING_SET, it.maximum_working_set()),
        limits: v.take(WVMI_JOB_VALID_LIMITS, it.limits().map(|it| it.bits())),
        ui_restrictions: v.take(
            WVMI_JOB_VALID_UI_RESTRICTIONS,
            it.ui_restrictions().map(|it| it.bits()),
        ),
        active_process_limit: v.take(
            WVMI_JOB_VALID_ACTIVE_PROCESS_LIMIT,
            it.active_process_limit(),
        ),
        active_processes: v.take(WVMI_JOB_VALID_ACTIVE_PROCESSES, it.active_processes()),
        total_processes: v.take(WVMI_JOB_VALID_TOTAL_PROCESSES, it.total_processes()),
        terminated_processes: v.take(
            WVMI_JOB_VALID_TERMINATED_PROCESSES,
            it.terminated_processes(),
        ),
        session_id: v.take(WVMI_JOB_VALID_SESSION_ID, it.session_id()),
        id: v.take(WVMI_JOB_VALID_ID, id),
        valid: v.bits(),
    };
    (details, valid)
}

/// Tells everything but the processes about a job in one call;
/// `wvmi_process_iter_new_in_job()` lists those.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read;
/// `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
/// `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_job_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_job_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_job_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "job", |it| {
            let described = it.as_job()?.map(describe);
            described
                .map(|(details, valid)| valid.finish().map(|_| details))
                .transpose()
        })
    })
}

/// Gets the innermost job that a process belongs to (`_EPROCESS.Job`).
///
/// `job` receives the job's object.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a process in no job,
/// `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_job(
    session: *mut wvmi_session,
    process: wvmi_process,
    job: *mut wvmi_object,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_job") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(job, "job")?;
        let found = process.get(session.engine().windows()?).job();
        let none = || Error::not_found("job: the process is in none");
        let found = found.and_then(|found| found.ok_or_else(none));
        let found = found.about("process", process.object)?;
        output.write(wvmi_object::of(&found.object()));
        Ok(WVMI_OK)
    })
}

/// Begins an iteration over the active processes of a job, those of jobs nested
/// in it left out (`_EJOB.ProcessListHead`).
///
/// `job` is the job's object. `iter` receives the handle; free it with
/// `wvmi_process_iter_free()`. The `sources` of details are 0.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for an object of another
/// type; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_iter_new_in_job(
    session: *mut wvmi_session,
    job: wvmi_object,
    iter: *mut *mut wvmi_process_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_iter_new_in_job") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let members =
            wvmi_process_iter::linked(&session, |windows| Ok(job_at(windows, job)?.processes()));
        output.write(into_handle(members.about("object", job.object)?));
        Ok(WVMI_OK)
    })
}
