//! Environments of processes.

use std::ffi::c_char;

use super::{
    error::{About, Failure},
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    process::wvmi_process,
    process_text::parameters,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    walk::{Texts, Walk},
};
use crate::{
    error::Result,
    os::windows::{Environment, Variable},
};

/// A variable of a process's environment, filled by
/// `wvmi_environment_iter_next()` and `wvmi_environment_iter_next_many()`.
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
    /// Name without loss, as UTF-16 units without a terminator; valid as long.
    pub name_utf16: *const u16,
    /// Number of units of `name_utf16`.
    pub name_utf16_length: usize,
    /// Value, as `name_utf16`.
    pub value_utf16: *const u16,
    /// Number of units of `value_utf16`.
    pub value_utf16_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_variable {}

fn describe(variable: &Variable, texts: &mut Texts) -> wvmi_variable {
    let (name, name_length) = texts.keep(variable.name());
    let (value, value_length) = texts.keep(variable.value());
    let (name_utf16, name_utf16_length) = texts.keep_units(variable.name_utf16());
    let (value_utf16, value_utf16_length) = texts.keep_units(variable.value_utf16());
    wvmi_variable {
        name,
        name_length,
        value,
        value_length,
        name_utf16,
        name_utf16_length,
        value_utf16,
        value_utf16_length,
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
        output.write(begin(&session, process, false)?);
        Ok(WVMI_OK)
    })
}

/// Begins an iteration over the environment variables in the native, 64-bit
/// block of a process; that of a WoW64 process is another one than its own code
/// uses.
///
/// As `wvmi_environment_iter_new()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_environment_iter_new_native(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_environment_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_environment_iter_new_native") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(begin(&session, process, true)?);
        Ok(WVMI_OK)
    })
}

fn begin(
    session: &Inside,
    process: wvmi_process,
    native: bool,
) -> Result<*mut wvmi_environment_iter, Failure> {
    let walk = variables(session, process, native).about("process", process.object)?;
    Ok(into_handle(wvmi_environment_iter {
        walk,
        texts: Texts::default(),
    }))
}

fn variables(
    session: &Inside,
    process: wvmi_process,
    native: bool,
) -> Result<Walk<Environment<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the variables
    // that it yields own their texts.
    unsafe {
        Walk::new(session, |engine| {
            parameters(&process.get(engine.windows()?), native)?.environment()
        })
    }
}

/// Gets the next variable, in the order of the environment.
///
/// `variable` receives it, `size` is `sizeof *variable`; its texts are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a page is absent (the iteration
/// goes on with the next whole variable); `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_environment_iter_next(
    iter: *mut wvmi_environment_iter,
    variable: *mut wvmi_variable,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_environment_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(variable, size, "variable")?;
        let wvmi_environment_iter { walk, texts } = iter;
        texts.clear();
        walk.next(&call, |_, variable| {
            output.write(describe(&variable, texts))
        })
    })
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
