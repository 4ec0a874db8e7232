//! Taking images out of memory.

use std::vec;

use super::{
    error::{About, Failure, fault_kind, wvmi_fault_kind},
    ffi::{Call, Plain, into_handle},
    gate::Inside,
    pe::wvmi_pe,
    session::wvmi_session,
    space::WVMI_SPACE_PROCESS,
    status::{WVMI_OK, wvmi_status},
    walk::Walk,
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{LoadedImage, Process, UserModule},
    pe::{Extraction, ImageLayout, MissingRange, Pe},
};

/// Largest image that is taken out of memory, in bytes.
pub const WVMI_PE_IMAGE_MAX: u64 = 1 << 30;

/// Bytes that are read between two looks at whether the call was cancelled.
const CHUNK: usize = 1 << 20;

/// How the bytes of an extracted image are ordered; one of the
/// `WVMI_PE_LAYOUT_*` numbers.
pub type wvmi_pe_layout = u32;

/// As they lie in memory: offsets are relative to the base. Headers that are
/// not in memory are no hindrance in a process: the region's size counts.
pub const WVMI_PE_LAYOUT_MEMORY: wvmi_pe_layout = 0;
/// As they lay in the file: sections are moved back to their file offsets.
/// Relocations and bound imports stay as the loader left them, and what lay
/// behind the last section (a signature) is lost.
pub const WVMI_PE_LAYOUT_FILE: wvmi_pe_layout = 1;

/// The image to be read piece by piece.
fn extraction<'a>(
    session: &'a Inside,
    pe: wvmi_pe,
    layout: wvmi_pe_layout,
) -> Result<Extraction<LoadedImage<'a>>> {
    let layout = match layout {
        WVMI_PE_LAYOUT_MEMORY => ImageLayout::Memory,
        WVMI_PE_LAYOUT_FILE => ImageLayout::File,
        _ => {
            let reason = "no WVMI_PE_LAYOUT_ number";
            return Err(Error::invalid_argument("layout", reason));
        }
    };
    let extraction = match pe.space.kind {
        WVMI_SPACE_PROCESS => {
            let process = Process::new(session.engine().windows()?, Va(pe.space.value));
            UserModule::new(process, Va(pe.base))?.extract(layout)?
        }
        _ => {
            let image = pe.image(session.engine(), session)?;
            match layout {
                ImageLayout::File => Extraction::file(image)?,
                ImageLayout::Memory => {
                    let size = Pe::parse(image)?.headers().size_of_image;
                    Extraction::memory(image, size)
                }
            }
        }
    };
    if extraction.len() > WVMI_PE_IMAGE_MAX {
        let reason = format!("{:#x} bytes are too many", extraction.len());
        return Err(Error::corrupt("IMAGE_OPTIONAL_HEADER", pe.base, reason));
    }
    Ok(extraction)
}

/// Takes an image out of memory.
///
/// What is not in memory is zeros; `wvmi_pe_missing_iter_new()` tells where and
/// why.
///
/// `layout` is one of `WVMI_PE_LAYOUT_*`. `buffer` of `capacity` bytes receives
/// the image, or its beginning when it is too small; it may be NULL when
/// `capacity` is 0. `length` (may be NULL) receives the length of the whole
/// image, at most `WVMI_PE_IMAGE_MAX`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_BUFFER_TOO_SMALL`; `WVMI_ERROR_CANCELLED`;
/// `WVMI_ERROR_CORRUPT`, also for an image that claims to be larger than
/// `WVMI_PE_IMAGE_MAX`; else as `wvmi_pe_info()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_extract(
    session: *mut wvmi_session,
    pe: wvmi_pe,
    layout: wvmi_pe_layout,
    buffer: *mut u8,
    capacity: usize,
    length: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_extract") };
    call.run(|| {
        let session = call.session(session)?;
        let buffer = call.buffer(buffer, capacity, "buffer")?;
        let image = extraction(&session, pe, layout).about("image", pe.base)?;
        let needed = usize::try_from(image.len()).unwrap_or(usize::MAX);
        if let Some(length) = call.optional_output(length) {
            length.write(needed);
        }
        let watch = session.engine().watch();
        let kept = needed.min(capacity);
        let chunks = buffer.get_mut(..kept).unwrap_or_default().chunks_mut(CHUNK);
        for (chunk, offset) in chunks.zip((0_u64..).step_by(CHUNK)) {
            watch.check()?;
            image.read(offset, chunk);
        }
        if needed > capacity {
            return Err(Error::BufferTooSmall { needed }.into());
        }
        Ok(WVMI_OK)
    })
}

/// Bytes of an extracted image that are zeros because they are not in memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_pe_missing {
    /// Offset of the first one in the extracted image.
    pub offset: u64,
    /// How many.
    pub length: u64,
    /// Why: one of `WVMI_FAULT_*`.
    pub fault: wvmi_fault_kind,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_pe_missing {}

impl From<MissingRange> for wvmi_pe_missing {
    fn from(missing: MissingRange) -> Self {
        let MissingRange { offsets, cause } = missing;
        Self {
            offset: offsets.start,
            length: offsets.end.saturating_sub(offsets.start),
            fault: fault_kind(cause),
            reserved: 0,
        }
    }
}

/// An iteration over what an extracted image misses; made by
/// `wvmi_pe_missing_iter_new()`.
pub struct wvmi_pe_missing_iter(Walk<vec::IntoIter<Result<MissingRange>>>);

/// Begins an iteration over what an extracted image misses, in order of offset;
/// neighbours with one cause are one range.
///
/// `layout` is one of `WVMI_PE_LAYOUT_*`. `iter` receives the handle; free it
/// with `wvmi_pe_missing_iter_free()`.
///
/// Returns `WVMI_OK`, or as `wvmi_pe_extract()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_missing_iter_new(
    session: *mut wvmi_session,
    pe: wvmi_pe,
    layout: wvmi_pe_layout,
    iter: *mut *mut wvmi_pe_missing_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_missing_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        let walk = missing(&session, pe, layout)?;
        output.write(into_handle(wvmi_pe_missing_iter(walk)));
        Ok(WVMI_OK)
    })
}

fn missing(
    session: &Inside,
    pe: wvmi_pe,
    layout: wvmi_pe_layout,
) -> Result<Walk<vec::IntoIter<Result<MissingRange>>>, Failure> {
    let image = extraction(session, pe, layout).about("image", pe.base)?;
    let ranges: Vec<_> = image.missing().into_iter().map(Ok).collect();
    // SAFETY: the ranges are plain, the reference is not kept at all.
    Ok(unsafe { Walk::new(session, |_| Ok(ranges.into_iter())) }?)
}

/// Gets the next range that is missing.
///
/// `missing` receives it, `size` is `sizeof *missing`.
///
/// Returns `WVMI_OK`, `WVMI_END`, `WVMI_ERROR_CLOSED`,
/// `WVMI_ERROR_NULL_ARGUMENT`, or `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_missing_iter_next(
    iter: *mut wvmi_pe_missing_iter,
    missing: *mut wvmi_pe_missing,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_missing_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(missing, size, "missing")?;
        iter.0.next(&call, |_, range| output.write(range.into()))
    })
}

/// Gets many missing ranges at once.
///
/// `missing` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *missing`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one range; `WVMI_END` with none;
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_missing_iter_next_many(
    iter: *mut wvmi_pe_missing_iter,
    missing: *mut wvmi_pe_missing,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_missing_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(missing, stride, capacity, "missing")?;
        iter.0
            .next_many(&call, &array, &count, |_, range| range.into())
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_pe_missing_iter_free(iter: *mut wvmi_pe_missing_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_pe_missing_iter_free") };
    call.free(iter);
}
