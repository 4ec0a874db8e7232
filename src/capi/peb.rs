//! Process environment blocks.

use super::{
    architecture::{number_of, wanted, wvmi_architecture},
    error::About,
    ffi::{Call, Plain},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::Valid,
};
use crate::{
    error::{Error, Result},
    os::windows::Peb,
};

/// What a process environment block says, filled by `wvmi_peb_info()`.
///
/// The process writes it itself and may have written anything.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_peb_details {
    /// Which of the other fields were read: `WVMI_PEB_VALID_*` bits.
    pub valid: u64,
    /// Address of the `_PEB` in the process's space; always filled.
    pub address: u64,
    /// Base of the executable (`ImageBaseAddress`).
    pub image_base: u64,
    /// Address of the `_PEB_LDR_DATA`; 0 before the loader has run (`Ldr`).
    pub loader_data: u64,
    /// Address of the `_RTL_USER_PROCESS_PARAMETERS`; 0 before they are set up
    /// (`ProcessParameters`). `wvmi_process_text()` reads what is in them.
    pub parameters: u64,
    /// Whose code it belongs to: one of the `WVMI_ARCHITECTURE_*` numbers; always filled.
    pub architecture: wvmi_architecture,
    /// 1 when the process believes that a debugger is attached (`BeingDebugged`).
    pub being_debugged: u32,
    /// Number of the session (`SessionId`).
    pub session_id: u32,
    /// Flags of the parameters, as Windows numbers them (`Flags`).
    pub parameter_flags: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_peb_details {}

/// `image_base` was read.
pub const WVMI_PEB_VALID_IMAGE_BASE: u64 = 1;
/// `loader_data` was read.
pub const WVMI_PEB_VALID_LOADER_DATA: u64 = 2;
/// `parameters` was read.
pub const WVMI_PEB_VALID_PARAMETERS: u64 = 4;
/// `being_debugged` was read.
pub const WVMI_PEB_VALID_BEING_DEBUGGED: u64 = 8;
/// `session_id` was read.
pub const WVMI_PEB_VALID_SESSION_ID: u64 = 0x10;
/// `parameter_flags` was read.
pub const WVMI_PEB_VALID_PARAMETER_FLAGS: u64 = 0x20;

fn describe(it: &Peb<'_>) -> Result<wvmi_peb_details> {
    let mut valid = Valid::default();
    let loader = it.loader_data();
    let loader = loader.map(|it| it.map_or(0, |it| it.address().0));
    let parameters = it.parameters();
    let flags = match &parameters {
        Ok(Some(parameters)) => parameters.flags(),
        Ok(None) => Ok(0),
        Err(error) => Err(error.clone()),
    };
    let parameters = parameters.map(|it| it.map_or(0, |it| it.address().0));
    let debugged = it.is_being_debugged();
    let details = wvmi_peb_details {
        valid: 0,
        address: it.address().0,
        image_base: valid.take(WVMI_PEB_VALID_IMAGE_BASE, it.image_base()).0,
        loader_data: valid.take(WVMI_PEB_VALID_LOADER_DATA, loader),
        parameters: valid.take(WVMI_PEB_VALID_PARAMETERS, parameters),
        architecture: number_of(it.architecture()),
        being_debugged: valid.take(WVMI_PEB_VALID_BEING_DEBUGGED, debugged).into(),
        session_id: valid.take(WVMI_PEB_VALID_SESSION_ID, it.session_id()),
        parameter_flags: valid.take(WVMI_PEB_VALID_PARAMETER_FLAGS, flags),
    };
    let valid = valid.finish()?;
    Ok(wvmi_peb_details { valid, ..details })
}

/// Tells what a process environment block says in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `architecture` chooses the block: `WVMI_ARCHITECTURE_OWN` that of the process's own
/// code, `WVMI_ARCHITECTURE_X64` the native one, which WoW64 processes have too.
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_NOT_FOUND`
/// when the process has no such block, as system processes and ended ones have
/// none; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_peb_info(
    session: *mut wvmi_session,
    process: wvmi_process,
    architecture: wvmi_architecture,
    details: *mut wvmi_peb_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_peb_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let wanted = wanted(architecture)?;
        let process_at = process.get(session.engine().windows()?);
        let block = process_at.environment_block_of(wanted).and_then(|block| {
            block.ok_or_else(|| Error::not_found("PEB: the process has none of this width"))
        });
        let details = block.and_then(|block| describe(&block));
        output.write(details.about("process", process.object)?);
        Ok(WVMI_OK)
    })
}
