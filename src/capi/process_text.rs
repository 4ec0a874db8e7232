//! Texts of a process: command line and paths.

use std::ffi::c_char;

use super::{
    error::{About, Failure},
    ffi::Call,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    error::{Error, Result},
    os::windows::{ParameterText, Process, ProcessParameters},
};

/// A text of a process; one of the `WVMI_PROCESS_TEXT_*` numbers.
pub type wvmi_process_text_kind = u32;

/// Path of the executable in the kernel's words
/// (`_EPROCESS.SeAuditProcessCreationInfo`), which the process cannot change.
pub const WVMI_PROCESS_TEXT_KERNEL_IMAGE_PATH: wvmi_process_text_kind = 0;
/// Path of the executable in the process's words (`ImagePathName`).
pub const WVMI_PROCESS_TEXT_IMAGE_PATH: wvmi_process_text_kind = 1;
/// Command line (`CommandLine`).
pub const WVMI_PROCESS_TEXT_COMMAND_LINE: wvmi_process_text_kind = 2;
/// Current directory (`CurrentDirectory.DosPath`).
pub const WVMI_PROCESS_TEXT_CURRENT_DIRECTORY: wvmi_process_text_kind = 3;
/// Directories that DLLs are looked for in (`DllPath`).
pub const WVMI_PROCESS_TEXT_DLL_PATH: wvmi_process_text_kind = 4;
/// Title of the first window (`WindowTitle`).
pub const WVMI_PROCESS_TEXT_WINDOW_TITLE: wvmi_process_text_kind = 5;
/// Window station and desktop (`DesktopInfo`).
pub const WVMI_PROCESS_TEXT_DESKTOP: wvmi_process_text_kind = 6;

/// Added to one of the other numbers: the text of the native, 64-bit block of a
/// WoW64 process instead of that of its own code.
pub const WVMI_PROCESS_TEXT_NATIVE: wvmi_process_text_kind = 0x100;

/// UTF-16 units of a text.
fn units(process: &Process<'_>, kind: wvmi_process_text_kind) -> Result<Vec<u16>> {
    let native = kind & WVMI_PROCESS_TEXT_NATIVE != 0;
    let text = match kind & !WVMI_PROCESS_TEXT_NATIVE {
        WVMI_PROCESS_TEXT_KERNEL_IMAGE_PATH => {
            let path = process.image_path_utf16()?;
            return path.ok_or_else(|| Error::not_found("image path: the process has none"));
        }
        WVMI_PROCESS_TEXT_IMAGE_PATH => ParameterText::ImagePath,
        WVMI_PROCESS_TEXT_COMMAND_LINE => ParameterText::CommandLine,
        WVMI_PROCESS_TEXT_CURRENT_DIRECTORY => ParameterText::CurrentDirectory,
        WVMI_PROCESS_TEXT_DLL_PATH => ParameterText::DllPath,
        WVMI_PROCESS_TEXT_WINDOW_TITLE => ParameterText::WindowTitle,
        WVMI_PROCESS_TEXT_DESKTOP => ParameterText::Desktop,
        _ => {
            let reason = "no WVMI_PROCESS_TEXT_ number";
            return Err(Error::invalid_argument("kind", reason));
        }
    };
    parameters(process, native)?.text_utf16(text)
}

pub(super) fn parameters<'a>(process: &Process<'a>, native: bool) -> Result<ProcessParameters<'a>> {
    let missing = || Error::not_found("process parameters: the process has none");
    let peb = match native {
        true => process.native_environment_block()?,
        false => process.environment_block()?,
    };
    let peb = peb.ok_or_else(missing)?;
    peb.parameters()?.ok_or_else(missing)
}

fn read(
    call: &Call,
    session: *mut wvmi_session,
    process: wvmi_process,
    kind: wvmi_process_text_kind,
) -> Result<Vec<u16>, Failure> {
    let session = call.session(session)?;
    let units = units(&process.get(session.engine().windows()?), kind);
    units.about("process", process.object)
}

/// Reads a text of a process.
///
/// Unpaired surrogates become U+FFFD, and embedded NULs are kept and counted in
/// `length`; `wvmi_process_text_utf16()` gives the units as they are.
///
/// All but the kernel's image path are the process's own words: what it was
/// started with, and may have changed since.
///
/// `kind` chooses the text. It goes into `buffer` of `capacity` bytes; `length`
/// (may be NULL) receives its length.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
/// the process has no such text, as system processes have none;
/// `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_text(
    session: *mut wvmi_session,
    process: wvmi_process,
    kind: wvmi_process_text_kind,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_text") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = read(&call, session, process, kind)?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads a text of a process without loss, as UTF-16 units.
///
/// `kind` chooses the text. `units` receives at most `capacity` 16-bit units,
/// without a terminator; `count` (may be NULL) receives the number of units that
/// the text has.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when the text was cut, else
/// as `wvmi_process_text()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_text_utf16(
    session: *mut wvmi_session,
    process: wvmi_process,
    kind: wvmi_process_text_kind,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_text_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&read(&call, session, process, kind)?)?;
        Ok(WVMI_OK)
    })
}
