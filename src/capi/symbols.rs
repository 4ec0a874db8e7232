//! Symbols by name and by address, of the kernel, its modules and those of
//! processes.

use std::ffi::c_char;

use super::{
    architecture::{wanted, wvmi_architecture},
    error::About,
    ffi::{ArrayOutput, Call, Plain, copy_text},
    gate::Inside,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_ERROR_NOT_FOUND, WVMI_OK, status_of, wvmi_status},
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::Process,
    session::SymbolFinder,
};

/// Finds the address of a symbol of the kernel or of one of its modules.
///
/// `name` is UTF-8: `"nt!NtCreateFile"`, `"tcpip!TcpSend"`, or without a module
/// for the kernel. A module is named by its file, whose extension may be left out
/// and whose case does not count; that of the symbol does. The module's PDB, ISF
/// or ISR tells where the configuration's places have it, else its export table,
/// of which `"hal!#7"` names an ordinal. `address` receives its virtual address.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_FAULT` when the
/// module's headers or exports are not in memory; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT` when the name is not UTF-8;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
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
        output.write(session.engine().kernel_symbol(name)?.0);
        Ok(WVMI_OK)
    })
}

/// Finds the address of a symbol of a module of a process.
///
/// `name` is UTF-8: `"ntdll!NtCreateFile"`, as with `wvmi_symbol_address()`, but
/// the module is never left out. Forwarded exports lead to where they lead the
/// process. `architecture` tells native and WoW64 modules of one name apart: one
/// of `WVMI_ARCHITECTURE_*`. `address` receives the address in the process.
///
/// Returns as `wvmi_symbol_address()`, and `WVMI_ERROR_INVALID_ARGUMENT` for a
/// name without a module and for another `architecture`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_symbol_address(
    session: *mut wvmi_session,
    process: wvmi_process,
    name: *const c_char,
    architecture: wvmi_architecture,
    address: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_symbol_address") };
    call.run(|| {
        let session = call.session(session)?;
        let name = call.text(name, "name")?;
        let architecture = wanted(architecture)?;
        let output = call.output(address, "address")?;
        let engine = session.engine();
        let found = engine.user_symbol(&process.get(engine.windows()?), name, architecture);
        output.write(found.about("process", process.object)?.0);
        Ok(WVMI_OK)
    })
}

/// The symbol at or before an address, filled by `wvmi_symbols_at()` and
/// `wvmi_process_symbols_at()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_symbol_match {
    /// Address of the symbol.
    pub address: u64,
    /// Distance from the symbol to the address that was asked, in bytes.
    pub displacement: u64,
    /// Length of the whole name, which may be cut in `name`.
    pub name_length: usize,
    /// `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` for an address outside of all modules or
    /// before a module's first symbol; `WVMI_ERROR_FAULT` or `WVMI_ERROR_CORRUPT`
    /// when the module's exports cannot be read and it has no other symbols.
    pub status: wvmi_status,
    /// Always 0.
    pub reserved: u32,
    /// Name without the module's, NUL-terminated; of an export without a name its
    /// ordinal, `"#7"`.
    pub name: [c_char; 256],
    /// Base of the module.
    pub module_base: u64,
    /// File name of the module, `"nt"` for the kernel, NUL-terminated, cut when it
    /// is longer.
    pub module_name: [c_char; 64],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_symbol_match {}

/// Finds the symbols of the kernel and its modules at or before many addresses.
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
        find_all(&session, None, addresses, &array)?;
        Ok(WVMI_OK)
    })
}

/// Finds the symbols at or before many addresses, of the modules of a process
/// and of the kernel.
///
/// The arguments are those of `wvmi_symbols_at()`; user addresses are the
/// process's.
///
/// Returns as `wvmi_symbols_at()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_symbols_at(
    session: *mut wvmi_session,
    process: wvmi_process,
    addresses: *const u64,
    count: usize,
    matches: *mut wvmi_symbol_match,
    stride: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_symbols_at") };
    call.run(|| {
        let session = call.session(session)?;
        let process = process.get(session.engine().windows()?);
        let addresses = call.slice(addresses, count, "addresses")?;
        if addresses.is_empty() {
            return Ok(WVMI_OK);
        }
        let array = call.array_output(matches, stride, count, "matches")?;
        find_all(&session, Some(process), addresses, &array)?;
        Ok(WVMI_OK)
    })
}

fn find_all(
    session: &Inside,
    process: Option<Process<'_>>,
    addresses: &[u64],
    matches: &ArrayOutput<'_, wvmi_symbol_match>,
) -> Result<()> {
    let watch = session.engine().watch();
    let mut finder = session.engine().symbol_finder(process);
    for (index, &address) in addresses.iter().enumerate() {
        watch.check()?;
        matches.write(index, symbol_at(&mut finder, address)?);
    }
    Ok(())
}

fn symbol_at(finder: &mut SymbolFinder<'_>, address: u64) -> Result<wvmi_symbol_match> {
    let without = |status| wvmi_symbol_match {
        status,
        ..wvmi_symbol_match::zeroed()
    };
    Ok(match finder.nearest(Va(address)) {
        Ok(Some(found)) => wvmi_symbol_match {
            address: address.wrapping_sub(found.displacement),
            displacement: found.displacement,
            name_length: found.name.len(),
            name: copy_text(&found.name),
            module_base: found.module_base.0,
            module_name: copy_text(&found.module),
            ..wvmi_symbol_match::zeroed()
        },
        Ok(None) => without(WVMI_ERROR_NOT_FOUND),
        Err(Error::Cancelled) => return Err(Error::Cancelled),
        Err(error) => without(status_of(&error)),
    })
}
