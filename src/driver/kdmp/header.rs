//! `_DUMP_HEADER64`: the first 8 KiB of a 64-bit crash dump.
//!
//! Fields that Windows did not fill hold the text `PAGE` over and over; they
//! count as absent.

use super::FORMAT;
use crate::{
    arch::amd64::dtb_to_root,
    core::{
        Pa, Va,
        bytes::{u32_at, u64_at},
        driver::{BugCheck, Hints},
    },
    driver::file::ImageFile,
    error::{Error, Result},
};

/// Size of the header, and file offset of what follows it.
pub const HEADER_SIZE: u64 = 0x2000;

/// Most processors that a header is believed to count.
const PROCESSORS_MAX: u32 = 4096;

const UNSET: u32 = u32::from_le_bytes(*b"PAGE");
const UNSET_PAIR: u64 = u64::from_le_bytes(*b"PAGEPAGE");

/// What a dump holds: `_DUMP_HEADER64.DumpType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpType {
    /// 1: all physical memory, in runs.
    Full,
    /// 2: kernel memory behind the summary header of Windows Server 2003 and older.
    Summary,
    /// 4: single blocks by virtual address.
    Triage,
    /// 5 to 10: pages behind a header of their own, which says how they are stored.
    Pages {
        /// What people call it.
        name: &'static str,
        /// 10: everything, with the pages counted.
        complete: bool,
    },
}

impl DumpType {
    fn new(number: u32) -> Result<Self> {
        let pages = |name| Self::Pages {
            name,
            complete: number == 10,
        };
        Ok(match number {
            1 => Self::Full,
            2 => Self::Summary,
            4 => Self::Triage,
            5 => pages("full bitmap dump"),
            6 => pages("kernel bitmap dump"),
            7 => pages("automatic dump"),
            8 => pages("kernel dump"),
            9 => pages("kernel and user dump"),
            10 => pages("complete dump"),
            3 => return Err(refused("a header-only dump (type 3) holds no memory")),
            _ => return Err(refused(format!("dump type {number:#x} is not known"))),
        })
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full dump",
            Self::Summary => "summary dump",
            Self::Triage => "triage dump",
            Self::Pages { name, .. } => name,
        }
    }
}

fn refused(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::format(FORMAT.name, reason)
}

/// The header.
pub struct Header(Vec<u8>);

impl Header {
    /// Reads the header; dumps of other kinds are refused by name.
    pub fn read(file: &ImageFile) -> Result<Self> {
        let start = file.load(FORMAT.name, "signature", 0, 8)?;
        check_signature(&start)?;
        let header = Self(file.load(FORMAT.name, "header", 0, HEADER_SIZE)?);
        match header.u32(0x30) {
            0x8664 => Ok(header),
            0xaa64 => Err(refused("the dump of an ARM64 machine")),
            0x014c => Err(refused("the dump of a 32-bit x86 machine")),
            0x0200 => Err(refused("the dump of an Itanium machine")),
            other => Err(refused(format!("machine type {other:#x} is not known"))),
        }
    }

    fn u32(&self, offset: usize) -> u32 {
        u32_at(&self.0, offset).unwrap_or(UNSET)
    }

    fn u64(&self, offset: usize) -> u64 {
        u64_at(&self.0, offset).unwrap_or(UNSET_PAIR)
    }

    fn set_u64(&self, offset: usize) -> Option<u64> {
        Some(self.u64(offset)).filter(|&value| value != UNSET_PAIR && value != 0)
    }

    fn address(&self, offset: usize) -> Option<Va> {
        self.set_u64(offset).map(Va)
    }

    /// Corresponds to `_DUMP_HEADER64.DumpType`.
    pub fn dump_type(&self) -> Result<DumpType> {
        DumpType::new(self.u32(0xf98))
    }

    /// Corresponds to `_DUMP_HEADER64.DirectoryTableBase`.
    pub fn root(&self) -> Option<Pa> {
        self.set_u64(0x10).map(dtb_to_root)
    }

    /// Corresponds to `_DUMP_HEADER64.NumberProcessors`; 0 when it is implausible.
    pub fn processors(&self) -> u16 {
        let number = Some(self.u32(0x34)).filter(|&number| number <= PROCESSORS_MAX);
        number.unwrap_or(0) as u16
    }

    /// Corresponds to `_DUMP_HEADER64.KdDebuggerDataBlock`.
    pub fn debugger_data(&self) -> Option<Va> {
        self.address(0x80)
    }

    /// Bytes of `_DUMP_HEADER64.PhysicalMemoryBlock`.
    pub fn physical_memory_block(&self) -> &[u8] {
        self.0.get(0x88..0x344).unwrap_or_default()
    }

    /// Bytes of `_DUMP_HEADER64.ContextRecord`.
    pub fn context_record(&self) -> &[u8] {
        self.0.get(0x348..0xf00).unwrap_or_default()
    }

    /// Corresponds to `_DUMP_HEADER64.BugCheckCode` and its parameters.
    fn bug_check(&self) -> Option<BugCheck> {
        let code = Some(self.u32(0x38)).filter(|&code| code != UNSET && code != 0)?;
        Some(BugCheck {
            code,
            parameters: [0x40, 0x48, 0x50, 0x58].map(|offset| self.u64(offset)),
        })
    }

    /// All that the header says about the guest.
    pub fn hints(&self) -> Hints {
        Hints {
            root: self.root(),
            kernel_base: None,
            // `PsActiveProcessHead`
            process_list: self.address(0x28),
            // `PsLoadedModuleList`
            module_list: self.address(0x20),
            debugger_data: self.debugger_data(),
            // `MinorVersion`
            build: Some(self.u32(0x0c)).filter(|&build| build != UNSET && build != 0),
            // `SystemTime`
            system_time: self.set_u64(0xfa8),
            bug_check: self.bug_check(),
            modules: Vec::new(),
        }
    }
}

/// `PAGEDU64`, or an error that says what the file is instead.
fn check_signature(start: &[u8]) -> Result<()> {
    match start {
        b"PAGEDU64" => Ok(()),
        b"PAGEDUMP" => Err(refused("the dump of a 32-bit Windows (PAGEDUMP)")),
        b"USERDUMP" | b"USERDU64" => Err(refused("a user-mode dump (USERDUMP), not a kernel's")),
        [b'M', b'D', b'M', b'P', ..] => Err(refused("a user-mode minidump (MDMP), not a kernel's")),
        _ => Err(refused("it does not begin with PAGEDU64")),
    }
}
