//! Temporary files, and a writer of small crash dumps that shares no code with the reader.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use winvmi::{
    Result,
    core::{Driver, Gfn, PAGE_SIZE, Pa},
    driver::{FileMode, OpenOptions, Target, open},
};

/// A file that is removed with its value.
pub struct TempFile(PathBuf);

impl TempFile {
    pub fn new(bytes: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("winvmi-drivers-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens `bytes` as a detected or (`prefix`) named format.
pub fn open_bytes(prefix: &str, bytes: &[u8], file_mode: FileMode) -> Result<Arc<dyn Driver>> {
    let file = TempFile::new(bytes);
    let target = Target::parse(&format!("{prefix}{}", file.path().display()))?;
    open(&target, OpenOptions { file_mode })
}

/// The error of opening `bytes`, as text.
pub fn refusal(bytes: &[u8]) -> String {
    match open_bytes("", bytes, FileMode::Auto) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

/// A page that tells its frame: each 8 bytes hold frame << 16 | index.
pub fn page(frame: u64) -> Vec<u8> {
    let words = PAGE_SIZE / 8;
    (0..words)
        .flat_map(|index| (frame << 16 | index).to_le_bytes())
        .collect()
}

/// Asserts that exactly `frames` are present, whole, pinned if mapped.
pub fn assert_frames(driver: &dyn Driver, frames: &[u64], mapped: bool) {
    let physical = driver.physical().expect("physical memory");
    for &frame in frames {
        let pa = Gfn(frame).pa();
        let mut bytes = vec![0; PAGE_SIZE as usize];
        physical.read(pa, &mut bytes).unwrap();
        assert!(bytes == page(frame), "frame {frame:#x} read");
        let pinned = physical.pin(Gfn(frame));
        assert_eq!(pinned.is_some(), mapped, "frame {frame:#x} pinned");
        if let Some(pinned) = pinned {
            let mut word = [0; 8];
            assert!(pinned.copy_to(4088, &mut word));
            assert_eq!(u64::from_le_bytes(word), frame << 16 | 511);
        }
    }
    let last = frames.iter().max().copied().unwrap_or_default();
    for frame in (0..last + 3).filter(|frame| !frames.contains(frame)) {
        assert!(physical.pin(Gfn(frame)).is_none());
        let mut byte = [0];
        let fault = physical.read(Gfn(frame).pa(), &mut byte).unwrap_err();
        assert_eq!(fault.kind, winvmi::FaultKind::NotInImage);
    }
    assert_eq!(runs(driver), expected_runs(frames));
    assert_eq!(driver.info().memory_size, frames.len() as u64 * PAGE_SIZE);
}

/// All runs of present memory, as (start, length) in bytes.
pub fn runs(driver: &dyn Driver) -> Vec<(u64, u64)> {
    let physical = driver.physical().expect("physical memory");
    let mut runs = Vec::new();
    let mut from = Gfn(0);
    while let Some(run) = physical.next_run(from) {
        runs.push((run.start, run.length));
        let end = Pa(run.start.checked_add(run.length).unwrap());
        assert!(end.gfn() > from && runs.len() < 10_000, "runs must advance");
        from = end.gfn();
    }
    runs
}

fn expected_runs(frames: &[u64]) -> Vec<(u64, u64)> {
    let mut sorted = frames.to_vec();
    sorted.sort_unstable();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for frame in sorted {
        let start = frame * PAGE_SIZE;
        match runs.last_mut() {
            Some((from, length)) if *from + *length == start => *length += PAGE_SIZE,
            _ => runs.push((start, PAGE_SIZE)),
        }
    }
    runs
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
