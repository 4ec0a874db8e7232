//! Names and paths of the kernel's modules.

use std::ffi::c_char;

use super::{
    error::{About, Failure},
    ffi::Call,
    module::wvmi_module,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::{error::Result, os::windows::Module};

/// UTF-16 units of a text of a module.
fn units(
    call: &Call,
    session: *mut wvmi_session,
    module: wvmi_module,
    get: impl FnOnce(&Module<'_>) -> Result<Vec<u16>>,
) -> Result<Vec<u16>, Failure> {
    let session = call.session(session)?;
    let text = get(&module.get(session.engine().windows()?));
    text.about("module", module.entry)
}

/// Reads the file name of a module of the kernel (`BaseDllName`).
///
/// The name goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL`, `WVMI_ERROR_FAULT`,
/// `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_name(
    session: *mut wvmi_session,
    module: wvmi_module,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_name") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = units(&call, session, module, |it| it.name_utf16())?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads the full path of a module of the kernel (`FullDllName`), as
/// `wvmi_module_name()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_path(
    session: *mut wvmi_session,
    module: wvmi_module,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_path") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = units(&call, session, module, |it| it.path_utf16())?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads the file name of a module of the kernel without loss, as UTF-16 units.
///
/// `units` receives at most `capacity` 16-bit units, without a terminator;
/// `count` (may be NULL) receives the number of units that the name has.
///
/// Returns as `wvmi_module_name()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_name_utf16(
    session: *mut wvmi_session,
    module: wvmi_module,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_name_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&self::units(&call, session, module, |it| it.name_utf16())?)?;
        Ok(WVMI_OK)
    })
}

/// Reads the full path of a module of the kernel without loss, as
/// `wvmi_module_name_utf16()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_module_path_utf16(
    session: *mut wvmi_session,
    module: wvmi_module,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_module_path_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&self::units(&call, session, module, |it| it.path_utf16())?)?;
        Ok(WVMI_OK)
    })
}
