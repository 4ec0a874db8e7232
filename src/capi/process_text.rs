//! Texts of a process: command line, paths and environment.

use std::ffi::c_char;

use super::{
    error::{About, Failure},
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::{Texts, Walk},
};
use crate::{
    error::{Error, Result},
    os::windows::{Environment, ParameterText, Process, ProcessParameters, Variable},
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

/// UTF-16 units of a text.
fn units(process: &Process<'_>, kind: wvmi_process_text_kind) -> Result<Vec<u16>> {
    let text = match kind {
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
    parameters(process)?.text_utf16(text)
}

fn parameters<'a>(process: &Process<'a>) -> Result<ProcessParameters<'a>> {
    let missing = || Error::not_found("process parameters: the process has none");
    let peb = process.environment_block()?.ok_or_else(missing)?;
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

/// A variable of a process's environment, filled by
/// `wvmi_environment_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_variable {
    /// Name, UTF-8, NUL-terminated, valid until the iterator's next call. Names
    /// that begin with `=` hold the current directories of drives.
    pub name: *const c_char,
    /// Length of `name` in bytes.
    pub name_length: usize,
    /// Value, as `name`.
    pub value: *const c_char,
    /// Length of `value` in bytes.
    pub value_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_variable {}

fn describe(variable: &Variable, texts: &mut Texts) -> wvmi_variable {
    let (name, name_length) = texts.keep(variable.name());
    let (value, value_length) = texts.keep(variable.value());
    wvmi_variable {
        name,
        name_length,
        value,
        value_length,
    }
}

/// An iteration over the environment of a process; made by
/// `wvmi_environment_iter_new()`.
pub struct wvmi_environment_iter {
    walk: Walk<Environment<'static>>,
    texts: Texts,
}

/// Begins an iteration over the environment variables of a process.
///
/// `iter` receives the handle; free it with `wvmi_environment_iter_free()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the process has no
/// environment; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_environment_iter_new(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_environment_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_environment_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let walk = variables(&session, process).about("process", process.object)?;
        output.write(into_handle(wvmi_environment_iter {
            walk,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn variables(session: &Inside, process: wvmi_process) -> Result<Walk<Environment<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the variables
    // that it yields own their texts.
    unsafe {
        Walk::new(session, |engine| {
            parameters(&process.get(engine.windows()?))?.environment()
        })
    }
}

/// Gets many variables at once, in the order of the environment.
///
/// `variables` receives at most `capacity` of them, `stride` bytes apart
/// (`sizeof *variables`); `count` receives how many, on every return. Their
/// texts are valid until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one variable; `WVMI_END` with none;
/// `WVMI_GAP` with those before a page that is absent, perhaps none;
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_environment_iter_next_many(
    iter: *mut wvmi_environment_iter,
    variables: *mut wvmi_variable,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_environment_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(variables, stride, capacity, "variables")?;
        let wvmi_environment_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |_, variable| {
            describe(&variable, texts)
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_environment_iter_free(iter: *mut wvmi_environment_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_environment_iter_free") };
    call.free(iter);
}
