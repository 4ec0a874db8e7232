//! Dumps behind an `RDMP` header (debuggers, Windows 11's task manager): ranges of
//! frames, then the frames.

use super::{FORMAT, header::HEADER_SIZE, runs::pack};
use crate::{
    core::bytes::u64_at,
    driver::{file::ImageFile, segments::SegmentTable},
    error::{Error, Result},
};

/// `0x40`, `RDMP`, `DUMP`.
const SIGNATURE: &[u8; 12] = b"\x40\0\0\0RDMPDUMP";
/// Size of the header; the metadata follow.
const SIZE: u64 = 0x20;
/// Bytes of the metadata before the ranges: counts.
const COUNTS: usize = 0x10;
/// Size of a range: first frame, number of frames.
const RANGE_SIZE: usize = 0x10;
/// Largest metadata that are believed, in bytes.
const METADATA_MAX: u64 = 256 << 20;

/// Does an `RDMP` header follow the dump header?
pub fn is_next(file: &ImageFile) -> bool {
    let mut start = [0; SIGNATURE.len()];
    file.read(HEADER_SIZE, &mut start).is_ok() && start == *SIGNATURE
}

/// The ranges of the dump; `complete` dumps count their pages.
pub fn read(file: &ImageFile, complete: bool) -> Result<SegmentTable> {
    let header = file.load(FORMAT.name, "RDMP header", HEADER_SIZE, SIZE)?;
    let size = u64_at(&header, 0x10).unwrap_or_default();
    let first_page = u64_at(&header, 0x18).unwrap_or_default();
    let start = HEADER_SIZE.saturating_add(SIZE);
    if size > METADATA_MAX || start.saturating_add(size) != first_page {
        let reason = format!("damaged: {size:#x} bytes of ranges before offset {first_page:#x}");
        return Err(Error::format(FORMAT.name, reason));
    }
    let metadata = file.load(FORMAT.name, "list of ranges", start, size)?;
    let total = u64_at(&metadata, 8).filter(|_| complete);
    let ranges = metadata.get(COUNTS..).unwrap_or_default();
    let ranges = pack(first_page, ranges_of(ranges, total.unwrap_or(u64::MAX)))?;
    Ok(SegmentTable::new(ranges, file.len()))
}

/// Ranges up to the first empty one, of at most `left` frames together.
fn ranges_of(bytes: &[u8], mut left: u64) -> impl Iterator<Item = (u64, u64)> {
    let ranges = bytes.as_chunks::<RANGE_SIZE>().0.iter();
    ranges.map_while(move |range| {
        let base = u64_at(range, 0).filter(|&base| base != 0)?;
        let count = u64_at(range, 8)?.min(left);
        left = left.saturating_sub(count);
        (count > 0).then_some((base, count))
    })
}
