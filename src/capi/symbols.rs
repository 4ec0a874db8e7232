//! Symbols and layouts of the kernel, by name and by address.

use std::ffi::c_char;

use super::{
    ffi::{Call, Plain, copy_text},
    session::wvmi_session,
    status::{WVMI_ERROR_NOT_FOUND, WVMI_OK, wvmi_status},
};
use crate::{
    core::Va,
    error::{Error, Result},
    session::Session,
};

/// Finds the address of a symbol.
///
/// `name` is UTF-8: `"nt!NtCreateFile"`, or without a module for the kernel;
/// case counts. `address` receives its virtual address.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8,
/// `WVMI_ERROR_NOT_SUPPORTED` for other modules than `nt`,
/// `WVMI_ERROR_NO_KERNEL`, or `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_symbol_address(
    session: *mut wvmi_session,
    name: *const c_char,
    address: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_symbol_address") };
    call.run(|| {
        let session = call.session(session)?;
        let name = call.text(name, "name")?;
        let output = call.output(address, "address")?;
        let name = kernel_symbol(name)?;
        output.write(session.engine().windows()?.symbol(name)?.0);
        Ok(WVMI_OK)
    })
}

/// The name without the kernel's module name.
fn kernel_symbol(name: &str) -> Result<&str> {
    match name.split_once('!') {
        None => Ok(name),
        Some((module, name)) if module.eq_ignore_ascii_case("nt") => Ok(name),
        Some((module, _)) => Err(Error::not_supported(format!(
            "symbols of {module}: only those of nt, the kernel, are loaded"
        ))),
    }
}

/// The symbol at or before an address, filled by `wvmi_symbols_at()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_symbol_match {
    /// Address of the symbol.
    pub address: u64,
    /// Distance from the symbol to the address that was asked, in bytes.
    pub displacement: u64,
    /// Length of the whole name, which may be cut in `name`.
    pub name_length: usize,
    /// `WVMI_OK`, or `WVMI_ERROR_NOT_FOUND` for an address outside of the
    /// kernel's image or before its first symbol.
    pub status: wvmi_status,
    /// Always 0.
    pub reserved: u32,
    /// Name without the module's, NUL-terminated.
    pub name: [c_char; 256],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_symbol_match {}

/// Finds the symbols of the kernel at or before many addresses.
///
/// `addresses` are `count` virtual addresses; it may be NULL when `count` is 0.
/// `matches` receives one answer for each, `stride` bytes apart (`sizeof
/// *matches`).
///
/// Returns `WVMI_OK` when all addresses were looked up, whatever was found;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_symbols_at(
    session: *mut wvmi_session,
    addresses: *const u64,
    count: usize,
    matches: *mut wvmi_symbol_match,
    stride: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_symbols_at") };
    call.run(|| {
        let session = call.session(session)?;
        session.engine().windows()?;
        let addresses = call.slice(addresses, count, "addresses")?;
        if addresses.is_empty() {
            return Ok(WVMI_OK);
        }
        let array = call.array_output(matches, stride, count, "matches")?;
        let watch = session.engine().watch();
        for (index, &address) in addresses.iter().enumerate() {
            watch.check()?;
            array.write(index, symbol_at(session.engine(), address)?);
        }
        Ok(WVMI_OK)
    })
}

fn symbol_at(session: &Session, address: u64) -> Result<wvmi_symbol_match> {
    Ok(match session.nearest_symbol(Va(address))? {
        Some((name, displacement)) => wvmi_symbol_match {
            address: address.wrapping_sub(displacement),
            displacement,
            name_length: name.len(),
            name: copy_text(name),
            ..wvmi_symbol_match::zeroed()
        },
        None => wvmi_symbol_match {
            status: WVMI_ERROR_NOT_FOUND,
            ..wvmi_symbol_match::zeroed()
        },
    })
}

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
