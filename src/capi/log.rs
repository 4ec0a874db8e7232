//! The log callback.

use std::{
    ffi::{CString, c_char, c_void},
    sync::Arc,
};

use super::{
    callback::{UserData, wvmi_release_callback},
    ffi::Call,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    error::{Error, Result},
    log::{self, Level, Record, Sink},
};

/// Importance of log records; one of the `WVMI_LOG_*` numbers.
pub type wvmi_log_level = u32;

/// No records at all.
pub const WVMI_LOG_OFF: wvmi_log_level = 0;
/// Something failed that no status reports.
pub const WVMI_LOG_ERROR: wvmi_log_level = 1;
/// Something is wrong, and the library works around it.
pub const WVMI_LOG_WARNING: wvmi_log_level = 2;
/// What happens, in a few lines per session.
pub const WVMI_LOG_INFO: wvmi_log_level = 3;
/// Why it happens.
pub const WVMI_LOG_DEBUG: wvmi_log_level = 4;
/// Every step.
pub const WVMI_LOG_TRACE: wvmi_log_level = 5;

/// Receives one log record.
///
/// `session` is the name of the session that the record is about, `""` for the
/// library as a whole; `message` is one line without a line end. Both are
/// UTF-8, never NULL and valid until the callback returns. `user_data` is what
/// `wvmi_set_log()` was given.
///
/// Called in the thread that made the record, possibly in several threads at
/// once. It may call any function of the library; records that this causes are
/// dropped. It must return: no `longjmp`, no C++ exception.
pub type wvmi_log_callback = Option<
    unsafe extern "C" fn(
        level: wvmi_log_level,
        session: *const c_char,
        message: *const c_char,
        user_data: *mut c_void,
    ),
>;

struct CallbackSink {
    callback: unsafe extern "C" fn(wvmi_log_level, *const c_char, *const c_char, *mut c_void),
    user_data: UserData,
}

impl Sink for CallbackSink {
    fn log(&self, record: &Record<'_>) {
        let session = c_text(record.session.to_owned());
        let message = c_text(record.message.to_string());
        // SAFETY: the host registered a function of this type for this user
        // data, and both texts live until it returns.
        unsafe {
            (self.callback)(
                record.level as u32,
                session.as_ptr(),
                message.as_ptr(),
                self.user_data.pointer(),
            );
        }
    }
}

/// One line without NULs, as a C string.
fn c_text(text: String) -> CString {
    CString::new(text.replace(['\0', '\n', '\r'], " ")).unwrap_or_default()
}

/// The engine's level, `None` for off.
fn level_of(level: wvmi_log_level) -> Result<Option<Level>> {
    Ok(Some(match level {
        WVMI_LOG_OFF => return Ok(None),
        WVMI_LOG_ERROR => Level::Error,
        WVMI_LOG_WARNING => Level::Warning,
        WVMI_LOG_INFO => Level::Info,
        WVMI_LOG_DEBUG => Level::Debug,
        WVMI_LOG_TRACE => Level::Trace,
        _ => return Err(Error::invalid_argument("level", "no WVMI_LOG_ number")),
    }))
}

/// Sends the library's log records to a callback.
///
/// The library prints nothing, ever; without this call records are dropped.
/// There is one callback per host process, for all sessions; a new one
/// replaces it, and `WVMI_LOG_OFF` or a NULL `callback` ends the logging. Calls
/// of the old callback that other threads are inside of may still be running
/// when this function returns; `release` tells when the last has ended.
///
/// `level` is the least important level that is wanted. `callback` receives
/// the records, `user_data` is passed to it and may be NULL, `release` releases
/// `user_data` and may be NULL.
///
/// Returns `WVMI_OK`, or `WVMI_ERROR_INVALID_ARGUMENT` for an unknown level;
/// then nothing is changed and `release` has been called.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_set_log(
    level: wvmi_log_level,
    callback: wvmi_log_callback,
    user_data: *mut c_void,
    release: wvmi_release_callback,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_set_log") };
    call.run(|| {
        let user_data = UserData::new(user_data, release);
        log::set_sink(level_of(level)?.zip(callback).map(|(level, callback)| {
            let sink = CallbackSink {
                callback,
                user_data,
            };
            (level, Arc::new(sink) as Arc<dyn Sink>)
        }));
        Ok(WVMI_OK)
    })
}
