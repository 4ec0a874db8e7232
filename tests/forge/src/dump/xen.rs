//! Xen's `xl dump-core`: an ELF file of sections, pages in any order.

use std::io::{self, Seek, SeekFrom, Write};

use crate::dump::elf::{HEADER_SIZE, header, note};
use crate::dump::machine::{Block, Machine};
use crate::expected::ExpectedRegisters;
use crate::memory::PAGE_SIZE;

const SECTION_HEADER_SIZE: usize = 0x40;
const SHT_PROGBITS: u32 = 1;
const SHT_STRTAB: u32 = 3;
const SHT_NOTE: u32 = 7;
/// Size of a `vcpu_guest_context_t`.
const CONTEXT_SIZE: usize = 0x1430;
/// Notes of a core: none, header, version of the format.
const NOTE_NONE: u32 = 0x200_0000;
const NOTE_HEADER: u32 = 0x200_0001;
const NOTE_FORMAT_VERSION: u32 = 0x200_0003;
/// The magic number of a fully virtualised guest.
const MAGIC_HVM: u64 = 0xf00f_ebee;

/// Names of all sections, in the order of their headers.
const NAMES: [&str; 6] = [
    "",
    ".note.Xen",
    ".xen_prstatus",
    ".xen_pages",
    ".xen_pfn",
    ".shstrtab",
];

impl Machine<'_> {
    /// Writes the core that `xl dump-core` writes of a fully virtualised guest.
    pub(crate) fn write_xen_core(&self, out: &mut (impl Write + Seek)) -> io::Result<()> {
        let notes = self.notes();
        let status: Vec<u8> = self.registers.iter().flat_map(context).collect();
        let names: Vec<u8> = NAMES
            .iter()
            .flat_map(|name| [name, "\0"].concat().into_bytes())
            .collect();
        // The last range comes first: readers must not rely on the order.
        let ranges: Vec<_> = self.ranges.iter().rev().collect();
        let frames: Vec<u8> = ranges
            .iter()
            .flat_map(|range| range.start / PAGE_SIZE..range.end / PAGE_SIZE)
            .flat_map(u64::to_le_bytes)
            .collect();
        let pages = self.pages() * PAGE_SIZE;
        let sizes = [
            0,
            notes.len(),
            status.len(),
            pages as usize,
            frames.len(),
            names.len(),
        ];
        let headers = section_headers(sizes);

        out.write_all(&header(0, (HEADER_SIZE as u64, NAMES.len() as u16)))?;
        out.write_all(&headers.bytes)?;
        for (index, bytes) in [(1, &notes), (2, &status), (4, &frames), (5, &names)] {
            out.seek(SeekFrom::Start(headers.offsets[index]))?;
            out.write_all(bytes)?;
        }
        let mut at = headers.offsets[3];
        for range in ranges {
            at = self.write_range(out, range, at)?;
        }
        Ok(())
    }

    fn notes(&self) -> Vec<u8> {
        let header = Block::new(32)
            .u64(0x00, MAGIC_HVM)
            .u64(0x08, self.registers.len() as u64)
            .u64(0x10, self.pages())
            .u64(0x18, PAGE_SIZE);
        let mut notes = note(b"Xen\0", NOTE_NONE, &[]);
        notes.extend(note(b"Xen\0", NOTE_HEADER, &header.0));
        notes.extend(note(b"Xen\0", NOTE_FORMAT_VERSION, &1_u64.to_le_bytes()));
        notes
    }
}

struct SectionHeaders {
    bytes: Vec<u8>,
    offsets: [u64; NAMES.len()],
}

/// Headers of sections of these sizes, one after the other, pages on a page border.
fn section_headers(sizes: [usize; NAMES.len()]) -> SectionHeaders {
    let kinds = [
        0,
        SHT_NOTE,
        SHT_PROGBITS,
        SHT_PROGBITS,
        SHT_PROGBITS,
        SHT_STRTAB,
    ];
    let mut headers = SectionHeaders {
        bytes: Vec::new(),
        offsets: [0; NAMES.len()],
    };
    let mut at = (HEADER_SIZE + NAMES.len() * SECTION_HEADER_SIZE) as u64;
    let mut name = 0;
    for (index, size) in sizes.into_iter().enumerate() {
        if NAMES[index] == ".xen_pages" {
            at = at.next_multiple_of(PAGE_SIZE);
        }
        headers.offsets[index] = at;
        let header = Block::new(SECTION_HEADER_SIZE)
            .u32(0x00, name)
            .u32(0x04, kinds[index])
            .u64(0x18, at)
            .u64(0x20, size as u64);
        headers.bytes.extend(header.0);
        at += size as u64;
        name += NAMES[index].len() as u32 + 1;
    }
    headers
}

/// A `vcpu_guest_context_t`: the bases of GS are sorted by privilege.
fn context(registers: &ExpectedRegisters) -> Vec<u8> {
    let (kernel, user) = match registers.cs & 3 {
        0 => (registers.gs_base, registers.kernel_gs_base),
        _ => (registers.kernel_gs_base, registers.gs_base),
    };
    Block::new(CONTEXT_SIZE)
        .u64(0x208 + 0x50, registers.rax)
        .u64(0x208 + 0x80, registers.rip)
        .u16(0x208 + 0x88, registers.cs)
        .u64(0x208 + 0x90, registers.rflags)
        .u64(0x208 + 0x98, registers.rsp)
        .u64(0x1378, registers.cr0)
        .u64(0x1378 + 0x18, registers.cr3)
        .u64(0x1378 + 0x20, registers.cr4)
        .u64(0x1420, kernel)
        .u64(0x1428, user)
        .0
}
