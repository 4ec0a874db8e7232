//! Regions of guest processes: what their address spaces are made of.

use std::{ffi::c_char, ptr};

use super::{
    error::About,
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
    walk::{Texts, Walk},
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{FileObject, Region, RegionKind, Regions, Validity, Windows},
};

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

/// What is known about a region, filled by `wvmi_region_at()` and
/// `wvmi_region_iter_next_many()`.
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
    /// `wvmi_file_path()` of `file` copies it.
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
fn describe_with_texts(
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
/// *details`; `path` is NULL.
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

/// An iteration over the regions of a process; made by `wvmi_region_iter_new()`.
pub struct wvmi_region_iter {
    walk: Walk<Regions<'static>>,
    texts: Texts,
}

/// Begins an iteration over the regions of a process, in order of addresses
/// (`_EPROCESS.VadRoot`).
///
/// `iter` receives the handle; free it with `wvmi_region_iter_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_iter_new(
    session: *mut wvmi_session,
    process: wvmi_process,
    iter: *mut *mut wvmi_region_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        output.write(into_handle(wvmi_region_iter {
            walk: regions(&session, process)?,
            texts: Texts::default(),
        }));
        Ok(WVMI_OK)
    })
}

fn regions(session: &Inside, process: wvmi_process) -> Result<Walk<Regions<'static>>> {
    // SAFETY: the reference is kept by the iterator alone, and the regions that
    // it yields are turned into values at once.
    unsafe {
        Walk::new(session, |engine| {
            Ok(process.get(engine.windows()?).regions())
        })
    }
}

/// Gets the details of many regions at once.
///
/// `details` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *details`); `count` receives how many, on every return. Their paths are valid
/// until the next call with this iterator.
///
/// Returns `WVMI_OK` with at least one region; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none (the iteration goes on with the
/// other branches of the tree); `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_iter_next_many(
    iter: *mut wvmi_region_iter,
    details: *mut wvmi_region_details,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(details, stride, capacity, "details")?;
        let wvmi_region_iter { walk, texts } = iter;
        texts.clear();
        walk.next_many(&call, &array, &count, |session, region| {
            match session.windows() {
                Ok(windows) => describe_with_texts(windows, region, texts),
                Err(_) => wvmi_region_details::zeroed(),
            }
        })
    })
}

/// Frees the iterator and the texts that it lent out. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_region_iter_free(iter: *mut wvmi_region_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_region_iter_free") };
    call.free(iter);
}
