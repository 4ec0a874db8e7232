//! Driver objects of the guest.

use super::{
    ffi::{Call, Plain},
    object::wvmi_object,
    object_info::fill,
    session::wvmi_session,
    status::wvmi_status,
    valid::{Valid, or_zero},
};
use crate::{
    error::Result,
    os::windows::{DriverObject, MAJOR_FUNCTIONS},
};

/// Number of functions in `wvmi_driver_object_details.major_functions`.
pub const WVMI_MAJOR_FUNCTIONS: usize = 28;

const _: () = assert!(WVMI_MAJOR_FUNCTIONS == MAJOR_FUNCTIONS);

/// What is known about a driver object of the guest, filled by `wvmi_driver_object_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_driver_object_details {
    /// Which of the other fields were read: `WVMI_DRIVER_OBJECT_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// Base of the image; 0 for drivers without one (`_DRIVER_OBJECT.DriverStart`).
    pub start: u64,
    /// Address of the driver's loader entry, `wvmi_module_details.entry`; 0 for
    /// drivers without an image (`_DRIVER_OBJECT.DriverSection`).
    pub module_entry: u64,
    /// Entry function; 0 without one (`_DRIVER_OBJECT.DriverInit`).
    pub init: u64,
    /// Function that starts a request; 0 without one
    /// (`_DRIVER_OBJECT.DriverStartIo`).
    pub start_io: u64,
    /// Function that unloads the driver; 0 for one that stays
    /// (`_DRIVER_OBJECT.DriverUnload`).
    pub unload: u64,
    /// Functions for each kind of request, by `IRP_MJ_*` number
    /// (`_DRIVER_OBJECT.MajorFunction`).
    pub major_functions: [u64; WVMI_MAJOR_FUNCTIONS],
    /// Size of the image in bytes (`_DRIVER_OBJECT.DriverSize`).
    pub size: u32,
    /// Flags as Windows numbers them, `DRVO_*` (`_DRIVER_OBJECT.Flags`).
    pub flags: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_driver_object_details {}

/// `start` was read.
pub const WVMI_DRIVER_OBJECT_VALID_START: u64 = 1;
/// `module_entry` was read.
pub const WVMI_DRIVER_OBJECT_VALID_MODULE_ENTRY: u64 = 2;
/// `init` was read.
pub const WVMI_DRIVER_OBJECT_VALID_INIT: u64 = 4;
/// `start_io` was read.
pub const WVMI_DRIVER_OBJECT_VALID_START_IO: u64 = 8;
/// `unload` was read.
pub const WVMI_DRIVER_OBJECT_VALID_UNLOAD: u64 = 0x10;
/// `major_functions` was read.
pub const WVMI_DRIVER_OBJECT_VALID_MAJOR_FUNCTIONS: u64 = 0x20;
/// `size` was read.
pub const WVMI_DRIVER_OBJECT_VALID_SIZE: u64 = 0x40;
/// `flags` was read.
pub const WVMI_DRIVER_OBJECT_VALID_FLAGS: u64 = 0x80;

fn describe(it: DriverObject<'_>) -> Result<wvmi_driver_object_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let module = it.module().map(|module| module.map(|it| it.entry()));
    let functions = it.major_functions();
    let functions = v.found(WVMI_DRIVER_OBJECT_VALID_MAJOR_FUNCTIONS, functions);
    Ok(wvmi_driver_object_details {
        object: it.object().address().0,
        start: v.take(WVMI_DRIVER_OBJECT_VALID_START, it.start()).0,
        module_entry: v.take(WVMI_DRIVER_OBJECT_VALID_MODULE_ENTRY, or_zero(module)),
        init: v.take(WVMI_DRIVER_OBJECT_VALID_INIT, or_zero(it.init_function())),
        start_io: v.take(
            WVMI_DRIVER_OBJECT_VALID_START_IO,
            or_zero(it.start_io_function()),
        ),
        unload: v.take(
            WVMI_DRIVER_OBJECT_VALID_UNLOAD,
            or_zero(it.unload_function()),
        ),
        major_functions: functions.map_or([0; WVMI_MAJOR_FUNCTIONS], |it| it.map(|it| it.0)),
        size: v.take(WVMI_DRIVER_OBJECT_VALID_SIZE, it.size()),
        flags: v.take(WVMI_DRIVER_OBJECT_VALID_FLAGS, it.flags()),
        valid: valid.finish()?,
    })
}

/// Tells everything but the texts and the devices about a driver object in one
/// call; `wvmi_object_text()` gives its name and its service key,
/// `wvmi_device_iter_new()` its devices.
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
pub unsafe extern "C" fn wvmi_driver_object_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_driver_object_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_driver_object_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "driver", |it| {
            it.as_driver()?.map(describe).transpose()
        })
    })
}
