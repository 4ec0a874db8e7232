//! Running the event loop of a session.

use std::time::Duration;

use super::{
    ffi::Call,
    gate,
    guard::Answer,
    session::{Shared, wvmi_session},
    status::{WVMI_OK, WVMI_STOPPED, WVMI_TIMEOUT, wvmi_status},
};
use crate::{
    error::{Error, Result},
    monitor::{Ended, LiveGuest},
};

/// Serves events in one of the two ways, and closes the session afterwards when
/// a callback asked for it.
fn serve(
    call: &Call,
    session: *mut wvmi_session,
    serve: impl FnOnce(&LiveGuest, &dyn Fn() -> bool) -> Result<Ended>,
) -> Answer {
    let inside = call.session(session)?;
    let watch = inside.engine().watch();
    let ended = serve(inside.live()?, &|| watch.is_cancelled());
    if inside.is_ending() {
        // Closing waits until everybody has left.
        drop(inside);
        gate::close(session)?;
        return Ok(WVMI_STOPPED);
    }
    match ended? {
        Ended::Stopped => Ok(WVMI_STOPPED),
        Ended::Woken | Ended::Handled(_) => Ok(WVMI_OK),
        Ended::TimedOut => Ok(WVMI_TIMEOUT),
        Ended::Closed => Err(Error::Closed.into()),
    }
}

/// Serves the events of a running guest: calls the callbacks of its hooks.
///
/// Returns when a callback answers `WVMI_ACTION_STOP` or
/// `wvmi_session_stop()` is called (`WVMI_STOPPED`), or after
/// `wvmi_session_wakeup()` (`WVMI_OK`). The hooks stay; the guest's processors
/// wait at hooked places until the loop runs again or the session is closed.
///
/// Returns `WVMI_STOPPED`, also when a callback closed the session; `WVMI_OK`;
/// `WVMI_ERROR_BUSY` when another thread runs the loop;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_CLOSED` when another thread closed the
/// session; `WVMI_ERROR_NOT_SUPPORTED` when the back end has no events; or
/// `WVMI_ERROR_BACK_END`.
///
/// Any thread, one at a time; not from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_run(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_run") };
    call.run(|| serve(&call, session, |live, cancelled| live.run(cancelled)))
}

/// Serves the events that are pending, or the first ones that come within
/// `timeout_ms` milliseconds.
///
/// Returns `WVMI_OK` when there were any, `WVMI_TIMEOUT` when there were none;
/// otherwise as `wvmi_session_run()`.
///
/// Any thread, one at a time; not from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_poll(
    session: *mut wvmi_session,
    timeout_ms: u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_poll") };
    let timeout = Duration::from_millis(timeout_ms.into());
    call.run(|| {
        serve(&call, session, |live, cancelled| {
            live.poll(timeout, cancelled)
        })
    })
}

/// Tells a descriptor for `poll(2)`, for programs with a loop of their own: it is
/// readable while `wvmi_session_poll()` has something to do.
///
/// `fd` receives it. It belongs to the session: neither read nor close it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or
/// `WVMI_ERROR_NOT_SUPPORTED` when the back end has none.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_fd(session: *mut wvmi_session, fd: *mut i32) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_fd") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(fd, "fd")?;
        output.write(session.live()?.fd()?);
        Ok(WVMI_OK)
    })
}

fn tell(call: &Call, session: *mut wvmi_session, tell: fn(&LiveGuest)) -> Answer {
    let inside = call.session(session)?;
    let shared: &Shared = &inside;
    tell(shared.live()?);
    Ok(WVMI_OK)
}

/// Ends `wvmi_session_run()` or `wvmi_session_poll()`, the current or the next
/// one, after the event it is at, with `WVMI_STOPPED`.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NOT_SUPPORTED`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_stop(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_stop") };
    call.run(|| tell(&call, session, LiveGuest::stop))
}

/// Ends the wait of `wvmi_session_run()` or `wvmi_session_poll()`, the current
/// or the next one, with `WVMI_OK`.
///
/// Async-signal-safe once the session has a hook or its loop has run, in
/// threads that have called the library before.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NOT_SUPPORTED`.
///
/// Any thread, also from a callback and from a signal handler.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_wakeup(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_wakeup") };
    call.run(|| tell(&call, session, LiveGuest::wakeup))
}
