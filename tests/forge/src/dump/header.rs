//! The header of 64-bit crash dumps (`_DUMP_HEADER64`).
//!
//! The layout is public (Microsoft's debugger headers, Volatility, Rekall) and the same in all
//! builds; the kernels' tables do not have it. Unused bytes hold the text `PAGE`.

use crate::clock;
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

/// Size of the header.
pub(crate) const SIZE: usize = 0x2000;

/// Kinds of crash dump (`DumpType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpType {
    /// All physical memory, in runs.
    Full = 1,
    /// Kernel memory, found by a bitmap; of Windows Server 2003 and older.
    Summary = 2,
    /// Chosen blocks by virtual address.
    Triage = 4,
    /// All physical memory, found by a bitmap.
    BitmapFull = 5,
    /// Kernel memory, found by a bitmap.
    BitmapKernel = 6,
    /// Kernel memory, of a size chosen by the system, found by a bitmap.
    Automatic = 7,
    /// Kernel memory, by a debugger.
    Kernel = 8,
    /// Kernel and user memory in use, by a debugger.
    KernelAndUser = 9,
    /// All memory, by a debugger.
    Complete = 0xa,
}

impl DumpType {
    /// All kinds.
    pub const ALL: [DumpType; 9] = [
        DumpType::Full,
        DumpType::Summary,
        DumpType::Triage,
        DumpType::BitmapFull,
        DumpType::BitmapKernel,
        DumpType::Automatic,
        DumpType::Kernel,
        DumpType::KernelAndUser,
        DumpType::Complete,
    ];

    /// The kind of a number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// Whether the dump holds all physical memory.
    pub fn is_complete(self) -> bool {
        matches!(self, Self::Full | Self::BitmapFull | Self::Complete)
    }

    /// Whether the dump holds memory of user mode.
    pub fn has_user_pages(self) -> bool {
        self.is_complete() || self == Self::KernelAndUser
    }
}

/// Offset of the physical-memory block.
const MEMORY_BLOCK: usize = 0x88;
/// Room for the block.
const MEMORY_BLOCK_SIZE: usize = 700;
/// Offset of the context record.
const CONTEXT: usize = 0x348;
/// Room for the context record.
const CONTEXT_SIZE: usize = 3000;
/// Offset of the exception record.
const EXCEPTION: usize = 0xf00;
/// Size of the exception record.
const EXCEPTION_SIZE: usize = 0x98;
/// The bug check of forged dumps: SYSTEM_THREAD_EXCEPTION_NOT_HANDLED.
pub const BUG_CHECK: u32 = 0x7e;
/// Code of the exception: a breakpoint.
const EXCEPTION_CODE: u32 = 0x8000_0003;

/// The bytes of a dump's header. `total` is the size of the whole file.
pub(crate) fn header(guest: &Guest, kind: DumpType, total: u64) -> Vec<u8> {
    let mut header = Header {
        bytes: b"PAGE".repeat(SIZE / 4),
    };
    write_identity(guest, &mut header, kind, total);
    write_crash(guest, &mut header);
    if kind != DumpType::Triage {
        write_memory_block(guest, &mut header);
    }
    header.bytes
}

/// A header being filled in.
struct Header {
    bytes: Vec<u8>,
}

impl Header {
    fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn put_u32(&mut self, offset: usize, value: u32) {
        self.put(offset, &value.to_le_bytes());
    }

    fn put_u64(&mut self, offset: usize, value: u64) {
        self.put(offset, &value.to_le_bytes());
    }
}

fn write_identity(guest: &Guest, header: &mut Header, kind: DumpType, total: u64) {
    let kernel = &guest.expected.kernel;
    header.put(0, b"PAGEDU64");
    header.put_u32(0x8, 0xf);
    header.put_u32(0xc, kernel.build);
    header.put_u64(0x10, kernel.system_root);
    header.put_u64(0x18, guest.symbol("MmPfnDatabase"));
    header.put_u64(0x20, guest.symbol("PsLoadedModuleList"));
    header.put_u64(0x28, guest.symbol("PsActiveProcessHead"));
    header.put_u32(0x30, 0x8664);
    header.put_u32(0x34, kernel.processors);
    header.put_u64(0x80, kernel.debugger_data);
    header.put_u32(0xf98, kind as u32);
    header.put_u64(0xfa0, total);
    header.put_u64(0xfa8, kernel.system_time);
    header.put(0xfb0, &[0; 128]);
    header.put(0xfb0, b"forged");
    header.put_u64(0x1030, clock::NOW - clock::BOOT);
    header.put_u32(0x1038, 0xcff);
    header.put_u32(0x103c, 0);
    header.put_u32(0x1040, 1);
    header.put_u32(0x1044, 0x110);
    header.put_u32(0x1048, 0);
}

fn write_crash(guest: &Guest, header: &mut Header) {
    let registers = &guest.expected.processors[0].registers;
    let kprcb = guest.expected.processors[0].kprcb;
    header.put_u32(0x38, BUG_CHECK);
    for (index, parameter) in [0xffff_ffff_8000_0003, registers.rip, registers.rsp, 0]
        .into_iter()
        .enumerate()
    {
        header.put_u64(0x40 + index * 8, parameter);
    }
    let context = kprcb
        + guest
            .profile
            .offset("_KPRCB", "ProcessorState.ContextFrame");
    let mut bytes = vec![0; guest.profile.size_of("_CONTEXT") as usize];
    guest.read(context, &mut bytes);
    header.put(CONTEXT, &[0; CONTEXT_SIZE]);
    header.put(CONTEXT, &bytes);
    header.put(EXCEPTION, &[0; EXCEPTION_SIZE]);
    header.put_u32(EXCEPTION, EXCEPTION_CODE);
    header.put_u32(EXCEPTION + 4, 1);
    header.put_u64(EXCEPTION + 0x10, registers.rip);
}

/// The runs of physical memory: number of runs and of pages, then base and length of each.
fn write_memory_block(guest: &Guest, header: &mut Header) {
    let runs = guest.memory.ranges();
    header.put(MEMORY_BLOCK, &[0; MEMORY_BLOCK_SIZE]);
    header.put_u32(MEMORY_BLOCK, runs.len() as u32);
    header.put_u64(MEMORY_BLOCK + 8, guest.memory.total_bytes() / PAGE_SIZE);
    for (index, run) in runs.iter().enumerate() {
        let at = MEMORY_BLOCK + 0x10 + index * 0x10;
        header.put_u64(at, run.start / PAGE_SIZE);
        header.put_u64(at + 8, (run.end - run.start) / PAGE_SIZE);
    }
}
