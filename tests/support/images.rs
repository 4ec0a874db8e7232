//! Small images of every format: crash dumps by a writer that shares no code with the
//! reader, cores by the forge.

use std::io::Cursor;

use winvmi_forge::{CoreFormat, ExpectedRegisters, Machine, PhysicalMemory};

const PAGE_SIZE: u64 = 4096;

/// A page that tells its frame: each 8 bytes hold frame << 16 | index.
pub fn page(frame: u64) -> Vec<u8> {
    let words = PAGE_SIZE / 8;
    (0..words)
        .flat_map(|index| (frame << 16 | index).to_le_bytes())
        .collect()
}

/// Overwrites the bytes at `offset`.
pub fn put(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..offset + value.len()].copy_from_slice(value);
}

/// A `_DUMP_HEADER64` of a two-processor machine.
pub fn header(dump_type: u32) -> Vec<u8> {
    let mut header = b"PAGE".repeat(0x800);
    put(&mut header, 0x04, b"DU64");
    put(&mut header, 0x08, &15_u32.to_le_bytes());
    put(&mut header, 0x0c, &19041_u32.to_le_bytes());
    put(&mut header, 0x10, &0x3000_u64.to_le_bytes());
    put(&mut header, 0x20, &0xffff_f800_0000_2000_u64.to_le_bytes());
    put(&mut header, 0x28, &0xffff_f800_0000_1000_u64.to_le_bytes());
    put(&mut header, 0x30, &0x8664_u32.to_le_bytes());
    put(&mut header, 0x34, &2_u32.to_le_bytes());
    put(&mut header, 0x38, &0x1000_007e_u32.to_le_bytes());
    for (index, value) in (1_u64..=4).enumerate() {
        put(&mut header, 0x40 + index * 8, &value.to_le_bytes());
    }
    put(&mut header, 0x80, &0xffff_f800_0000_3000_u64.to_le_bytes());
    put(
        &mut header,
        0x348,
        &context(0xffff_f800_0000_4000, 0xffff_f800_0000_5000),
    );
    put(&mut header, 0xf98, &dump_type.to_le_bytes());
    put(
        &mut header,
        0xfa8,
        &132_600_000_000_000_000_u64.to_le_bytes(),
    );
    header
}

/// A `CONTEXT` with these `Rip` and `Rsp`.
pub fn context(rip: u64, rsp: u64) -> Vec<u8> {
    let mut context = vec![0; 0x4d0];
    put(&mut context, 0x30, &0x0010_001f_u32.to_le_bytes());
    put(&mut context, 0x38, &0x10_u16.to_le_bytes());
    put(&mut context, 0x44, &0x246_u32.to_le_bytes());
    put(&mut context, 0x78, &0x1111_u64.to_le_bytes());
    put(&mut context, 0x98, &rsp.to_le_bytes());
    put(&mut context, 0xf0, &0xffff_u64.to_le_bytes());
    put(&mut context, 0xf8, &rip.to_le_bytes());
    context
}

/// A full dump of `runs` (first frame, number of frames).
pub fn full_dump(runs: &[(u64, u64)]) -> Vec<u8> {
    let mut dump = header(1);
    let pages: u64 = runs.iter().map(|run| run.1).sum();
    put(&mut dump, 0x88, &(runs.len() as u32).to_le_bytes());
    put(&mut dump, 0x90, &pages.to_le_bytes());
    for (index, (base, count)) in runs.iter().enumerate() {
        put(&mut dump, 0x98 + index * 16, &base.to_le_bytes());
        put(&mut dump, 0xa0 + index * 16, &count.to_le_bytes());
        dump.extend((*base..base + count).flat_map(page));
    }
    dump
}

/// The frames whose numbers make up `frames`, as a bitmap of `bits` bits.
fn bitmap(frames: &[u64], bits: u64) -> Vec<u8> {
    let mut bitmap = vec![0; bits.div_ceil(8) as usize];
    for frame in frames {
        bitmap[(frame / 8) as usize] |= 1 << (frame % 8);
    }
    bitmap
}

/// Pads `dump` to the next page.
fn pad(dump: &mut Vec<u8>) -> u64 {
    dump.resize(dump.len().next_multiple_of(PAGE_SIZE as usize), 0);
    dump.len() as u64
}

/// A bitmap dump of ascending `frames`, of `bits` possible ones.
pub fn bitmap_dump(dump_type: u32, frames: &[u64], bits: u64) -> Vec<u8> {
    let mut dump = header(dump_type);
    dump.extend_from_slice(b"SDMPDUMP");
    dump.resize(0x2038, 0);
    dump.extend(bitmap(frames, bits));
    let first_page = pad(&mut dump);
    put(&mut dump, 0x2020, &first_page.to_le_bytes());
    put(&mut dump, 0x2028, &(frames.len() as u64).to_le_bytes());
    put(&mut dump, 0x2030, &bits.to_le_bytes());
    dump.extend(frames.iter().copied().flat_map(page));
    dump
}

/// A `_SUMMARY_DUMP64` with 32-bit fields.
pub fn summary_dump(frames: &[u64], bits: u32) -> Vec<u8> {
    let mut dump = header(2);
    dump.extend_from_slice(b"SDMPDUMP");
    dump.resize(0x2028, 0);
    dump.extend(bitmap(frames, bits.into()));
    let first_page = pad(&mut dump) as u32;
    put(&mut dump, 0x200c, &first_page.to_le_bytes());
    put(&mut dump, 0x2010, &bits.to_le_bytes());
    put(&mut dump, 0x2014, &(frames.len() as u32).to_le_bytes());
    put(&mut dump, 0x2018, &bits.to_le_bytes());
    dump.extend(frames.iter().copied().flat_map(page));
    dump
}

/// An `RDMP` dump of `ranges` (first frame, number of frames).
pub fn range_dump(dump_type: u32, ranges: &[(u64, u64)]) -> Vec<u8> {
    let mut dump = header(dump_type);
    dump.extend_from_slice(b"\x40\0\0\0RDMPDUMP");
    dump.resize(0x2030, 0);
    for (base, count) in ranges {
        dump.extend(base.to_le_bytes());
        dump.extend(count.to_le_bytes());
    }
    let first_page = pad(&mut dump);
    put(&mut dump, 0x2010, &(first_page - 0x2020).to_le_bytes());
    put(&mut dump, 0x2018, &first_page.to_le_bytes());
    put(&mut dump, 0x2020, &(ranges.len() as u32).to_le_bytes());
    let pages: u64 = ranges.iter().map(|range| range.1).sum();
    put(&mut dump, 0x2028, &pages.to_le_bytes());
    for (base, count) in ranges {
        dump.extend((*base..base + count).flat_map(page));
    }
    dump
}

/// A triage dump of `blocks` (virtual address, bytes) and one driver.
pub fn triage_dump(blocks: &[(u64, &[u8])]) -> Vec<u8> {
    let mut dump = header(4);
    dump.resize(0x2080, 0);
    let driver_list = dump.len() as u32;
    dump.resize(dump.len() + 0x90, 0);
    let name_offset = dump.len() as u32;
    let name: Vec<u8> = "\\a.sys"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    dump.extend((name.len() as u32 / 2).to_le_bytes());
    dump.extend(name);
    let entry = driver_list as usize;
    put(&mut dump, entry, &name_offset.to_le_bytes());
    put(
        &mut dump,
        entry + 0x38,
        &0xffff_f800_1000_0000_u64.to_le_bytes(),
    );
    put(&mut dump, entry + 0x48, &0x5000_u32.to_le_bytes());
    put(&mut dump, 0x2030, &driver_list.to_le_bytes());
    put(&mut dump, 0x2034, &1_u32.to_le_bytes());
    let block_list = dump.len();
    put(&mut dump, 0x2078, &(block_list as u32).to_le_bytes());
    put(&mut dump, 0x207c, &(blocks.len() as u32).to_le_bytes());
    dump.resize(block_list + blocks.len() * 16, 0);
    for (index, (address, bytes)) in blocks.iter().enumerate() {
        let offset = dump.len() as u32;
        let entry = block_list + index * 16;
        put(&mut dump, entry, &address.to_le_bytes());
        put(&mut dump, entry + 8, &offset.to_le_bytes());
        put(&mut dump, entry + 12, &(bytes.len() as u32).to_le_bytes());
        dump.extend_from_slice(bytes);
    }
    dump
}

/// Frames of the sample machine; the last one is of a range of its own.
pub const FRAMES: [u64; 5] = [1, 2, 3, 0x10, 0x20];

pub const REGISTERS: ExpectedRegisters = ExpectedRegisters {
    rip: 0xffff_f800_0000_1000,
    rsp: 0xffff_f800_0000_2000,
    rax: 0x1234,
    rflags: 0x246,
    cs: 0x10,
    cr0: 0x8005_0033,
    cr3: 0x1a_b000,
    cr4: 0x3506f8,
    gs_base: 0xffff_f800_0000_3000,
    kernel_gs_base: 0x7f_0000,
    lstar: 0xffff_f800_0000_4000,
};

/// The sample machine in a format.
pub fn core_sample(format: CoreFormat) -> Vec<u8> {
    let mut memory = PhysicalMemory::new(0);
    for frame in FRAMES {
        memory.write(frame * PAGE_SIZE, &page(frame));
    }
    let user = ExpectedRegisters {
        cs: 0x33,
        gs_base: REGISTERS.kernel_gs_base,
        kernel_gs_base: REGISTERS.gs_base,
        ..REGISTERS
    };
    let machine = Machine {
        memory: &memory,
        ranges: vec![0x1000..0x4000, 0x1_0000..0x1_1000, 0x2_0000..0x2_1000],
        registers: vec![REGISTERS, user],
    };
    let mut out = Cursor::new(Vec::new());
    machine.write(format, &mut out).unwrap();
    out.into_inner()
}

/// An intact file of a format.
pub struct Sample {
    /// Name of the back end.
    pub back_end: &'static str,
    /// What it is one of.
    pub name: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
    /// Length of its headers.
    pub headers: usize,
}

impl Sample {
    fn new(back_end: &'static str, name: &'static str, bytes: Vec<u8>, headers: usize) -> Self {
        let headers = headers.min(bytes.len());
        Self {
            back_end,
            name,
            bytes,
            headers,
        }
    }

    /// What names the format in a target.
    pub fn prefix(&self) -> String {
        format!("{}:", self.back_end)
    }

    /// Offsets of header bytes, without the long fillers of dump headers.
    pub fn offsets(&self) -> impl Iterator<Item = usize> {
        let is_dump = self.back_end == "kdmp";
        (0..self.headers).filter(move |offset| {
            !is_dump || !(0x850..0xef0).contains(offset) && !(0x1050..0x1ff0).contains(offset)
        })
    }
}

/// One of each format.
pub fn samples() -> Vec<Sample> {
    let frames = [1, 2, 5, 9, 64];
    let stored = [(0xffff_f800_0000_3000, &[0x41; 64][..])];
    let ranges = [(1, 2), (4, 1)];
    let raw: Vec<u8> = (1..5).flat_map(page).collect();
    vec![
        Sample::new("kdmp", "full", full_dump(&ranges), 0x2000),
        Sample::new("kdmp", "bitmap", bitmap_dump(5, &frames, 80), 0x2048),
        Sample::new("kdmp", "kernel", summary_dump(&frames, 80), 0x2038),
        Sample::new("kdmp", "ranges-8", range_dump(8, &ranges), 0x2060),
        Sample::new("kdmp", "ranges-10", range_dump(10, &ranges), 0x2060),
        Sample::new("kdmp", "triage", triage_dump(&stored), 0x2140),
        Sample::new("elf", "qemu", core_sample(CoreFormat::Qemu), 0x400),
        Sample::new(
            "elf",
            "virtualbox",
            core_sample(CoreFormat::VirtualBox),
            0x400,
        ),
        Sample::new("elf", "xen", core_sample(CoreFormat::Xen), 0x280),
        Sample::new("lime", "lime", core_sample(CoreFormat::Lime), 0x20),
        Sample::new("raw", "raw", raw, 0x80),
    ]
}
