//! Writes a small corpus of seeds, one folder for each target.
//!
//! All of it is forged or part of the project's own test data.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use winvmi::symbols::read_isf;
use winvmi_forge::{CoreFormat, DumpType, ExpectedRegisters, Machine, PAGE_SIZE, PhysicalMemory};

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");

/// An ISF table of the module that `tests/symbols/data/sample.pdb` is of.
const TABLE: &str = r#"{
"metadata": {"windows": {"pdb": {"GUID": "B196DC3A7EA61CDD4C4C44205044422E", "age": 1, "database": "sample.pdb"}}},
"base_types": {"int": {"kind": "int", "size": 4, "signed": true}, "pointer": {"kind": "int", "size": 8, "signed": false}},
"user_types": {"_INNER": {"kind": "struct", "size": 8, "fields": {"Value": {"offset": 4, "type": {"kind": "base", "name": "int"}}}},
"_OUTER": {"kind": "struct", "size": 32, "fields": {
"a": {"offset": 0, "type": {"kind": "bitfield", "bit_position": 3, "bit_length": 2, "type": {"kind": "base", "name": "int"}}},
"Inner": {"offset": 8, "type": {"kind": "struct", "name": "_INNER"}},
"List": {"offset": 16, "type": {"kind": "array", "count": 2, "subtype": {"kind": "pointer", "subtype": {"kind": "struct", "name": "_OUTER"}}}}}}},
"enums": {"_KIND": {"size": 4, "base": "int", "constants": {"First": 1, "Last": -1}}},
"symbols": {"Symbol": {"address": 4096}}}"#;

fn main() -> io::Result<()> {
    let corpus = Path::new(PROJECT).join("fuzz/corpus");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    for (name, format, choices) in cores() {
        let image = image(format)?;
        for choice in choices {
            write("core", &format!("{name}-{choice}"), &chosen(choice, &image))?;
        }
    }
    for (kind, image) in dumps() {
        for choice in 0..4 {
            let name = format!("type-{kind}-{choice}");
            write("dump", &name, &chosen(choice, &image))?;
        }
    }
    for name in ["sample_x64.dll", "sample_x86.dll"] {
        let path = PathBuf::from(PROJECT).join("tests/pe").join(name);
        write("pe", name, &fs::read(path)?)?;
    }
    write("symbols", "isf", TABLE.as_bytes())?;
    let table = corpus.join("symbols/isf");
    let profile = read_isf(&table).map_err(io::Error::other)?;
    write("symbols", "isr", profile.as_bytes())?;
    let pdb = PathBuf::from(PROJECT).join("tests/symbols/data/sample.pdb");
    write("symbols", "pdb", &fs::read(pdb)?)?;
    write("paging", "self-map", &self_map())?;
    for target in ["windows", "handle_tables", "capi"] {
        for seed in 1..=8_u8 {
            write(target, &format!("noise-{seed}"), &noise(seed, 600))?;
        }
    }
    Ok(())
}

/// The target's first byte, then the file.
fn chosen(choice: u8, image: &[u8]) -> Vec<u8> {
    [&[choice], image].concat()
}

fn cores() -> [(&'static str, CoreFormat, [u8; 2]); 4] {
    [
        ("qemu", CoreFormat::Qemu, [0, 1]),
        ("virtualbox", CoreFormat::VirtualBox, [0, 1]),
        ("xen", CoreFormat::Xen, [0, 1]),
        ("lime", CoreFormat::Lime, [2, 3]),
    ]
}

/// A machine of two pages and one processor.
fn image(format: CoreFormat) -> io::Result<Vec<u8>> {
    let mut memory = PhysicalMemory::new(0);
    for frame in [1, 4] {
        memory.write(frame * PAGE_SIZE, b"page");
    }
    let registers = ExpectedRegisters {
        cr0: 0x8005_0033,
        cr3: 0x1000,
        cr4: 0x3506f8,
        ..ExpectedRegisters::default()
    };
    let machine = Machine {
        memory: &memory,
        ranges: vec![0x1000..0x2000, 0x4000..0x5000],
        registers: vec![registers],
    };
    let mut out = io::Cursor::new(Vec::new());
    machine.write(format, &mut out)?;
    Ok(out.into_inner())
}

/// Crash dumps of each type, with headers whole and memory cut short.
fn dumps() -> Vec<(u32, Vec<u8>)> {
    let header = |kind: u32| {
        let mut header = b"PAGE".repeat(0x800);
        header[4..8].copy_from_slice(b"DU64");
        header[0x10..0x18].copy_from_slice(&0x1000_u64.to_le_bytes());
        header[0x30..0x38].copy_from_slice(&0x1_0000_8664_u64.to_le_bytes());
        header[0xf98..0xf9c].copy_from_slice(&kind.to_le_bytes());
        header
    };
    let put = |dump: &mut Vec<u8>, offset: usize, value: u64| {
        dump[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    };
    let mut full = header(DumpType::Full as u32);
    put(&mut full, 0x88, 1);
    put(&mut full, 0x90, 1);
    put(&mut full, 0x98, 1);
    put(&mut full, 0xa0, 1);
    full.resize(0x3000, 1);
    let mut bitmap = header(5);
    bitmap.extend_from_slice(b"SDMPDUMP");
    bitmap.resize(0x4000, 0);
    for (offset, value) in [(0x2020, 0x3000), (0x2028, 1), (0x2030, 64), (0x2038, 2)] {
        put(&mut bitmap, offset, value);
    }
    let mut ranges = header(10);
    ranges.extend_from_slice(b"\x40\0\0\0RDMPDUMP");
    ranges.resize(0x4000, 0);
    let fields = [(0x2010, 0xfe0), (0x2018, 0x3000), (0x2020, 1), (0x2028, 1)];
    for (offset, value) in fields.into_iter().chain([(0x2030, 1), (0x2038, 1)]) {
        put(&mut ranges, offset, value);
    }
    let mut triage = header(4);
    triage.resize(0x2200, 0);
    for (offset, value) in [
        (0x2078, 0x1_0000_2100),
        (0x2100, 0x8000),
        (0x2108, 0x40_0000_2140),
    ] {
        put(&mut triage, offset, value);
    }
    vec![(1, full), (5, bitmap), (10, ranges), (4, triage)]
}

/// Two frames of page tables that name each other, and plain pages.
fn self_map() -> Vec<u8> {
    let mut bytes = vec![0; 1 + 1 + 8 + 8 + 32];
    for index in 0..128_u64 {
        bytes.extend(((index % 3) << 12 | 0x63).to_le_bytes());
    }
    bytes
}

/// Bytes without a pattern, always the same.
fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(step).collect()
}
