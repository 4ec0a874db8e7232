//! Dumps that list ranges of frames (`RDMP`), as debuggers and Windows 11 write types 8 to 10.
//!
//! Behind the first header, as kdmp-parser reads it: 0 the number 0x40, 4 `RDMP`, 8 `DUMP`, 0x10
//! size of what follows up to the first page, 0x18 file offset of the first page; then 0x20
//! number of ranges, 0x28 number of pages, 0x30 the ranges: first frame and number of frames.

use std::io::{self, Seek, Write};

use crate::dump::header::{self, DumpType};
use crate::dump::{self, bitmap};
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

/// Size of the header before the counts.
const HEADER: u64 = 0x20;

pub(super) fn write(
    guest: &Guest,
    kind: DumpType,
    out: &mut (impl Write + Seek),
) -> io::Result<()> {
    let pages = bitmap::present_pages(guest, kind);
    let ranges = ranges(&pages);
    let start = header::SIZE as u64 + HEADER;
    // An empty range ends the list.
    let list_size = 0x10 + (ranges.len() as u64 + 1) * 0x10;
    let first_page = (start + list_size).next_multiple_of(PAGE_SIZE);
    let total = first_page + pages.len() as u64 * PAGE_SIZE;
    out.write_all(&header::header(guest, kind, total))?;
    out.write_all(b"\x40\0\0\0RDMPDUMP\0\0\0\0")?;
    let counts = [
        first_page - start,
        first_page,
        ranges.len() as u64,
        pages.len() as u64,
    ];
    let numbers = counts
        .into_iter()
        .chain(ranges.into_iter().flat_map(<[u64; 2]>::from));
    let bytes: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
    out.write_all(&bytes)?;
    dump::write_frames(guest, pages.into_iter(), first_page, out)?;
    dump::fill_to(total, out)
}

/// Ranges of consecutive numbers: first and count.
fn ranges(pages: &[u64]) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for page in pages {
        match ranges.last_mut() {
            Some((first, count)) if *first + *count == *page => *count += 1,
            _ => ranges.push((*page, 1)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    #[test]
    fn neighbours_join() {
        assert_eq!(super::ranges(&[1, 2, 5, 6, 7]), [(1, 2), (5, 3)]);
    }
}
