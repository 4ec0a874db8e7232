//! Layouts of the kernel's types, by name.

use std::ffi::c_char;

use super::{
    ffi::{Call, Plain},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::error::Error;

/// Tells the size of a structure or union of the kernel.
///
/// `structure` is its name (`"_EPROCESS"`), UTF-8. `size` receives its size in
/// bytes.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_struct_size(
    session: *mut wvmi_session,
    structure: *const c_char,
    size: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_struct_size") };
    call.run(|| {
        let session = call.session(session)?;
        let structure = call.text(structure, "structure")?;
        let output = call.output(size, "size")?;
        let found = session.engine().windows()?.profile().struct_size(structure);
        output.write(found.ok_or_else(|| Error::not_found(format!("structure {structure}")))?);
        Ok(WVMI_OK)
    })
}

/// Where a member of a structure is, filled by `wvmi_field_offset()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_field {
    /// Offset from the start of the outermost structure, in bytes.
    pub offset: u64,
    /// Size in bytes; of a bit field, that of the integer that holds it; 0
    /// where the symbols do not tell.
    pub size: u64,
    /// Lowest bit of a bit field.
    pub bit_position: u32,
    /// Number of bits of a bit field; 0 for other members.
    pub bit_length: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_field {}

/// Tells where a member of a structure of the kernel is.
///
/// `structure` is the structure's name (`"_EPROCESS"`), `path` the member's,
/// with dots for members of members (`"Pcb.DirectoryTableBase"`), both UTF-8;
/// members of unnamed structures are named directly. `field` receives the
/// place, `size` is `sizeof *field`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_field_offset(
    session: *mut wvmi_session,
    structure: *const c_char,
    path: *const c_char,
    field: *mut wvmi_field,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_field_offset") };
    call.run(|| {
        let session = call.session(session)?;
        let structure = call.text(structure, "structure")?;
        let path = call.text(path, "path")?;
        let output = call.sized_output(field, size, "field")?;
        let found = session.engine().windows()?.profile().field(structure, path);
        let found = found.ok_or_else(|| Error::not_found(format!("field {structure}.{path}")))?;
        output.write(wvmi_field {
            offset: found.offset,
            size: found.size,
            bit_position: found.bits.map_or(0, |bits| bits.position as u32),
            bit_length: found.bits.map_or(0, |bits| bits.length as u32),
        });
        Ok(WVMI_OK)
    })
}

/// Tells the value of a constant of an enumeration of the kernel.
///
/// `enumeration` is the enumeration's name (`"_POOL_TYPE"`), `constant` the
/// constant's (`"NonPagedPool"`), both UTF-8. `value` receives the value.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT` when a name is not UTF-8,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_enum_value(
    session: *mut wvmi_session,
    enumeration: *const c_char,
    constant: *const c_char,
    value: *mut i64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_enum_value") };
    call.run(|| {
        let session = call.session(session)?;
        let enumeration = call.text(enumeration, "enumeration")?;
        let constant = call.text(constant, "constant")?;
        let output = call.output(value, "value")?;
        let profile = session.engine().windows()?.profile();
        let found = profile.enum_value(enumeration, constant);
        output.write(found.ok_or_else(|| {
            Error::not_found(format!("constant {constant} of enumeration {enumeration}"))
        })?);
        Ok(WVMI_OK)
    })
}
