//! Bitmap dumps: a header of their own behind the first one, a bit for every frame, then the
//! frames whose bits are set.
//!
//! The header (from file offset 0x2000, as Volatility, Rekall and kdmp-parser read it): 0
//! `SDMP` or `FDMP`, 4 `DUMP`, 0x20 file offset of the first page, 0x28 pages present, 0x30 bits
//! in the bitmap, 0x38 the bitmap. Type 2, of Windows Server 2003 and older, has 32-bit fields
//! (`_SUMMARY_DUMP64`): 0xc file offset of the first page, 0x10 bits, 0x14 pages, 0x28 the bitmap.

use std::io::{self, Seek, Write};

use crate::dump;
use crate::dump::header::{self, DumpType};
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

/// Size of the header before the bitmap.
const HEADER: usize = 0x38;
/// The same of the old form.
const OLD_HEADER: usize = 0x28;

pub(super) fn write(
    guest: &Guest,
    kind: DumpType,
    out: &mut (impl Write + Seek),
) -> io::Result<()> {
    let pages = present_pages(guest, kind);
    let bitmap = bitmap(guest, &pages);
    let header_size = if kind == DumpType::Summary {
        OLD_HEADER
    } else {
        HEADER
    };
    let end = (header::SIZE + header_size + bitmap.len()) as u64;
    let first_page = end.next_multiple_of(PAGE_SIZE);
    let total = first_page + pages.len() as u64 * PAGE_SIZE;
    out.write_all(&header::header(guest, kind, total))?;
    let bits = guest.memory.end() / PAGE_SIZE;
    out.write_all(&bitmap_header(kind, first_page, pages.len() as u64, bits))?;
    out.write_all(&bitmap)?;
    dump::write_frames(guest, pages.into_iter(), first_page, out)?;
    dump::fill_to(total, out)
}

/// The frames that a dump of a kind holds: all, or all that are in use and not user mode's.
pub(super) fn present_pages(guest: &Guest, kind: DumpType) -> Vec<u64> {
    let ranges = guest.memory.ranges();
    let frames = ranges
        .iter()
        .map(|range| range.start / PAGE_SIZE..range.end / PAGE_SIZE);
    if kind.is_complete() {
        return frames.flatten().collect();
    }
    let wanted = |number: &u64| kind.has_user_pages() || !guest.user_frames.contains(number);
    frames
        .flat_map(|numbers| guest.memory.frames_in(numbers))
        .map(|(number, _)| number)
        .filter(wanted)
        .collect()
}

fn bitmap(guest: &Guest, pages: &[u64]) -> Vec<u8> {
    let bits = guest.memory.end() / PAGE_SIZE;
    let mut bitmap = vec![0; bits.div_ceil(8) as usize];
    for page in pages {
        bitmap[(page / 8) as usize] |= 1 << (page % 8);
    }
    bitmap
}

fn bitmap_header(kind: DumpType, first_page: u64, present: u64, bits: u64) -> Vec<u8> {
    let size = if kind == DumpType::Summary {
        OLD_HEADER
    } else {
        HEADER
    };
    let mut bytes = vec![0; size];
    let signature = if kind.is_complete() { b"FDMP" } else { b"SDMP" };
    bytes[..4].copy_from_slice(signature);
    bytes[4..8].copy_from_slice(b"DUMP");
    if kind == DumpType::Summary {
        for (offset, value) in [
            (0xc, first_page),
            (0x10, bits),
            (0x14, present),
            (0x18, bits),
        ] {
            bytes[offset..offset + 4].copy_from_slice(&(value as u32).to_le_bytes());
        }
    } else {
        for (offset, value) in [(0x20, first_page), (0x28, present), (0x30, bits)] {
            bytes[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
        }
    }
    bytes
}
