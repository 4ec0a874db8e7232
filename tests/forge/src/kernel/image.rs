//! The kernel image: headers, CodeView record, export directory, first instructions.

use crate::guest::Guest;
use crate::kernel::pe::{self, Extent, Headers, Section};
use crate::layout::KERNEL_PDB;
use crate::profile::Profile;

/// Room after the last symbol for what it names.
const TAIL: u64 = 0x2_0000;
/// Room for the export directory at the end of the image.
const EXPORT_ROOM: u64 = 0x4_0000;
/// Link time of the kernel (Unix time).
pub(crate) const TIME_STAMP: u32 = 0x5f3a_1b2c;
/// Name in the export directory.
const MODULE_NAME: &str = "ntoskrnl.exe";
/// The CodeView record lies in the first 4 MiB, as in real kernels.
const CODEVIEW_LIMIT: u64 = 0x40_0000;
/// Symbols beginning so are exported when an upper-case letter follows.
const EXPORTED: [&str; 12] = [
    "Cm", "Dbg", "Ex", "Io", "Kd", "Ke", "Mm", "Nt", "Ob", "Ps", "Rtl", "Se",
];

/// `swapgs; mov gs:[10h], rsp`: how every system-call entry begins.
const ENTRY_CODE: [u8; 12] = [
    0x0f, 0x01, 0xf8, 0x65, 0x48, 0x89, 0x24, 0x25, 0x10, 0x00, 0x00, 0x00,
];

/// Size of the kernel image: all symbols of the table and the export directory.
pub(crate) fn size_of_image(profile: &Profile) -> u64 {
    export_rva(profile) + EXPORT_ROOM
}

fn export_rva(profile: &Profile) -> u64 {
    let last = profile
        .symbols()
        .last_key_value()
        .map_or(0, |(rva, _)| *rva);
    (last + TAIL).next_multiple_of(0x1000)
}

/// Writes the image's own structures; its globals are written by others.
pub(crate) fn build(guest: &mut Guest) {
    let debug = write_debug_directory(guest);
    let exports = write_exports(guest);
    write_headers(guest, debug, exports);
    for entry in ["KiSystemCall64", "KiSystemCall64Shadow"] {
        guest.write(guest.symbol(entry), &ENTRY_CODE);
    }
}

fn write_debug_directory(guest: &mut Guest) -> Extent {
    let facts = guest.layout().facts();
    let length = pe::debug_directory(0, 0, facts.guid, facts.age, KERNEL_PDB).len() as u64;
    let rva = gap(guest, length) as u32;
    let bytes = pe::debug_directory(rva, TIME_STAMP, facts.guid, facts.age, KERNEL_PDB);
    guest.write(facts.kernel_base + u64::from(rva), &bytes);
    Extent {
        rva,
        size: pe::DEBUG_ENTRY_SIZE,
    }
}

/// Finds room between two symbols.
fn gap(guest: &Guest, length: u64) -> u64 {
    let symbols: Vec<u64> = guest.profile.symbols().into_keys().collect();
    let room = symbols.windows(2).find(|pair| {
        pair[0] >= 0x1000 && pair[1] < CODEVIEW_LIMIT && pair[1] - pair[0] >= length + 0x800
    });
    match room {
        Some(pair) => (pair[1] - length) & !3,
        None => panic!("no room for the CodeView record of {}", guest.layout()),
    }
}

fn write_exports(guest: &mut Guest) -> Extent {
    let profile = guest.profile.clone();
    let symbols = profile.symbols();
    let mut exports: Vec<(&str, u32)> = symbols
        .iter()
        .filter(|(_, name)| is_exported(name))
        .map(|(rva, name)| (*name, *rva as u32))
        .collect();
    exports.sort_unstable();
    let rva = export_rva(&profile) as u32;
    let bytes = pe::export_directory(rva, MODULE_NAME, &exports);
    assert!(bytes.len() as u64 <= EXPORT_ROOM, "too many exports");
    let base = guest.expected.kernel.base;
    guest.write(base + u64::from(rva), &bytes);
    let known = ["NtCreateFile", "PsInitialSystemProcess", "KeBugCheckEx"]
        .map(|name| (name.to_owned(), base + profile.symbol(name)));
    guest.expected.kernel.exports = known.to_vec();
    Extent {
        rva,
        size: bytes.len() as u32,
    }
}

fn is_exported(name: &str) -> bool {
    EXPORTED.iter().any(|prefix| {
        let rest = name.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    })
}

fn write_headers(guest: &mut Guest, debug: Extent, exports: Extent) {
    let kernel = &guest.expected.kernel;
    let headers = Headers {
        machine: pe::MACHINE_AMD64,
        is_dll: false,
        time_stamp: TIME_STAMP,
        entry_point: guest.profile.symbol("KiSystemStartup") as u32,
        image_base: kernel.base,
        image_size: kernel.size as u32,
        os_version: (kernel.major_version as u16, kernel.minor_version as u16),
        exports,
        debug,
        sections: sections(exports, guest.profile.symbol("KdDebuggerDataBlock") as u32),
    };
    guest.write(kernel.base, &headers.bytes());
}

/// Sections that cover the whole image. Where the real ones end is not in the table: the page
/// of `data` begins the data, all after it is taken for pageable code.
fn sections(exports: Extent, data: u32) -> Vec<Section> {
    let data = data & !0xfff;
    let page = (data + 0x1000).max((exports.rva / 2) & !0xfff);
    let section = |name, start: u32, end: u32, characteristics| Section {
        name,
        extent: Extent {
            rva: start,
            size: end - start,
        },
        characteristics,
    };
    vec![
        section(".text", 0x1000, data, pe::CODE),
        section(".data", data, page, pe::DATA),
        section("PAGE", page, exports.rva, pe::CODE | pe::DATA),
        section(
            ".edata",
            exports.rva,
            exports.rva + exports.size,
            pe::CONSTANTS,
        ),
    ]
}
