//! Regions of guest processes: what their address spaces are made of.

use std::{ffi::c_char, ptr};

use super::{
    error::{About, Failure},
    ffi::{Call, Plain},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
    walk::Texts,
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{FileObject, Region, RegionKind, Windows},
};

/// A region of a process: the address of its descriptor (`_MMVAD`). A value,
/// nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_region {
    /// Address of the `_MMVAD`.
    pub vad: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_region {}

impl wvmi_region {
    /// The value for an engine's region.
    pub fn of(region: &Region<'_>) -> Self {
        Self {
            vad: region.vad().0,
        }
    }

    fn get(self, windows: &Windows) -> Region<'_> {
        Region::new(windows, Va(self.vad))
    }
}

/// What a region holds; one of the `WVMI_REGION_*` numbers.
pub type wvmi_region_kind = u32;

/// Not known: see `WVMI_REGION_VALID_KIND`.
pub const WVMI_REGION_UNKNOWN: wvmi_region_kind = 0;
/// Memory of the process alone.
pub const WVMI_REGION_PRIVATE: wvmi_region_kind = 1;
/// A mapped executable image.
pub const WVMI_REGION_IMAGE: wvmi_region_kind = 2;
/// A mapped file.
pub const WVMI_REGION_DATA_FILE: wvmi_region_kind = 3;
/// Shared memory backed by the page file.
pub const WVMI_REGION_PAGEFILE_SECTION: wvmi_region_kind = 4;
/// Device memory.
pub const WVMI_REGION_PHYSICAL: wvmi_region_kind = 5;
/// Address windowing extensions.
pub const WVMI_REGION_AWE: wvmi_region_kind = 6;
/// Large pages, private or shared.
pub const WVMI_REGION_LARGE_PAGES: wvmi_region_kind = 7;
/// Memory that changes between the page file and a device.
pub const WVMI_REGION_ROTATE_PHYSICAL: wvmi_region_kind = 8;

const fn kind_number(kind: RegionKind) -> wvmi_region_kind {
    match kind {
        RegionKind::Private => WVMI_REGION_PRIVATE,
        RegionKind::Image => WVMI_REGION_IMAGE,
        RegionKind::DataFile => WVMI_REGION_DATA_FILE,
        RegionKind::PagefileSection => WVMI_REGION_PAGEFILE_SECTION,
        RegionKind::Physical => WVMI_REGION_PHYSICAL,
        RegionKind::Awe => WVMI_REGION_AWE,
        RegionKind::LargePages => WVMI_REGION_LARGE_PAGES,
        RegionKind::RotatePhysical => WVMI_REGION_ROTATE_PHYSICAL,
    }
}

/// What is known about a region, filled by `wvmi_region_at()`,
/// `wvmi_region_info()` and `wvmi_region_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_region_details {
    /// Which of the other fields were read: `WVMI_REGION_VALID_*` bits.
    pub valid: u64,
    /// Address of the `_MMVAD`; always filled.
    pub vad: u64,
    /// First address (`StartingVpn`).
    pub start: u64,
    /// First address behind the region (`EndingVpn`).
    pub end: u64,
    /// Pages charged to the process (`CommitCharge`); `UINT64_MAX` for the value
    /// that means "not charged".
    pub commit_charge: u64,
    /// Address of the section's `_CONTROL_AREA`; 0 for private regions.
    pub control_area: u64,
    /// Address of the mapped `_FILE_OBJECT`; 0 when no file is mapped.
    pub file: u64,
    /// What the region holds.
    pub kind: wvmi_region_kind,
    /// Protection that it was made with, as Windows numbers it (`MM_*`): bits 0
    /// to 2 are 0 no access, 1 read, 2 execute, 3 execute and read, 4 read and
    /// write, 5 copy on write, 6 execute, read and write, 7 execute and copy on
    /// write; bits 3 and 4 are 1 no cache, 2 guard, 3 write combine.
    pub protection: u32,
    /// 1 when a private region is committed as a whole (`MemCommit`).
    pub committed: u32,
    /// Always 0.
    pub reserved: u32,
    /// Path of the mapped file, UTF-8, NUL-terminated; NULL when there is none.
    /// Filled by the iterator only, which keeps it until its next call;
    /// `wvmi_region_path()` copies it.
    pub path: *const c_char,
    /// Length of `path` in bytes.
    pub path_length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_region_details {}

/// `start` was read.
pub const WVMI_REGION_VALID_START: u64 = 1;
/// `end` was read.
pub const WVMI_REGION_VALID_END: u64 = 2;
/// `commit_charge` was read.
pub const WVMI_REGION_VALID_COMMIT_CHARGE: u64 = 4;
/// `control_area` was read.
pub const WVMI_REGION_VALID_CONTROL_AREA: u64 = 8;
/// `file` was read.
pub const WVMI_REGION_VALID_FILE: u64 = 0x10;
/// `kind` was read.
pub const WVMI_REGION_VALID_KIND: u64 = 0x20;
/// `protection` was read.
pub const WVMI_REGION_VALID_PROTECTION: u64 = 0x40;
/// `committed` was read.
pub const WVMI_REGION_VALID_COMMITTED: u64 = 0x80;
/// `path` was read.
pub const WVMI_REGION_VALID_PATH: u64 = 0x100;

fn describe(region: Region<'_>, valid: &mut Valid) -> wvmi_region_details {
    let mut buffer = [0; Region::SNAPSHOT];
    let it = region.with_copy(&mut buffer);
    let control_area = it.control_area();
    let control_area = control_area.map(|area| area.map(|area| area.address()));
    let charge = it.commit_charge();
    let charge = charge.map(|charge| charge.unwrap_or(u64::MAX));
    let protection = it.protection().map(|protection| u32::from(protection.0));
    wvmi_region_details {
        valid: 0,
        vad: it.vad().0,
        start: valid.take(WVMI_REGION_VALID_START, it.start()).0,
        end: valid.take(WVMI_REGION_VALID_END, it.end()).0,
        commit_charge: valid.take(WVMI_REGION_VALID_COMMIT_CHARGE, charge),
        control_area: valid.take(WVMI_REGION_VALID_CONTROL_AREA, or_zero(control_area)),
        file: valid.take(WVMI_REGION_VALID_FILE, or_zero(it.file_object())),
        kind: valid
            .found(WVMI_REGION_VALID_KIND, it.kind())
            .map_or(WVMI_REGION_UNKNOWN, kind_number),
        protection: valid.take(WVMI_REGION_VALID_PROTECTION, protection),
        committed: valid
            .take(WVMI_REGION_VALID_COMMITTED, it.is_committed())
            .into(),
        reserved: 0,
        path: ptr::null(),
        path_length: 0,
    }
}

/// The details with the path, which `texts` keeps.
pub fn describe_with_texts(
    windows: &Windows,
    region: Region<'_>,
    texts: &mut Texts,
) -> wvmi_region_details {
    let mut valid = Valid::default();
    let mut details = describe(region, &mut valid);
    if details.file != 0 {
        let path = FileObject::new(windows, Va(details.file)).path();
        if let Some(path) = valid.found(WVMI_REGION_VALID_PATH, path) {
            (details.path, details.path_length) = texts.keep(path);
        }
    }
    details.valid = valid.bits();
    details
}

/// Finds the region of a process that an address lies in.
///
/// `address` is any address. `details` receives the facts, `size` is `sizeof
/// *details`; `path` is NULL. `details->vad` is the region's value for the other
/// calls about regions.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` when the address is free;
/// `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`;
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_at(
    session: *mut wvmi_session,
    process: wvmi_process,
    address: u64,
    details: *mut wvmi_region_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_at") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let region = process.get(session.engine().windows()?).region(Va(address));
        let region = region.and_then(|region| {
            region.ok_or_else(|| Error::not_found(format!("region of {address:#x}")))
        });
        let mut valid = Valid::default();
        let details = describe(region.about("process", process.object)?, &mut valid);
        output.write(wvmi_region_details {
            valid: valid.bits(),
            ..details
        });
        Ok(WVMI_OK)
    })
}

/// Tells everything but the path about a region in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled. `path` is NULL: `wvmi_region_path()` copies it.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_info(
    session: *mut wvmi_session,
    region: wvmi_region,
    details: *mut wvmi_region_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let mut valid = Valid::default();
        let details = describe(region.get(session.engine().windows()?), &mut valid);
        let valid = valid.finish().about("region", region.vad)?;
        output.write(wvmi_region_details { valid, ..details });
        Ok(WVMI_OK)
    })
}

/// UTF-16 units of the mapped file's path.
fn path(call: &Call, session: *mut wvmi_session, region: wvmi_region) -> Result<Vec<u16>, Failure> {
    let session = call.session(session)?;
    let windows = session.engine().windows()?;
    let file = region.get(windows).file_object();
    let file = file.and_then(|file| file.ok_or_else(|| Error::not_found("mapped file")));
    let path = file.and_then(|file| FileObject::new(windows, file).path_utf16());
    path.about("region", region.vad)
}

/// Reads the path of the file that a region maps, in the kernel's words
/// (`"\\Device\\HarddiskVolume2\\Windows\\System32\\ntdll.dll"`).
///
/// The path goes into `buffer` of `capacity` bytes; `length` (may be NULL)
/// receives its length. `wvmi_region_path_utf16()` gives its units as they are.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_NOT_FOUND` when
/// no file is mapped; `WVMI_ERROR_FAULT`; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_path(
    session: *mut wvmi_session,
    region: wvmi_region,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_path") };
    call.run(|| {
        let output = call.text_buffer(buffer, capacity, length)?;
        let units = path(&call, session, region)?;
        output.write(&String::from_utf16_lossy(&units))?;
        Ok(WVMI_OK)
    })
}

/// Reads the path of the file that a region maps without loss, as UTF-16 units.
///
/// `units` receives at most `capacity` 16-bit units, without a terminator;
/// `count` (may be NULL) receives the number of units that the path has.
///
/// Returns as `wvmi_region_path()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_path_utf16(
    session: *mut wvmi_session,
    region: wvmi_region,
    units: *mut u16,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_path_utf16") };
    call.run(|| {
        let output = call.units_buffer(units, capacity, count)?;
        output.write(&path(&call, session, region)?)?;
        Ok(WVMI_OK)
    })
}
