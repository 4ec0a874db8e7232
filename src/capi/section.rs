//! Sections: shared memory and mapped files.

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
    os::windows::{SectionFlags, SectionObject},
};

/// What is known about a section, filled by `wvmi_section_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_section_details {
    /// Which of the other fields were read: `WVMI_SECTION_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// First address of a section that is mapped at one place in all processes,
    /// else 0 (`_SECTION.StartingVpn`, `_SECTION_OBJECT.StartingVa`).
    pub start: u64,
    /// First address behind such a section (`_SECTION.EndingVpn`,
    /// `_SECTION_OBJECT.EndingVa`).
    pub end: u64,
    /// Size in bytes (`_SECTION.SizeOfSection`, `_SEGMENT.SizeOfSegment`).
    pub size: u64,
    /// Address of the `_CONTROL_AREA`; 0 for files of another machine.
    pub control_area: u64,
    /// Address of the `_SEGMENT` (`_CONTROL_AREA.Segment`).
    pub segment: u64,
    /// Address of the mapped `_FILE_OBJECT`, as a `wvmi_file` or a
    /// `wvmi_object`; 0 for memory backed by the page file.
    pub file: u64,
    /// Number of views mapped (`_CONTROL_AREA.NumberOfMappedViews`).
    pub mapped_views: u64,
    /// Properties: `WVMI_SECTION_*` bits (`_CONTROL_AREA.u.Flags`).
    pub flags: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_section_details {}

/// `start` was read.
pub const WVMI_SECTION_VALID_START: u64 = 1;
/// `end` was read.
pub const WVMI_SECTION_VALID_END: u64 = 2;
/// `size` was read.
pub const WVMI_SECTION_VALID_SIZE: u64 = 4;
/// `control_area` was read.
pub const WVMI_SECTION_VALID_CONTROL_AREA: u64 = 8;
/// `segment` was read.
pub const WVMI_SECTION_VALID_SEGMENT: u64 = 0x10;
/// `file` was read.
pub const WVMI_SECTION_VALID_FILE: u64 = 0x20;
/// `mapped_views` was read.
pub const WVMI_SECTION_VALID_MAPPED_VIEWS: u64 = 0x40;
/// `flags` was read.
pub const WVMI_SECTION_VALID_FLAGS: u64 = 0x80;

/// An executable image.
pub const WVMI_SECTION_IMAGE: u32 = 1;
/// At the same address in every process.
pub const WVMI_SECTION_BASED: u32 = 2;
/// Backed by a file.
pub const WVMI_SECTION_FILE: u32 = 4;
/// Device memory.
pub const WVMI_SECTION_PHYSICAL: u32 = 8;
/// Pages are reserved and committed later.
pub const WVMI_SECTION_RESERVE: u32 = 0x10;
/// Pages are committed at once.
pub const WVMI_SECTION_COMMIT: u32 = 0x20;

const _: () = assert!(
    WVMI_SECTION_IMAGE == SectionFlags::IMAGE.bits()
        && WVMI_SECTION_BASED == SectionFlags::BASED.bits()
        && WVMI_SECTION_FILE == SectionFlags::FILE.bits()
        && WVMI_SECTION_PHYSICAL == SectionFlags::PHYSICAL.bits()
        && WVMI_SECTION_RESERVE == SectionFlags::RESERVE.bits()
        && WVMI_SECTION_COMMIT == SectionFlags::COMMIT.bits()
);

fn describe(it: SectionObject<'_>) -> Result<wvmi_section_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let area = v.found(WVMI_SECTION_VALID_CONTROL_AREA, it.control_area());
    let area = area.flatten();
    let mut details = wvmi_section_details {
        object: it.object().address().0,
        start: v.take(WVMI_SECTION_VALID_START, it.start()).0,
        end: v.take(WVMI_SECTION_VALID_END, it.end()).0,
        size: v.take(WVMI_SECTION_VALID_SIZE, it.size()),
        control_area: area.map_or(0, |area| area.address().0),
        file: v.take(
            WVMI_SECTION_VALID_FILE,
            or_zero(it.file().map(|file| file.map(|it| it.object().address()))),
        ),
        ..wvmi_section_details::zeroed()
    };
    if let Some(area) = area {
        details.segment = v.take(WVMI_SECTION_VALID_SEGMENT, area.segment()).0;
        details.mapped_views = v.take(WVMI_SECTION_VALID_MAPPED_VIEWS, area.mapped_views());
        let flags = area.flags().map(|flags| flags.bits());
        details.flags = v.take(WVMI_SECTION_VALID_FLAGS, flags);
    }
    details.valid = valid.finish()?;
    Ok(details)
}

/// Tells everything about a section in one call.
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
pub unsafe extern "C" fn wvmi_section_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_section_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_section_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "section", |it| {
            it.as_section()?.map(describe).transpose()
        })
    })
}
