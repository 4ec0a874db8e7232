//! `wvmi_mapping`: guest memory without a copy.

use super::{
    ffi::{Call, Output, Plain, into_handle},
    guard::Answer,
    session::wvmi_session,
    space::wvmi_space,
    status::{WVMI_OK, wvmi_status},
};
use crate::{core::Mapping, error::Error};

/// Guest memory that is mapped into this process; made by `wvmi_map_range()`.
pub struct wvmi_mapping(Mapping);

/// Bytes of a mapping that lie side by side.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_mapping_segment {
    /// Guest address of the first byte.
    pub address: u64,
    /// The bytes: read-only, valid until the mapping is freed.
    pub data: *const u8,
    /// Number of bytes.
    pub length: usize,
}

// SAFETY: integers and pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_mapping_segment {}

/// Maps guest memory into this process without copying it.
///
/// Neighbouring guest pages rarely are neighbours in the image, so a mapping is
/// a list of segments. The bytes must not be written; those of a running guest,
/// or of a file that others write, may change while they are looked at.
///
/// `space` says where `address` lives, `length` is 1 byte to 4 GiB. `mapping`
/// receives the handle; free it with `wvmi_mapping_free()`. The mapping stays
/// valid when the session is closed.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT` when a page is absent;
/// `WVMI_ERROR_NOT_SUPPORTED` where pages cannot be mapped, as with files that
/// are read (`WVMI_FILE_MODE_READ`); `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`; or what resolving the space returns.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_map_range(
    session: *mut wvmi_session,
    space: wvmi_space,
    address: u64,
    length: u64,
    mapping: *mut *mut wvmi_mapping,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_map_range") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(mapping, "mapping")?;
        let space = session.space(space)?;
        let mapping = Mapping::new(session.engine().memory(), space, address, length)?;
        output.write(into_handle(wvmi_mapping(mapping)));
        Ok(WVMI_OK)
    })
}

/// Gets the segments of a mapping, in order of guest addresses and without gaps.
///
/// `segments` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *segments`); it may be NULL when `capacity` is 0. `count` receives how many
/// the mapping has.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUFFER_TOO_SMALL` when not all fitted,
/// `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_mapping_segments(
    mapping: *const wvmi_mapping,
    segments: *mut wvmi_mapping_segment,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_mapping_segments") };
    call.run(|| {
        let mapping = call.input(mapping, "mapping")?;
        let count = call.output(count, "count")?;
        give_segments(&call, mapping, (segments, stride, capacity), count)
    })
}

fn give_segments(
    call: &Call,
    mapping: &wvmi_mapping,
    (segments, stride, capacity): (*mut wvmi_mapping_segment, usize, usize),
    count: Output<'_, usize>,
) -> Answer {
    let all = mapping.0.segments();
    if capacity > 0 {
        let array = call.array_output(segments, stride, capacity, "segments")?;
        for (index, segment) in all.iter().enumerate().take(capacity) {
            array.write(
                index,
                wvmi_mapping_segment {
                    address: segment.address,
                    data: segment.data,
                    length: segment.length,
                },
            );
        }
    }
    count.write(all.len());
    if all.len() > capacity {
        let needed = all.len().saturating_mul(size_of::<wvmi_mapping_segment>());
        return Err(Error::BufferTooSmall { needed }.into());
    }
    Ok(WVMI_OK)
}

/// Frees a mapping; its bytes must not be touched any more. `mapping` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_mapping_free(mapping: *mut wvmi_mapping) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_mapping_free") };
    call.free(mapping);
}
