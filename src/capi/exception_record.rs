//! Exception records: what went wrong, and where.

use super::{
    architecture::{exact, wvmi_architecture},
    ffi::{Call, Plain},
    session::wvmi_session,
    space::wvmi_space,
    status::{WVMI_OK, wvmi_status},
};
use crate::{core::Va, os::windows::ExceptionRecord};

/// An exception record, filled by `wvmi_exception_record_read()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_exception_record {
    /// Code, an `NTSTATUS` (`ExceptionCode`).
    pub code: u32,
    /// Flags; bit 0: execution cannot go on (`ExceptionFlags`).
    pub flags: u32,
    /// Address of the record of the exception that this one followed, or 0
    /// (`ExceptionRecord`).
    pub next: u64,
    /// Instruction that failed (`ExceptionAddress`).
    pub address: u64,
    /// How many words of `information` count, at most 15 (`NumberParameters`).
    pub information_count: u32,
    /// Always 0.
    pub reserved: u32,
    /// Facts that depend on the code; of an access violation what was tried (0
    /// read, 1 write, 8 execute) and where (`ExceptionInformation`).
    pub information: [u64; 15],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_exception_record {}

fn exception(record: &ExceptionRecord) -> wvmi_exception_record {
    let mut information = [0; 15];
    for (word, value) in information.iter_mut().zip(&record.information) {
        *word = *value;
    }
    wvmi_exception_record {
        code: record.code,
        flags: record.flags,
        next: record.next.0,
        address: record.address.0,
        information_count: record.information.len() as u32,
        reserved: 0,
        information,
    }
}

/// Reads an `_EXCEPTION_RECORD` of the guest.
///
/// `space` says where `address` lives. `architecture` is that of its pointers:
/// `WVMI_ARCHITECTURE_X86` or `WVMI_ARCHITECTURE_X64`. `record` receives it, `size` is
/// `sizeof *record`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; or what resolving the space returns.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_exception_record_read(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    architecture: wvmi_architecture,
    record: *mut wvmi_exception_record,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_exception_record_read") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(record, size, "record")?;
        let width = exact(architecture)?;
        let space = session.space(space)?;
        let memory = session.engine().memory();
        let found = ExceptionRecord::read(memory, space, Va(address), width)?;
        output.write(exception(&found));
        Ok(WVMI_OK)
    })
}
