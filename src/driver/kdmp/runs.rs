//! Full dumps (type 1): the runs of `_PHYSICAL_MEMORY_DESCRIPTOR64`, one after
//! the other behind the header.

use super::{
    FORMAT,
    header::{HEADER_SIZE, Header},
};
use crate::{
    core::{
        PAGE_SIZE,
        bytes::{u32_at, u64_at},
    },
    driver::{
        file::ImageFile,
        segments::{Segment, SegmentTable},
    },
    error::{Error, Result},
};

/// Offset of `_PHYSICAL_MEMORY_DESCRIPTOR64.Run`.
const RUN: usize = 0x10;
/// Size of a `_PHYSICAL_MEMORY_RUN64`.
const RUN_SIZE: usize = 0x10;

/// The runs of `header`.
pub fn read(header: &Header, file: &ImageFile) -> Result<SegmentTable> {
    let block = header.physical_memory_block();
    let count = u32_at(block, 0).unwrap_or_default() as usize;
    let runs = block
        .get(RUN..)
        .unwrap_or_default()
        .as_chunks::<RUN_SIZE>()
        .0;
    let runs = runs.get(..count).filter(|runs| !runs.is_empty());
    let runs = runs.ok_or_else(|| damaged(format!("{count} runs of memory in the header")))?;
    let pages = runs.iter().map(|run| (u64_at(run, 0), u64_at(run, 8)));
    let segments = pack(
        HEADER_SIZE,
        pages.map(|(base, count)| (base.unwrap_or_default(), count.unwrap_or_default())),
    );
    Ok(SegmentTable::new(segments?, file.len()))
}

/// Segments of runs (first frame, number of frames) stored one after the other
/// from file offset `start` on.
pub fn pack(start: u64, runs: impl Iterator<Item = (u64, u64)>) -> Result<Vec<Segment>> {
    let mut offset = start;
    runs.map(|(base, count)| {
        let segment = segment(base, count, offset)
            .ok_or_else(|| damaged(format!("a run of {count:#x} pages at frame {base:#x}")))?;
        offset = offset.saturating_add(segment.length);
        Ok(segment)
    })
    .collect()
}

fn segment(base: u64, count: u64, offset: u64) -> Option<Segment> {
    let start = base.checked_mul(PAGE_SIZE)?;
    let length = count.checked_mul(PAGE_SIZE)?;
    start.checked_add(length)?;
    Some(Segment {
        start,
        length,
        offset,
    })
}

fn damaged(reason: String) -> Error {
    Error::format(FORMAT.name, format!("damaged: {reason}"))
}
