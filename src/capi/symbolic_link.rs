//! Symbolic links of the object namespace.

use super::{
    ffi::{Call, Plain},
    object::wvmi_object,
    object_info::fill,
    session::wvmi_session,
    status::wvmi_status,
    valid::Valid,
};
use crate::{error::Result, os::windows::SymbolicLink};

/// What is known about a symbolic link, filled by `wvmi_symbolic_link_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_symbolic_link_details {
    /// Which of the other fields were read: `WVMI_SYMBOLIC_LINK_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// Time of creation, a FILETIME (`_OBJECT_SYMBOLIC_LINK.CreationTime`).
    pub creation_time: u64,
    /// Flags as Windows numbers them (`_OBJECT_SYMBOLIC_LINK.Flags`).
    pub flags: u32,
    /// 1 when a driver's function computes the target each time; such a link has
    /// no target text.
    pub callback: u32,
    /// The letter of a drive, `'C'`; 0 for other links
    /// (`_OBJECT_SYMBOLIC_LINK.DosDeviceDriveIndex`).
    pub drive_letter: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_symbolic_link_details {}

/// `creation_time` was read.
pub const WVMI_SYMBOLIC_LINK_VALID_CREATION_TIME: u64 = 1;
/// `flags` was read.
pub const WVMI_SYMBOLIC_LINK_VALID_FLAGS: u64 = 2;
/// `callback` was read.
pub const WVMI_SYMBOLIC_LINK_VALID_CALLBACK: u64 = 4;
/// `drive_letter` was read.
pub const WVMI_SYMBOLIC_LINK_VALID_DRIVE_LETTER: u64 = 8;

fn describe(it: SymbolicLink<'_>) -> Result<wvmi_symbolic_link_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let letter = it.drive_letter().map(|it| it.map_or(0, u32::from));
    let callback = it.is_callback().map(u32::from);
    Ok(wvmi_symbolic_link_details {
        object: it.object().address().0,
        creation_time: v
            .take(WVMI_SYMBOLIC_LINK_VALID_CREATION_TIME, it.creation_time())
            .0,
        flags: v.take(WVMI_SYMBOLIC_LINK_VALID_FLAGS, it.flags()),
        callback: v.take(WVMI_SYMBOLIC_LINK_VALID_CALLBACK, callback),
        drive_letter: v.take(WVMI_SYMBOLIC_LINK_VALID_DRIVE_LETTER, letter),
        reserved: 0,
        valid: valid.finish()?,
    })
}

/// Tells everything but the target about a symbolic link in one call;
/// `wvmi_object_text()` gives the target.
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
pub unsafe extern "C" fn wvmi_symbolic_link_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_symbolic_link_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_symbolic_link_info") };
    call.run(|| {
        fill(
            &call,
            session,
            object,
            (details, size),
            "symbolic link",
            |it| it.as_symbolic_link()?.map(describe).transpose(),
        )
    })
}
