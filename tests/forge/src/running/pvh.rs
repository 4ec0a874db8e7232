//! The ELF file that Xen and QEMU start by the PVH protocol.

use std::io::{self, Write};
use std::ops::Range;

use crate::dump::machine::Block;
use crate::memory::{PAGE_SIZE, PhysicalMemory};

/// Memory below is left to the firmware.
const FIRST_FRAME: u64 = 0x10_0000 / PAGE_SIZE;
/// Frames between two written ones that are written as zeroes rather than begin a new segment.
const GAP: u64 = 64;

/// Sizes of the file's header and of a program header.
const HEADER_SIZE: u64 = 64;
const PROGRAM_HEADER_SIZE: u64 = 56;
/// Program header types.
const LOAD: u32 = 1;
const NOTE: u32 = 4;
/// Segment flags: read, write, execute.
const ALL: u32 = 7;
const READ: u32 = 4;
/// `XEN_ELFNOTE_PHYS32_ENTRY`.
const ENTRY_NOTE: u32 = 18;

/// A segment to be loaded: frames and where the file has them.
struct Segment {
    frames: Range<u64>,
    offset: u64,
}

/// Writes memory above 1 MiB as an ELF file with the given entry point (physical).
///
/// # Errors
/// When writing fails.
pub(super) fn write(memory: &PhysicalMemory, entry: u64, out: &mut impl Write) -> io::Result<()> {
    let runs = runs(memory);
    let note = note(entry);
    let note_offset = HEADER_SIZE + PROGRAM_HEADER_SIZE * (runs.len() as u64 + 1);
    let mut offset = (note_offset + note.len() as u64).next_multiple_of(PAGE_SIZE);
    let start = offset;
    let mut segments = Vec::new();
    for frames in runs {
        let size = (frames.end - frames.start) * PAGE_SIZE;
        segments.push(Segment { frames, offset });
        offset += size;
    }
    let mut head = header(entry, segments.len() as u16 + 1);
    head.extend(program_header(
        NOTE,
        READ,
        (note_offset, 0, note.len() as u64),
        4,
    ));
    for segment in &segments {
        let pa = segment.frames.start * PAGE_SIZE;
        let size = (segment.frames.end - segment.frames.start) * PAGE_SIZE;
        head.extend(program_header(
            LOAD,
            ALL,
            (segment.offset, pa, size),
            PAGE_SIZE,
        ));
    }
    head.extend(note);
    head.resize(start as usize, 0);
    out.write_all(&head)?;
    for number in segments.into_iter().flat_map(|segment| segment.frames) {
        out.write_all(memory.frame(number).unwrap_or(&[0; PAGE_SIZE as usize]))?;
    }
    out.flush()
}

/// Runs of frames that are not all zero, small gaps included.
fn runs(memory: &PhysicalMemory) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for (number, frame) in memory.frames_in(FIRST_FRAME..u64::MAX) {
        if frame.iter().all(|byte| *byte == 0) {
            continue;
        }
        match runs.last_mut() {
            Some(last) if number - last.end <= GAP => last.end = number + 1,
            _ => runs.push(number..number + 1),
        }
    }
    runs
}

fn header(entry: u64, segments: u16) -> Vec<u8> {
    let header = Block::new(HEADER_SIZE as usize)
        .put(0, b"\x7fELF\x02\x01\x01")
        .u16(16, 2)
        .u16(18, 62)
        .u32(20, 1)
        .u64(24, entry)
        .u64(32, HEADER_SIZE)
        .u16(52, HEADER_SIZE as u16)
        .u16(54, PROGRAM_HEADER_SIZE as u16)
        .u16(56, segments);
    header.0
}

fn program_header(
    kind: u32,
    flags: u32,
    (offset, address, size): (u64, u64, u64),
    align: u64,
) -> Vec<u8> {
    let header = Block::new(PROGRAM_HEADER_SIZE as usize)
        .u32(0, kind)
        .u32(4, flags)
        .u64(8, offset)
        .u64(16, address)
        .u64(24, address)
        .u64(32, size)
        .u64(40, size)
        .u64(48, align);
    header.0
}

/// The note that says where 32-bit execution begins.
fn note(entry: u64) -> Vec<u8> {
    let note = Block::new(24)
        .u32(0, 4)
        .u32(4, 4)
        .u32(8, ENTRY_NOTE)
        .put(12, b"Xen\0")
        .u32(16, entry as u32);
    note.0[..20].to_vec()
}
