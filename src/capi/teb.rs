//! Thread environment blocks.

use super::{
    architecture::{number_of, wanted, wvmi_architecture},
    error::{About, Failure},
    ffi::{Call, Plain},
    session::{Shared, wvmi_session},
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
    valid::Valid,
};
use crate::{
    error::{Error, Result},
    os::windows::Teb,
};

/// What a thread environment block says, filled by `wvmi_teb_info()`.
///
/// The thread writes it itself and may have written anything.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_teb_details {
    /// Which of the other fields were read: `WVMI_TEB_VALID_*` bits.
    pub valid: u64,
    /// Address of the `_TEB` in the process's space; always filled.
    pub address: u64,
    /// Address of the `_PEB` (`ProcessEnvironmentBlock`).
    pub peb: u64,
    /// Address of the block as the thread itself finds it (`NtTib.Self`).
    pub self_pointer: u64,
    /// First exception handler of 32-bit code (`NtTib.ExceptionList`).
    pub exception_list: u64,
    /// First address behind the user-mode stack (`NtTib.StackBase`).
    pub stack_base: u64,
    /// Lowest committed address of the user-mode stack (`NtTib.StackLimit`).
    pub stack_limit: u64,
    /// Whose code it belongs to: one of the `WVMI_ARCHITECTURE_*` numbers; always filled.
    pub architecture: wvmi_architecture,
    /// Process id (`ClientId.UniqueProcess`).
    pub process_id: u32,
    /// Thread id (`ClientId.UniqueThread`).
    pub thread_id: u32,
    /// What `GetLastError` returns (`LastErrorValue`).
    pub last_error: u32,
    /// Last `NTSTATUS` that became an error (`LastStatusValue`).
    pub last_status: i32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_teb_details {}

/// `peb` was read.
pub const WVMI_TEB_VALID_PEB: u64 = 1;
/// `self_pointer` was read.
pub const WVMI_TEB_VALID_SELF_POINTER: u64 = 2;
/// `exception_list` was read.
pub const WVMI_TEB_VALID_EXCEPTION_LIST: u64 = 4;
/// `stack_base` was read.
pub const WVMI_TEB_VALID_STACK_BASE: u64 = 8;
/// `stack_limit` was read.
pub const WVMI_TEB_VALID_STACK_LIMIT: u64 = 0x10;
/// `process_id` was read.
pub const WVMI_TEB_VALID_PROCESS_ID: u64 = 0x20;
/// `thread_id` was read.
pub const WVMI_TEB_VALID_THREAD_ID: u64 = 0x40;
/// `last_error` was read.
pub const WVMI_TEB_VALID_LAST_ERROR: u64 = 0x80;
/// `last_status` was read.
pub const WVMI_TEB_VALID_LAST_STATUS: u64 = 0x100;

fn describe(it: &Teb<'_>) -> Result<wvmi_teb_details> {
    let mut valid = Valid::default();
    let exceptions = it.exception_list();
    let details = wvmi_teb_details {
        valid: 0,
        address: it.address().0,
        peb: valid.take(WVMI_TEB_VALID_PEB, it.peb()).0,
        self_pointer: valid.take(WVMI_TEB_VALID_SELF_POINTER, it.self_pointer()).0,
        exception_list: valid.take(WVMI_TEB_VALID_EXCEPTION_LIST, exceptions).0,
        stack_base: valid.take(WVMI_TEB_VALID_STACK_BASE, it.stack_base()).0,
        stack_limit: valid.take(WVMI_TEB_VALID_STACK_LIMIT, it.stack_limit()).0,
        architecture: number_of(it.architecture()),
        process_id: valid.take(WVMI_TEB_VALID_PROCESS_ID, it.process_id()),
        thread_id: valid.take(WVMI_TEB_VALID_THREAD_ID, it.thread_id()),
        last_error: valid.take(WVMI_TEB_VALID_LAST_ERROR, it.last_error()),
        last_status: valid.take(WVMI_TEB_VALID_LAST_STATUS, it.last_status()),
        reserved: 0,
    };
    let valid = valid.finish()?;
    Ok(wvmi_teb_details { valid, ..details })
}

fn block<T>(
    session: &Shared,
    thread: wvmi_thread,
    architecture: wvmi_architecture,
    get: impl FnOnce(&Teb<'_>) -> Result<T>,
) -> Result<T, Failure> {
    let wanted = wanted(architecture)?;
    let it = thread.get(session.engine().windows()?);
    let block = it.environment_block_of(wanted).and_then(|block| {
        block.ok_or_else(|| Error::not_found("TEB: the thread has none of this width"))
    });
    block
        .and_then(|block| get(&block))
        .about("thread", thread.object)
}

/// Tells what a thread environment block says in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `architecture` chooses the block: `WVMI_ARCHITECTURE_OWN` that of the process's own
/// code, `WVMI_ARCHITECTURE_X64` the native one, which threads of WoW64 processes
/// have too. `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_NOT_FOUND`
/// when the thread has no such block, as system threads have none;
/// `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_teb_info(
    session: *mut wvmi_session,
    thread: wvmi_thread,
    architecture: wvmi_architecture,
    details: *mut wvmi_teb_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_teb_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        output.write(block(&session, thread, architecture, describe)?);
        Ok(WVMI_OK)
    })
}

/// Reads the thread-local storage of a thread: the 64 slots in its block
/// (`TlsSlots`) and, once it needed them, the 1024 behind them
/// (`TlsExpansionSlots`).
///
/// `architecture` chooses the block, as for `wvmi_teb_info()`. `slots` receives at
/// most `capacity` values, in order of their index; `count` (may be NULL)
/// receives how many there are: 64 or 1088.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL` with as many as fit;
/// `WVMI_ERROR_NOT_FOUND` when the thread has no such block;
/// `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_teb_tls_slots(
    session: *mut wvmi_session,
    thread: wvmi_thread,
    architecture: wvmi_architecture,
    slots: *mut u64,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_teb_tls_slots") };
    call.run(|| {
        let session = call.session(session)?;
        let buffer = call.buffer(slots, capacity, "slots")?;
        let all = block(&session, thread, architecture, |block| {
            let mut all = block.tls_slots()?;
            all.extend(block.tls_expansion_slots()?.unwrap_or_default());
            Ok(all)
        })?;
        if let Some(count) = call.optional_output(count) {
            count.write(all.len());
        }
        for (slot, value) in buffer.iter_mut().zip(&all) {
            *slot = *value;
        }
        if all.len() > buffer.len() {
            let needed = all.len().saturating_mul(8);
            return Err(Error::BufferTooSmall { needed }.into());
        }
        Ok(WVMI_OK)
    })
}
