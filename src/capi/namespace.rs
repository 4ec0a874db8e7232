//! The object namespace: paths, links and drive letters.

use std::ffi::c_char;

use super::{
    error::About,
    ffi::{Call, Plain},
    object::wvmi_object,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
};
use crate::{
    error::{Error, Result},
    os::windows::{DeviceMap, DirectoryObject},
};

/// Finds the object at a path of the namespace; symbolic links are not followed.
///
/// `path` is UTF-8 and begins with a backslash: `"\\Device\\Null"`, `"\\"` for
/// the root. ASCII case is ignored. `object` receives the object.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_INVALID_ARGUMENT` for
/// another path; `WVMI_ERROR_FAULT` or `WVMI_ERROR_CORRUPT` when a damaged
/// directory may hide the object; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_by_path(
    session: *mut wvmi_session,
    path: *const c_char,
    object: *mut wvmi_object,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_by_path") };
    call.run(|| {
        let session = call.session(session)?;
        let path = call.text(path, "path")?;
        let output = call.output(object, "object")?;
        let found = session.engine().windows()?.object_at(path)?;
        output.write(wvmi_object::of(&found.ok_or_else(|| no_object(path))?));
        Ok(WVMI_OK)
    })
}

fn no_object(path: &str) -> Error {
    Error::not_found(format!("object {path}"))
}

/// Finds what a path leads to when symbolic links are followed, at most 32 of
/// them: the first object on the way that is neither directory nor link, or the
/// object at its end.
///
/// So `"\\??\\C:\\Windows\\notepad.exe"` gives the device of the drive, and the
/// rest `"\\Windows\\notepad.exe"`, which only the device's driver understands.
/// A link without a path, such as one whose target a driver computes, is where
/// the way ends.
///
/// `path` is UTF-8 and begins with a backslash; ASCII case is ignored.
/// `process` gives `"\\??"` its meaning: its own drives come before those of the
/// system, which alone count for `{0}`. `object` receives the object. The rest
/// of the path, often empty, goes into `rest` of `capacity` bytes; `length` (may
/// be NULL) receives its length. A `rest` of NULL with a capacity of 0 is not
/// filled and is no error.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL` (`object` is not written);
/// `WVMI_ERROR_NOT_FOUND`; `WVMI_ERROR_INVALID_ARGUMENT` for another path;
/// `WVMI_ERROR_CORRUPT` when links lead to links without end; else as
/// `wvmi_object_by_path()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_object_resolve(
    session: *mut wvmi_session,
    path: *const c_char,
    process: wvmi_process,
    object: *mut wvmi_object,
    rest: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_object_resolve") };
    call.run(|| {
        let session = call.session(session)?;
        let path = call.text(path, "path")?;
        let output = call.output(object, "object")?;
        let text = call.text_buffer(rest, capacity, length)?;
        let windows = session.engine().windows()?;
        let process = (process.object != 0).then(|| process.get(windows));
        let found = windows.resolve_path(path, process)?;
        let found = found.ok_or_else(|| no_object(path))?;
        let written = text.write(&String::from_utf16_lossy(&found.rest));
        if !(rest.is_null() && capacity == 0) {
            written?;
        }
        output.write(wvmi_object::of(&found.object));
        Ok(WVMI_OK)
    })
}

/// What drive letters mean to a process, filled by `wvmi_device_map_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_device_map_details {
    /// Which of the other fields were read: `WVMI_DEVICE_MAP_VALID_*` bits.
    pub valid: u64,
    /// Address of the `_DEVICE_MAP`; always filled.
    pub address: u64,
    /// The directory with the map's own links, as a `wvmi_object`; 0 without one
    /// (`_DEVICE_MAP.DosDevicesDirectory`).
    pub dos_devices: u64,
    /// The directory with the links of the whole system, `"\\GLOBAL??"`; 0
    /// without one (`_DEVICE_MAP.GlobalDosDevicesDirectory`).
    pub global_dos_devices: u64,
    /// The map's own drives, bit 0 for `A:` (`_DEVICE_MAP.DriveMap`).
    pub drives: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_device_map_details {}

/// `dos_devices` was read.
pub const WVMI_DEVICE_MAP_VALID_DOS_DEVICES: u64 = 1;
/// `global_dos_devices` was read.
pub const WVMI_DEVICE_MAP_VALID_GLOBAL_DOS_DEVICES: u64 = 2;
/// `drives` was read.
pub const WVMI_DEVICE_MAP_VALID_DRIVES: u64 = 4;

fn describe(map: DeviceMap<'_>) -> Result<wvmi_device_map_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let address = |it: Result<Option<DirectoryObject<'_>>>| {
        or_zero(it.map(|directory| directory.map(|it| it.address())))
    };
    Ok(wvmi_device_map_details {
        address: map.address().0,
        dos_devices: v.take(
            WVMI_DEVICE_MAP_VALID_DOS_DEVICES,
            address(map.dos_devices()),
        ),
        global_dos_devices: v.take(
            WVMI_DEVICE_MAP_VALID_GLOBAL_DOS_DEVICES,
            address(map.global_dos_devices()),
        ),
        drives: v.take(WVMI_DEVICE_MAP_VALID_DRIVES, map.drives()),
        reserved: 0,
        valid: valid.finish()?,
    })
}

/// Tells what drive letters mean to a process (`_EPROCESS.DeviceMap`).
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled. The links of the drives are in the directories;
/// `wvmi_directory_iter_new()` lists them.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_NOT_FOUND`
/// when the process has no map, and sees the drives of the system alone;
/// `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_device_map_info(
    session: *mut wvmi_session,
    process: wvmi_process,
    details: *mut wvmi_device_map_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_device_map_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let map = process.get(session.engine().windows()?).device_map();
        let none = || Error::not_found("device map: the process has none");
        let map = map.and_then(|map| map.ok_or_else(none));
        output.write(map.and_then(describe).about("process", process.object)?);
        Ok(WVMI_OK)
    })
}
