//! Triage dumps (type 4): copies of chosen bytes by virtual address.
//!
//! `_TRIAGE_DUMP64` follows the header; all its offsets count from the start of the file. Its
//! layout is public (Microsoft's debugger headers); what real dumps hold was taken from one.

use std::io::{self, Seek, Write};

use crate::dump::header::{self, DumpType};
use crate::guest::Guest;
use crate::kernel::modules;
use crate::memory::PAGE_SIZE;

/// Offsets in `_TRIAGE_DUMP64`.
mod field {
    pub const SIZE_OF_DUMP: usize = 0x4;
    pub const VALID: usize = 0x8;
    pub const CONTEXT: usize = 0xc;
    pub const EXCEPTION: usize = 0x10;
    pub const MEMORY_MANAGER: usize = 0x14;
    pub const UNLOADED_DRIVERS: usize = 0x18;
    pub const PRCB: usize = 0x1c;
    pub const PROCESS: usize = 0x20;
    pub const THREAD: usize = 0x24;
    pub const STACK: usize = 0x28;
    pub const STACK_SIZE: usize = 0x2c;
    pub const DRIVERS: usize = 0x30;
    pub const DRIVER_COUNT: usize = 0x34;
    pub const STRINGS: usize = 0x38;
    pub const STRINGS_SIZE: usize = 0x3c;
    pub const OPTIONS: usize = 0x44;
    pub const TOP_OF_STACK: usize = 0x48;
    pub const DEBUGGER_DATA: usize = 0x70;
    pub const DEBUGGER_DATA_SIZE: usize = 0x74;
    pub const BLOCKS: usize = 0x78;
    pub const BLOCK_COUNT: usize = 0x7c;
}

/// Size of `_TRIAGE_DUMP64`.
const SIZE: usize = 0x80;
/// Size of the record about the memory manager.
const MEMORY_MANAGER_SIZE: u32 = 0x50;
/// Size of a record of a loaded driver: the offset of its name and a loader entry.
const DRIVER_SIZE: usize = 0x90;
/// Characters in a record of an unloaded driver.
const UNLOADED_NAME: usize = 24;
/// The mark at the end.
const VALID: &[u8] = b"TRGD";

pub(super) fn write(
    guest: &Guest,
    blocks: &[(u64, u64)],
    out: &mut (impl Write + Seek),
) -> io::Result<()> {
    let mut file = TriageFile {
        bytes: vec![0; header::SIZE + SIZE],
    };
    file.set(field::CONTEXT, 0x348);
    file.set(field::EXCEPTION, 0xf00);
    file.set(field::OPTIONS, u32::MAX);
    write_memory_manager(&mut file);
    write_unloaded(guest, &mut file);
    write_copies(guest, &mut file);
    write_drivers(guest, &mut file);
    write_blocks(guest, blocks, &mut file);
    let valid = file.append(VALID);
    file.set(field::VALID, valid);
    file.set(field::SIZE_OF_DUMP, file.bytes.len() as u32);
    let header = header::header(guest, DumpType::Triage, file.bytes.len() as u64);
    file.bytes[..header::SIZE].copy_from_slice(&header);
    out.write_all(&file.bytes)
}

/// A triage dump being filled in.
struct TriageFile {
    bytes: Vec<u8>,
}

impl TriageFile {
    /// Appends bytes: their file offset.
    fn append(&mut self, bytes: &[u8]) -> u32 {
        let offset = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(offset, 0);
        self.bytes.extend(bytes);
        offset as u32
    }

    /// Sets a 32-bit member of `_TRIAGE_DUMP64`.
    fn set(&mut self, offset: usize, value: u32) {
        self.put(header::SIZE + offset, &value.to_le_bytes());
    }

    fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}

fn copy(guest: &Guest, va: u64, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    guest.read(va, &mut bytes);
    bytes
}

fn write_memory_manager(file: &mut TriageFile) {
    let mut record = vec![0; MEMORY_MANAGER_SIZE as usize];
    record[..4].copy_from_slice(&1u32.to_le_bytes());
    record[4..8].copy_from_slice(&MEMORY_MANAGER_SIZE.to_le_bytes());
    let offset = file.append(&record);
    file.set(field::MEMORY_MANAGER, offset);
}

/// The number of unloaded drivers, then a record of each: name as a string structure and as
/// text, start and end.
fn write_unloaded(guest: &Guest, file: &mut TriageFile) {
    let drivers = &guest.expected.unloaded_modules;
    let mut bytes = (drivers.len() as u64).to_le_bytes().to_vec();
    for driver in drivers {
        let mut name = crate::guest::utf16(&driver.name);
        name.truncate(UNLOADED_NAME);
        let length = name.len() as u16;
        bytes.extend([length, length].into_iter().flat_map(u16::to_le_bytes));
        bytes.extend([0; 12]);
        name.resize(UNLOADED_NAME, 0);
        bytes.extend(name);
        bytes.extend(
            [driver.start, driver.end]
                .into_iter()
                .flat_map(u64::to_le_bytes),
        );
    }
    let offset = file.append(&bytes);
    file.set(field::UNLOADED_DRIVERS, offset);
}

/// Copies of the first processor's `_KPRCB`, process, thread and stack, and the debugger data.
fn write_copies(guest: &Guest, file: &mut TriageFile) {
    let processor = &guest.expected.processors[0];
    let thread = processor.current_thread;
    let process = guest.peek_field(thread, "_ETHREAD", "Tcb.Process");
    let size = |structure| guest.profile.size_of(structure);
    let copies = [
        (field::PRCB, processor.kprcb, size("_KPRCB")),
        (field::PROCESS, process, size("_EPROCESS")),
        (field::THREAD, thread, size("_ETHREAD")),
    ];
    for (member, va, length) in copies {
        let offset = file.append(&copy(guest, va, length));
        file.set(member, offset);
    }
    let (start, length) = stack(guest, thread);
    let offset = file.append(&copy(guest, start, length));
    file.set(field::STACK, offset);
    file.set(field::STACK_SIZE, length as u32);
    file.put(header::SIZE + field::TOP_OF_STACK, &start.to_le_bytes());
    let length = guest.layout().facts().debugger_data_size;
    let offset = file.append(&copy(
        guest,
        guest.expected.kernel.debugger_data,
        length.into(),
    ));
    file.set(field::DEBUGGER_DATA, offset);
    file.set(field::DEBUGGER_DATA_SIZE, length);
}

/// The used part of a thread's kernel stack: start and length.
fn stack(guest: &Guest, thread: u64) -> (u64, u64) {
    let pointer = guest.peek_field(thread, "_ETHREAD", "Tcb.KernelStack");
    let base = guest.peek_field(thread, "_ETHREAD", "Tcb.StackBase");
    (pointer, base - pointer)
}

/// A record of each loaded driver; the names are counted strings.
fn write_drivers(guest: &Guest, file: &mut TriageFile) {
    let modules = &guest.expected.modules;
    let list = file.append(&vec![0; modules.len() * DRIVER_SIZE]);
    let strings = file.bytes.len();
    for (index, module) in modules.iter().enumerate() {
        let mut text = (module.path.encode_utf16().count() as u32)
            .to_le_bytes()
            .to_vec();
        text.extend(crate::guest::utf16(&module.path));
        text.extend([0; 2]);
        let name = file.append(&text);
        let at = list as usize + index * DRIVER_SIZE;
        file.put(at, &name.to_le_bytes());
        file.put(at + 0x38, &module.base.to_le_bytes());
        file.put(at + 0x40, &module.entry_point.to_le_bytes());
        file.put(at + 0x48, &module.size.to_le_bytes());
        file.put(at + 0x88, &module.time_stamp.to_le_bytes());
    }
    file.set(field::DRIVERS, list);
    file.set(field::DRIVER_COUNT, modules.len() as u32);
    file.set(field::STRINGS, strings as u32);
    file.set(field::STRINGS_SIZE, (file.bytes.len() - strings) as u32);
}

/// The list of blocks (address, file offset, length), then their bytes without padding.
fn write_blocks(guest: &Guest, blocks: &[(u64, u64)], file: &mut TriageFile) {
    let list = file.append(&vec![0; blocks.len() * 0x10]);
    for (index, (va, length)) in blocks.iter().enumerate() {
        let offset = file.bytes.len() as u32;
        let at = list as usize + index * 0x10;
        file.put(at, &va.to_le_bytes());
        file.put(at + 8, &offset.to_le_bytes());
        file.put(at + 12, &(*length as u32).to_le_bytes());
        file.bytes.extend(copy(guest, *va, *length));
    }
    file.set(field::BLOCKS, list);
    file.set(field::BLOCK_COUNT, blocks.len() as u32);
}

impl Guest {
    /// The blocks that a triage dump holds: virtual address and length. Of the process list,
    /// only its head and the System process are among them.
    pub fn triage_blocks(&self) -> Vec<(u64, u64)> {
        let size = |structure| self.profile.size_of(structure);
        let mut blocks = vec![(self.expected.kernel.base, PAGE_SIZE)];
        blocks.extend(self.variable_blocks());
        for processor in &self.expected.processors {
            blocks.push((processor.kprcb, size("_KPRCB")));
            blocks.push((processor.current_thread, size("_ETHREAD")));
        }
        blocks.push((self.expected.processes[0].object, size("_EPROCESS")));
        blocks.extend(self.module_blocks());
        blocks
    }

    fn variable_blocks(&self) -> Vec<(u64, u64)> {
        let variables = [
            ("PsLoadedModuleList", 0x10),
            ("PsActiveProcessHead", 0x10),
            ("PsInitialSystemProcess", 8),
            ("KiProcessorBlock", 8 * u64::from(self.options.processors)),
            ("KeNumberProcessors", 4),
            ("NtBuildNumber", 4),
            ("NtBuildLab", 0x40),
            ("NtBuildLabEx", 0x40),
            ("KdVersionBlock", 0x28),
            ("MmUnloadedDrivers", 8),
            ("MmLastUnloadedDriver", 4),
        ];
        let mut blocks: Vec<_> = variables
            .map(|(name, length)| (self.symbol(name), length))
            .to_vec();
        blocks.extend(self.find_symbol("ObHeaderCookie").map(|cookie| (cookie, 4)));
        blocks
    }

    /// Loader entries and their names.
    fn module_blocks(&self) -> Vec<(u64, u64)> {
        let structure = modules::loader_entry(self);
        let size = self.profile.size_of(structure);
        let mut blocks = Vec::new();
        for module in &self.expected.modules {
            blocks.push((module.entry, size));
            for name in ["FullDllName", "BaseDllName"] {
                let buffer = self.peek_field(module.entry, structure, &format!("{name}.Buffer"));
                let length = self.peek_field(module.entry, structure, &format!("{name}.Length"));
                blocks.push((buffer, length));
            }
        }
        blocks
    }
}
