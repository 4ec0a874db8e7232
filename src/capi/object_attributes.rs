//! `OBJECT_ATTRIBUTES`: which object a caller of the kernel means.

use std::ffi::c_char;

use super::{
    error::{About, Failure},
    ffi::{Call, Plain},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
    valid::Valid,
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{ObjectAttributes, Windows},
};

/// What a caller passed to name an object, filled by
/// `wvmi_object_attributes_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_object_attributes_details {
    /// Which of the other fields were read: `WVMI_OBJECT_ATTRIBUTES_VALID_*` bits.
    pub valid: u64,
    /// Handle of the object that the name is relative to; 0 for none
    /// (`_OBJECT_ATTRIBUTES.RootDirectory`).
    pub root_directory: u64,
    /// Flags as Windows numbers them, `OBJ_*` (`_OBJECT_ATTRIBUTES.Attributes`).
    pub attributes: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_object_attributes_details {}

/// `root_directory` was read.
pub const WVMI_OBJECT_ATTRIBUTES_VALID_ROOT_DIRECTORY: u64 = 1;
/// `attributes` was read.
pub const WVMI_OBJECT_ATTRIBUTES_VALID_ATTRIBUTES: u64 = 2;

/// The attributes at `address`, in the space of the process that passed them.
fn attributes(
    windows: &Windows,
    process: wvmi_process,
    address: u64,
) -> Result<ObjectAttributes<'_>> {
    let space = process.get(windows).space()?;
    Ok(ObjectAttributes::new(windows, space, Va(address)))
}

fn describe(it: &ObjectAttributes<'_>) -> Result<wvmi_object_attributes_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let mut details = wvmi_object_attributes_details {
        root_directory: v.take(
            WVMI_OBJECT_ATTRIBUTES_VALID_ROOT_DIRECTORY,
            it.root_directory(),
        ),
        attributes: v.take(WVMI_OBJECT_ATTRIBUTES_VALID_ATTRIBUTES, it.attributes()),
        ..wvmi_object_attributes_details::zeroed()
    };
    details.valid = valid.finish()?;
    Ok(details)
}

/// Tells what a caller passed to name an object, but for the name.
///
/// `address` is that of a 64-bit `_OBJECT_ATTRIBUTES` in the space of
/// `process`, as the kernel's functions get it (`NtCreateFile`: argument 2), from
/// 32-bit callers, too. `details` receives the facts, `size` is `sizeof
/// *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT`, with
/// the missing address in `wvmi_last_error()`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_attributes_info(
    session: *mut wvmi_session,
    process: wvmi_process,
    address: u64,
    details: *mut wvmi_object_attributes_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_attributes_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let windows = session.engine().windows()?;
        let found = attributes(windows, process, address).and_then(|it| describe(&it));
        output.write(found.about("object attributes", address)?);
        Ok(WVMI_OK)
    })
}

fn path(
    call: &Call,
    session: *mut wvmi_session,
    process: wvmi_process,
    thread: wvmi_thread,
    address: u64,
) -> Result<Vec<u16>, Failure> {
    let session = call.session(session)?;
    let windows = session.engine().windows()?;
    let thread = (thread.object != 0).then(|| thread.get(windows));
    let path = attributes(windows, process, address)
        .and_then(|it| it.path_utf16(process.get(windows), thread))
        .and_then(|path| path.ok_or_else(|| Error::not_found("a name: none was passed")));
    path.about("object attributes", address)
}

/// Reads the whole path of the object that a caller means: the path of the root
/// directory, whose handle is looked up, and the name.
///
/// `address` as in `wvmi_object_attributes_info()`. `process` is whose space and
/// handles they are: `attached` of an event's details. `thread` is needed for
/// the pseudo-handle -2 only; `{0}` is none. The text goes into `buffer` of
/// `capacity` bytes; `length` (may be NULL) receives its length.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
/// nothing is named, or the root directory's handle is not open or its object
/// has no path; `WVMI_ERROR_FAULT`, with the missing address in
/// `wvmi_last_error()`, which `wvmi_event_request_page()` brings in;
/// `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_attributes_path(
    session: *mut wvmi_session,
    process: wvmi_process,
    thread: wvmi_thread,
    address: u64,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_attributes_path") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = path(&call, session, process, thread, address)?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads the whole path of the object that a caller means, as UTF-16 units.
///
/// `units` receives at most `capacity` 16-bit units, without a terminator;
/// `count` (may be NULL) receives the number of units that the path has.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the path was cut, else
/// as `wvmi_object_attributes_path()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_attributes_path_utf16(
    session: *mut wvmi_session,
    process: wvmi_process,
    thread: wvmi_thread,
    address: u64,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_attributes_path_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&path(&call, session, process, thread, address)?)?;
        Ok(WVMI_OK)
    })
}
