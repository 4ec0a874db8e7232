//! Open registry keys.

use super::{
    ffi::{Call, Plain},
    object::wvmi_object,
    object_info::fill,
    session::wvmi_session,
    status::wvmi_status,
    valid::{Valid, or_zero},
};
use crate::{error::Result, os::windows::KeyObject};

/// What is known about an open registry key, filled by `wvmi_key_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_key_details {
    /// Which of the other fields were read: `WVMI_KEY_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// Address of the `_CM_KEY_CONTROL_BLOCK`, which all openers of the key share
    /// (`_CM_KEY_BODY.KeyControlBlock`).
    pub control_block: u64,
    /// Address of the control block of the key above; 0 at the root
    /// (`_CM_KEY_CONTROL_BLOCK.ParentKcb`).
    pub parent: u64,
    /// Address of the hive that holds the key (`_CM_KEY_CONTROL_BLOCK.KeyHive`).
    pub hive: u64,
    /// Index of the key's cell in its hive (`_CM_KEY_CONTROL_BLOCK.KeyCell`).
    pub cell: u32,
    /// Id of the process that opened the key (`_CM_KEY_BODY.ProcessID`).
    pub pid: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_key_details {}

/// `control_block` was read.
pub const WVMI_KEY_VALID_CONTROL_BLOCK: u64 = 1;
/// `parent` was read.
pub const WVMI_KEY_VALID_PARENT: u64 = 2;
/// `hive` was read.
pub const WVMI_KEY_VALID_HIVE: u64 = 4;
/// `cell` was read.
pub const WVMI_KEY_VALID_CELL: u64 = 8;
/// `pid` was read.
pub const WVMI_KEY_VALID_PID: u64 = 0x10;

fn describe(it: KeyObject<'_>) -> Result<wvmi_key_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let mut details = wvmi_key_details {
        object: it.object().address().0,
        pid: v.take(WVMI_KEY_VALID_PID, it.process_id()),
        ..wvmi_key_details::zeroed()
    };
    if let Some(block) = v.found(WVMI_KEY_VALID_CONTROL_BLOCK, it.key_control_block()) {
        let parent = block.parent().map(|it| it.map(|it| it.address()));
        details.control_block = block.address().0;
        details.parent = v.take(WVMI_KEY_VALID_PARENT, or_zero(parent));
        details.hive = v.take(WVMI_KEY_VALID_HIVE, block.hive()).0;
        details.cell = v.take(WVMI_KEY_VALID_CELL, block.cell());
    }
    details.valid = valid.finish()?;
    Ok(details)
}

/// Tells everything about an open registry key in one call;
/// `wvmi_object_path()` gives its path.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read;
/// `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
/// `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_key_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_key_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_key_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "key", |it| {
            it.as_key()?.map(describe).transpose()
        })
    })
}
