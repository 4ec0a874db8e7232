//! Pausing and resuming a running guest.

use super::{
    ffi::Call,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};

/// Stops all processors of a running guest.
///
/// Pauses are counted: the guest goes on when each has been undone with
/// `wvmi_session_resume()`. Those that the session still holds when it is closed
/// are undone then. Hooks and the event loop work as before, and nothing new
/// happens while the guest is paused.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_SUPPORTED` when the back end cannot pause
/// (images of memory do not run), or `WVMI_ERROR_BACK_END`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_pause(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_pause") };
    call.run(|| {
        call.session(session)?.engine().pause()?;
        Ok(WVMI_OK)
    })
}

/// Undoes one `wvmi_session_pause()` of this session.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` when the session holds no pause,
/// `WVMI_ERROR_NOT_SUPPORTED`, or `WVMI_ERROR_BACK_END`: the guest is still
/// paused, call again.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_session_resume(session: *mut wvmi_session) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_session_resume") };
    call.run(|| {
        call.session(session)?.engine().resume()?;
        Ok(WVMI_OK)
    })
}
