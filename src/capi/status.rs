//! Status codes: explicit numbers, append-only, in blocks.

use std::ffi::{CStr, c_char};

use crate::error::Error;

/// Outcome of a call; one of the `WVMI_OK`, `WVMI_END`, ... numbers.
///
/// Zero is success, positive numbers are expected outcomes, negative numbers
/// are errors. Numbers are never reused or changed; a newer library may return
/// numbers that this header does not name, so test for `< 0` to catch errors.
/// `wvmi_last_error()` tells the details, `wvmi_status_name()` the name.
pub type wvmi_status = i32;

/// The call did what it was asked to do.
pub const WVMI_OK: wvmi_status = 0;

/// Outcome: the iteration is over. Repeated by every further call.
pub const WVMI_END: wvmi_status = 1;
/// Outcome: an element could not be read and was left out; the iteration goes
/// on with the next call. `wvmi_last_error()` tells what and why.
pub const WVMI_GAP: wvmi_status = 2;
/// Outcome: the time was up before anything happened.
pub const WVMI_TIMEOUT: wvmi_status = 3;
/// Outcome: a callback asked to stop.
pub const WVMI_STOPPED: wvmi_status = 4;

/// A pointer that the call requires is NULL; the message names the argument.
pub const WVMI_ERROR_NULL_ARGUMENT: wvmi_status = -1;
/// An argument has a value that the call does not accept; the message names it.
pub const WVMI_ERROR_INVALID_ARGUMENT: wvmi_status = -2;
/// The answer was cut to the buffer; the needed length was reported.
pub const WVMI_ERROR_BUFFER_TOO_SMALL: wvmi_status = -3;

/// This build, back end or guest cannot do what was asked.
pub const WVMI_ERROR_NOT_SUPPORTED: wvmi_status = -100;
/// What was asked for does not exist.
pub const WVMI_ERROR_NOT_FOUND: wvmi_status = -101;
/// The symbols of the module are not available; the message names the PDB, its
/// GUID and age, and where it was looked for.
pub const WVMI_ERROR_NO_SYMBOLS: wvmi_status = -102;
/// No Windows kernel was found in the guest.
pub const WVMI_ERROR_NO_KERNEL: wvmi_status = -103;
/// The symbols lack a type, field or symbol that the call needs.
pub const WVMI_ERROR_NO_LAYOUT: wvmi_status = -104;

/// A memory access failed; the last error holds address, root, level and kind.
pub const WVMI_ERROR_FAULT: wvmi_status = -200;
/// A guest structure contradicts itself.
pub const WVMI_ERROR_CORRUPT: wvmi_status = -201;

/// A file is not what it claims to be, or is damaged.
pub const WVMI_ERROR_FORMAT: wvmi_status = -300;
/// The operating system refused something.
pub const WVMI_ERROR_IO: wvmi_status = -301;
/// The back end failed.
pub const WVMI_ERROR_BACK_END: wvmi_status = -302;

/// The session was closed.
pub const WVMI_ERROR_CLOSED: wvmi_status = -400;
/// The call was ended by `wvmi_session_cancel()` or by a callback.
pub const WVMI_ERROR_CANCELLED: wvmi_status = -401;
/// The call is not possible from where it was made.
pub const WVMI_ERROR_BUSY: wvmi_status = -402;
/// Another callback of the same event decided otherwise; its decision stays.
pub const WVMI_ERROR_CONFLICT: wvmi_status = -403;
/// A page is not in memory, and the guest cannot be made to bring it in.
pub const WVMI_ERROR_NOT_RESIDENT: wvmi_status = -404;

/// The library itself failed. The call had no effect, the host is unharmed;
/// please report the message.
pub const WVMI_ERROR_INTERNAL: wvmi_status = -900;

/// Status of an engine error.
pub fn status_of(error: &Error) -> wvmi_status {
    match error {
        Error::Fault(_) => WVMI_ERROR_FAULT,
        Error::NullArgument { .. } => WVMI_ERROR_NULL_ARGUMENT,
        Error::InvalidArgument { .. } => WVMI_ERROR_INVALID_ARGUMENT,
        Error::BufferTooSmall { .. } => WVMI_ERROR_BUFFER_TOO_SMALL,
        Error::NotSupported { .. } => WVMI_ERROR_NOT_SUPPORTED,
        Error::NotFound { .. } => WVMI_ERROR_NOT_FOUND,
        Error::NoSymbols(_) => WVMI_ERROR_NO_SYMBOLS,
        Error::NoKernel { .. } => WVMI_ERROR_NO_KERNEL,
        Error::Layout { .. } => WVMI_ERROR_NO_LAYOUT,
        Error::Corrupt { .. } => WVMI_ERROR_CORRUPT,
        Error::Format { .. } => WVMI_ERROR_FORMAT,
        Error::Io { .. } => WVMI_ERROR_IO,
        Error::BackEnd { .. } => WVMI_ERROR_BACK_END,
        Error::Closed => WVMI_ERROR_CLOSED,
        Error::Cancelled => WVMI_ERROR_CANCELLED,
        Error::Busy { .. } => WVMI_ERROR_BUSY,
        Error::Conflict { .. } => WVMI_ERROR_CONFLICT,
        Error::NotResident { .. } => WVMI_ERROR_NOT_RESIDENT,
        Error::Internal { .. } => WVMI_ERROR_INTERNAL,
    }
}

const fn name_of(status: wvmi_status) -> &'static CStr {
    match status {
        WVMI_OK => c"WVMI_OK",
        WVMI_END => c"WVMI_END",
        WVMI_GAP => c"WVMI_GAP",
        WVMI_TIMEOUT => c"WVMI_TIMEOUT",
        WVMI_STOPPED => c"WVMI_STOPPED",
        WVMI_ERROR_NULL_ARGUMENT => c"WVMI_ERROR_NULL_ARGUMENT",
        WVMI_ERROR_INVALID_ARGUMENT => c"WVMI_ERROR_INVALID_ARGUMENT",
        WVMI_ERROR_BUFFER_TOO_SMALL => c"WVMI_ERROR_BUFFER_TOO_SMALL",
        WVMI_ERROR_NOT_SUPPORTED => c"WVMI_ERROR_NOT_SUPPORTED",
        WVMI_ERROR_NOT_FOUND => c"WVMI_ERROR_NOT_FOUND",
        WVMI_ERROR_NO_SYMBOLS => c"WVMI_ERROR_NO_SYMBOLS",
        WVMI_ERROR_NO_KERNEL => c"WVMI_ERROR_NO_KERNEL",
        WVMI_ERROR_NO_LAYOUT => c"WVMI_ERROR_NO_LAYOUT",
        WVMI_ERROR_FAULT => c"WVMI_ERROR_FAULT",
        WVMI_ERROR_CORRUPT => c"WVMI_ERROR_CORRUPT",
        WVMI_ERROR_FORMAT => c"WVMI_ERROR_FORMAT",
        WVMI_ERROR_IO => c"WVMI_ERROR_IO",
        WVMI_ERROR_BACK_END => c"WVMI_ERROR_BACK_END",
        WVMI_ERROR_CLOSED => c"WVMI_ERROR_CLOSED",
        WVMI_ERROR_CANCELLED => c"WVMI_ERROR_CANCELLED",
        WVMI_ERROR_BUSY => c"WVMI_ERROR_BUSY",
        WVMI_ERROR_CONFLICT => c"WVMI_ERROR_CONFLICT",
        WVMI_ERROR_NOT_RESIDENT => c"WVMI_ERROR_NOT_RESIDENT",
        WVMI_ERROR_INTERNAL => c"WVMI_ERROR_INTERNAL",
        _ => c"unknown status",
    }
}

/// Name of a status, spelled as in this header.
///
/// `status` may be any number.
///
/// Returns a static string: `"WVMI_ERROR_FAULT"`, or `"unknown status"`. Never
/// NULL, never to be freed.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn wvmi_status_name(status: wvmi_status) -> *const c_char {
    name_of(status).as_ptr()
}
