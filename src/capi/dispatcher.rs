//! Objects that threads wait for: events, mutexes, semaphores, timers.

use super::{
    ffi::{Call, Plain},
    object::wvmi_object,
    object_info::fill,
    session::wvmi_session,
    status::wvmi_status,
    valid::{Valid, or_zero},
};
use crate::{
    error::Result,
    os::windows::{EventObject, MutantObject, ResetMode, SemaphoreObject, TimerObject},
};

/// How waiting resets an event or a timer; one of the `WVMI_RESET_*` numbers.
pub type wvmi_reset_mode = u32;

/// Not known, or damaged.
pub const WVMI_RESET_UNKNOWN: wvmi_reset_mode = 0;
/// It stays signalled until somebody resets it (a notification).
pub const WVMI_RESET_MANUAL: wvmi_reset_mode = 1;
/// It releases one waiter and resets itself (a synchronization).
pub const WVMI_RESET_AUTO: wvmi_reset_mode = 2;

const fn reset_number(mode: ResetMode) -> wvmi_reset_mode {
    match mode {
        ResetMode::Manual => WVMI_RESET_MANUAL,
        ResetMode::Auto => WVMI_RESET_AUTO,
        ResetMode::Unknown(_) => WVMI_RESET_UNKNOWN,
    }
}

/// What is known about an event object, filled by `wvmi_event_object_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_event_object_details {
    /// Which of the other fields were read: `WVMI_EVENT_OBJECT_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// How waiting resets it (`_KEVENT.Header.Type`).
    pub reset_mode: wvmi_reset_mode,
    /// 1 when it is set (`_KEVENT.Header.SignalState`).
    pub signalled: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_event_object_details {}

/// `reset_mode` was read.
pub const WVMI_EVENT_OBJECT_VALID_RESET_MODE: u64 = 1;
/// `signalled` was read.
pub const WVMI_EVENT_OBJECT_VALID_SIGNALLED: u64 = 2;

fn event_object_details(it: EventObject<'_>) -> Result<wvmi_event_object_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let reset_mode = it.reset_mode().map(reset_number);
    let signalled = it.is_signalled().map(u32::from);
    Ok(wvmi_event_object_details {
        object: it.object().address().0,
        reset_mode: v.take(WVMI_EVENT_OBJECT_VALID_RESET_MODE, reset_mode),
        signalled: v.take(WVMI_EVENT_OBJECT_VALID_SIGNALLED, signalled),
        valid: valid.finish()?,
    })
}

/// Tells everything about an event object, which threads wait for, in one call.
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
pub unsafe extern "C" fn wvmi_event_object_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_event_object_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_object_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "event", |it| {
            it.as_event()?.map(event_object_details).transpose()
        })
    })
}

/// What is known about a mutex, filled by `wvmi_mutant_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_mutant_details {
    /// Which of the other fields were read: `WVMI_MUTANT_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// The thread that owns it, as a `wvmi_thread`; 0 while it is free
    /// (`_KMUTANT.OwnerThread`).
    pub owner_thread: u64,
    /// 1 while it is free, less by one for each time that its owner acquired it
    /// (`_KMUTANT.Header.SignalState`).
    pub count: i32,
    /// 1 when an owner ended without releasing it (`_KMUTANT.Abandoned`).
    pub abandoned: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_mutant_details {}

/// `owner_thread` was read.
pub const WVMI_MUTANT_VALID_OWNER_THREAD: u64 = 1;
/// `count` was read.
pub const WVMI_MUTANT_VALID_COUNT: u64 = 2;
/// `abandoned` was read.
pub const WVMI_MUTANT_VALID_ABANDONED: u64 = 4;

fn mutant_details(it: MutantObject<'_>) -> Result<wvmi_mutant_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let owner = it.owner().map(|owner| owner.map(|it| it.object()));
    let abandoned = it.is_abandoned().map(u32::from);
    Ok(wvmi_mutant_details {
        object: it.object().address().0,
        owner_thread: v.take(WVMI_MUTANT_VALID_OWNER_THREAD, or_zero(owner)),
        count: v.take(WVMI_MUTANT_VALID_COUNT, it.count()),
        abandoned: v.take(WVMI_MUTANT_VALID_ABANDONED, abandoned),
        valid: valid.finish()?,
    })
}

/// Tells everything about a mutex (`Mutant`) in one call.
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
pub unsafe extern "C" fn wvmi_mutant_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_mutant_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_mutant_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "mutant", |it| {
            it.as_mutant()?.map(mutant_details).transpose()
        })
    })
}

/// What is known about a semaphore, filled by `wvmi_semaphore_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_semaphore_details {
    /// Which of the other fields were read: `WVMI_SEMAPHORE_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// How many more waits it lets pass (`_KSEMAPHORE.Header.SignalState`).
    pub count: i32,
    /// The highest count (`_KSEMAPHORE.Limit`).
    pub limit: i32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_semaphore_details {}

/// `count` was read.
pub const WVMI_SEMAPHORE_VALID_COUNT: u64 = 1;
/// `limit` was read.
pub const WVMI_SEMAPHORE_VALID_LIMIT: u64 = 2;

fn semaphore_details(it: SemaphoreObject<'_>) -> Result<wvmi_semaphore_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    Ok(wvmi_semaphore_details {
        object: it.object().address().0,
        count: v.take(WVMI_SEMAPHORE_VALID_COUNT, it.count()),
        limit: v.take(WVMI_SEMAPHORE_VALID_LIMIT, it.limit()),
        valid: valid.finish()?,
    })
}

/// Tells everything about a semaphore in one call.
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
pub unsafe extern "C" fn wvmi_semaphore_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_semaphore_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_semaphore_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "semaphore", |it| {
            it.as_semaphore()?.map(semaphore_details).transpose()
        })
    })
}

/// What is known about a timer, filled by `wvmi_timer_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_timer_details {
    /// Which of the other fields were read: `WVMI_TIMER_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// When it runs out, in units of 100 ns since the system started
    /// (`_KTIMER.DueTime`).
    pub due_time: u64,
    /// Interval in milliseconds; 0 for a timer that runs once
    /// (`_ETIMER.Period`).
    pub period: u32,
    /// How waiting resets it (`_KTIMER.Header.Type`).
    pub reset_mode: wvmi_reset_mode,
    /// 1 when it has run out (`_KTIMER.Header.SignalState`).
    pub signalled: u32,
    /// 1 while it runs (`_KTIMER.Header.Inserted`).
    pub running: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_timer_details {}

/// `due_time` was read.
pub const WVMI_TIMER_VALID_DUE_TIME: u64 = 1;
/// `period` was read.
pub const WVMI_TIMER_VALID_PERIOD: u64 = 2;
/// `reset_mode` was read.
pub const WVMI_TIMER_VALID_RESET_MODE: u64 = 4;
/// `signalled` was read.
pub const WVMI_TIMER_VALID_SIGNALLED: u64 = 8;
/// `running` was read.
pub const WVMI_TIMER_VALID_RUNNING: u64 = 0x10;

fn timer_details(it: TimerObject<'_>) -> Result<wvmi_timer_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let reset_mode = it.reset_mode().map(reset_number);
    let signalled = it.is_signalled().map(u32::from);
    let running = it.is_running().map(u32::from);
    Ok(wvmi_timer_details {
        object: it.object().address().0,
        due_time: v.take(WVMI_TIMER_VALID_DUE_TIME, it.due_time()),
        period: v.take(WVMI_TIMER_VALID_PERIOD, it.period()),
        reset_mode: v.take(WVMI_TIMER_VALID_RESET_MODE, reset_mode),
        signalled: v.take(WVMI_TIMER_VALID_SIGNALLED, signalled),
        running: v.take(WVMI_TIMER_VALID_RUNNING, running),
        valid: valid.finish()?,
    })
}

/// Tells everything about a timer in one call.
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
pub unsafe extern "C" fn wvmi_timer_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_timer_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_timer_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "timer", |it| {
            it.as_timer()?.map(timer_details).transpose()
        })
    })
}
