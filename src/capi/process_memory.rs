//! Memory of a process as the process itself would find it.

use super::{
    ffi::Call,
    memory::report,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::{core::Va, error::Error, os::windows::Validity};

/// `wvmi_process_read`: pages that were never touched read as zeros, as they
/// would for the process.
pub const WVMI_PROCESS_READ_ZEROS: u32 = 1;

/// Reads bytes of a process, also where its page tables lead nowhere.
///
/// Beyond what `wvmi_read()` finds, pages of mapped files and of shared memory
/// are found by their prototype entries, and paged-out ones in the page files
/// that `wvmi_config_add_pagefile()` added. Stops at the first byte that is
/// nowhere to be found: the bytes before it are in the buffer and counted in
/// `done`.
///
/// `flags` is 0 or `WVMI_PROCESS_READ_ZEROS`. `buffer` receives `size` bytes; it
/// may be NULL when `size` is 0. `done` (may be NULL) receives the number of
/// bytes read, also on `WVMI_ERROR_FAULT`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT`, with the address and the reason in the
/// last error: the page file and the offset of a page whose file is not at hand,
/// the compressed store, a prototype entry for what is still in its file,
/// demand zero without the flag; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT` for unknown flags; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback; reads run in parallel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_read(
    session: *mut wvmi_session,
    process: wvmi_process,
    address: u64,
    flags: u32,
    buffer: *mut u8,
    size: usize,
    done: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_read") };
    call.run(|| {
        let session = call.session(session)?;
        let buffer = call.buffer(buffer, size, "buffer")?;
        if flags & !WVMI_PROCESS_READ_ZEROS != 0 {
            return Err(Error::invalid_argument("flags", "unknown bits").into());
        }
        let memory = process.get(session.engine().windows()?).memory()?;
        let result = memory
            .with_zeros(flags & WVMI_PROCESS_READ_ZEROS != 0)
            .read(Va(address), buffer);
        report(result, size, call.optional_output(done))
    })
}

/// Whether a process may touch an address; one of the `WVMI_ADDRESS_*` numbers.
pub type wvmi_validity = u32;

/// What decides is itself not in the image, or damaged.
pub const WVMI_ADDRESS_UNKNOWN: wvmi_validity = 0;
/// The page is there, or Windows would bring it in.
pub const WVMI_ADDRESS_VALID: wvmi_validity = 1;
/// The access would fail.
pub const WVMI_ADDRESS_INVALID: wvmi_validity = 2;

/// Tells whether a process may touch an address, whether or not the page is in
/// memory now.
///
/// The page-table entry decides where it says anything, else the region: private
/// memory is valid where it is committed; a mapped section where its prototype
/// entries name a page; an image as a whole. Nothing is valid whose protection
/// allows no access.
///
/// `address` is any address. `validity` receives the answer.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_address_validity(
    session: *mut wvmi_session,
    process: wvmi_process,
    address: u64,
    validity: *mut wvmi_validity,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_address_validity") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(validity, "validity")?;
        let process = process.get(session.engine().windows()?);
        output.write(match process.validity(Va(address)) {
            Validity::Unknown => WVMI_ADDRESS_UNKNOWN,
            Validity::Valid => WVMI_ADDRESS_VALID,
            Validity::Invalid => WVMI_ADDRESS_INVALID,
        });
        Ok(WVMI_OK)
    })
}
