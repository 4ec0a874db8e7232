//! LiME images, version 1: ranges of physical memory, each behind a header.

use super::{
    Format,
    file::ImageFile,
    image::{Image, Layout},
    segments::{Segment, SegmentTable},
};
use crate::{
    core::{
        bytes::{u32_at, u64_at},
        driver::DriverInfo,
    },
    error::{Error, Result},
};

/// First bytes of each header.
const MAGIC: &[u8] = b"EMiL";
/// Size of a `lime_mem_range_header`.
const HEADER_SIZE: u64 = 0x20;
/// The version that is known.
const VERSION: u32 = 1;
/// Most ranges that are believed; machines have a few dozen.
const RANGES_MAX: usize = 1 << 16;

/// The format.
pub const FORMAT: Format = Format {
    prefix: "lime",
    name: "LiME image",
    claims: |head| head.starts_with(MAGIC),
    open,
};

fn open(file: ImageFile) -> Result<Image> {
    let layout = SegmentTable::new(ranges(&file)?, file.len());
    let info = DriverInfo {
        name: FORMAT.prefix,
        format: "",
        vcpus: 0,
        memory_size: layout.size(),
    };
    Ok(Image::of_frames(info, file, layout))
}

/// Follows the headers to the end of the file.
fn ranges(file: &ImageFile) -> Result<Vec<Segment>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < file.len() {
        let header = file.load(FORMAT.name, "range header", at, HEADER_SIZE)?;
        let range = range(&header, at).ok_or_else(|| damaged(at))?;
        at = range.offset.saturating_add(range.length);
        ranges.push(range);
        if ranges.len() > RANGES_MAX {
            return Err(damaged(at));
        }
    }
    Ok(ranges)
}

/// The range of the header at file offset `at`.
fn range(header: &[u8], at: u64) -> Option<Segment> {
    if !header.starts_with(MAGIC) || u32_at(header, 4) != Some(VERSION) {
        return None;
    }
    let (start, last) = (u64_at(header, 8)?, u64_at(header, 16)?);
    Some(Segment {
        start,
        length: last.checked_sub(start)?.checked_add(1)?,
        offset: at.checked_add(HEADER_SIZE)?,
    })
}

fn damaged(at: u64) -> Error {
    Error::format(
        FORMAT.name,
        format!("damaged: no header of version {VERSION} at offset {at:#x}"),
    )
}
