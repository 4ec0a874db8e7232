//! DLLs and regions of the standard population's processes.

use super::processes::Processes;
use crate::guest::Guest;
use crate::process::vad::{Backing, RegionSpec};
use crate::user::image::{DllSpec, SystemDll};
use crate::user::wide::Width;

const EVERYWHERE: [bool; 3] = [true; 3];
/// `0x0c`: not cached; `0x10`: guard; `0x18`: write-combined; low bits: access.
const READ_ONLY: u8 = 1;
const READ_WRITE: u8 = 4;
const WRITE_COPY: u8 = 5;
const EXECUTE_READ_WRITE: u8 = 6;
const GUARDED: u8 = 0x10 | READ_WRITE;
const NOT_CACHED: u8 = 0x08 | READ_WRITE;
const WRITE_COMBINED: u8 = 0x18 | READ_WRITE;
const NO_ACCESS: u8 = 0x18;

/// Loads the DLLs and makes the regions.
pub(super) fn place(guest: &mut Guest, processes: &Processes) {
    let owners: Vec<u64> = guest
        .expected
        .parameters
        .iter()
        .map(|it| it.process)
        .collect();
    let mut done = Vec::new();
    for process in owners {
        if !done.contains(&process) {
            load_system_dlls(guest, process);
            done.push(process);
        }
    }
    hide_modules(guest, processes.explorer);
    place_regions(guest, processes.notepad);
}

fn load_system_dlls(guest: &mut Guest, process: u64) {
    let is_small = guest.expected.kernel.highest_user_address >> 43 == 0;
    let high = if is_small {
        0x77a0_0000
    } else {
        0x7ffb_1000_0000
    };
    let is_wow64 = guest.processes[&process].is_wow64;
    load_pair(guest, process, "System32", Width::Amd64, high, !is_wow64);
    if is_wow64 {
        load(
            guest,
            process,
            "System32",
            &wow64_dll(high + 0x20_0000),
            EVERYWHERE,
        );
        load_pair(guest, process, "SysWOW64", Width::X86, 0x7720_0000, true);
    }
}

/// Loads `ntdll.dll` and, for the code that the process runs, `kernel32.dll`.
fn load_pair(guest: &mut Guest, process: u64, folder: &str, width: Width, base: u64, both: bool) {
    let ntdll = SystemDll {
        name: "ntdll.dll",
        width,
        base,
        exports: &[
            ("LdrLoadDll", 0x1100),
            ("NtCreateFile", 0x1200),
            ("RtlAllocateHeap", 0x1300),
        ],
        forwarder: None,
    };
    load(guest, process, folder, &ntdll, EVERYWHERE);
    if both {
        let kernel32 = SystemDll {
            name: "KERNEL32.DLL",
            width,
            base: base + 0x30_0000,
            exports: &[("CreateFileW", 0x1040), ("GetTickCount", 0x1080)],
            forwarder: Some(("HeapAlloc", "NTDLL.RtlAllocateHeap")),
        };
        load(guest, process, folder, &kernel32, EVERYWHERE);
    }
}

fn wow64_dll(base: u64) -> SystemDll<'static> {
    SystemDll {
        name: "wow64.dll",
        width: Width::Amd64,
        base,
        exports: &[("Wow64LdrpInitialize", 0x1000)],
        forwarder: None,
    }
}

fn load(guest: &mut Guest, process: u64, folder: &str, dll: &SystemDll, lists: [bool; 3]) {
    guest.load_dll(
        process,
        &DllSpec {
            name: dll.name,
            path: &format!("C:\\Windows\\{folder}\\{}", dll.name),
            base: dll.base,
            file: &dll.file(),
            width: dll.width,
            lists,
            missing: &[],
        },
    );
}

/// An image that no loader knows, and one that was taken off the first list.
fn hide_modules(guest: &mut Guest, process: u64) {
    let hidden = [
        ("hidden.dll", 0x1_5000_0000, [false; 3]),
        ("unlinked.dll", 0x1_5100_0000, [false, true, true]),
    ];
    for (name, base, lists) in hidden {
        let dll = SystemDll {
            name,
            width: Width::Amd64,
            base,
            exports: &[("Run", 0x1000)],
            forwarder: None,
        };
        load(guest, process, "Temp", &dll, lists);
    }
}

/// Regions of every kind, one of them with a commit charge that needs its high byte.
fn place_regions(guest: &mut Guest, process: u64) {
    let path = Some("\\Windows\\Globalization\\Sorting\\sortdefault.nls");
    let file = guest.create_section(path, false, &[0x4e; 0x3000]);
    let shared = guest.create_section(None, false, &[0x53; 0x2000]);
    let section = |section: &_| Backing::Section {
        section: crate::user::section::Section::clone(section),
        is_image: false,
    };
    let regions = [
        (
            0x1_8000_0000,
            0x1_0000,
            READ_WRITE,
            true,
            16,
            Backing::Private,
        ),
        (
            0x1_9000_0000,
            0x10_0000,
            GUARDED,
            false,
            3,
            Backing::Private,
        ),
        (0x1_9800_0000, 0x1000, NOT_CACHED, true, 1, Backing::Private),
        (
            0x1_a000_0000,
            0x4000,
            EXECUTE_READ_WRITE,
            true,
            4,
            Backing::Private,
        ),
        (
            0x1_a800_0000,
            0x4000,
            WRITE_COMBINED,
            true,
            4,
            Backing::Private,
        ),
        (
            0x1_b000_0000,
            0x40_0000,
            NO_ACCESS,
            false,
            0,
            Backing::Private,
        ),
        (
            0x2_0000_0000,
            0x20_0000,
            READ_WRITE,
            true,
            0x200,
            Backing::Private,
        ),
        (0x3_0000_0000, 0x3000, READ_ONLY, false, 0, section(&file)),
        (0x3_1000_0000, 0x2000, WRITE_COPY, false, 2, section(&file)),
        (
            0x3_2000_0000,
            0x2000,
            READ_WRITE,
            false,
            2,
            section(&shared),
        ),
        (
            0x100_0000_0000,
            0x200_0000_0000,
            READ_WRITE,
            false,
            0x8123_4567,
            Backing::Private,
        ),
    ];
    for (start, size, protection, committed, commit_charge, backing) in regions {
        let spec = RegionSpec {
            start,
            size,
            protection,
            committed,
            commit_charge,
            backing,
        };
        guest.add_region(process, &spec);
    }
}
