//! `_EXCEPTION_RECORD`: what went wrong, and where.

use isr::macros::Field;

use super::{Architecture, Record};
use crate::{
    core::{Memory, Space, Va},
    error::Result,
};

/// Most words of information that a record holds.
/// Corresponds to `EXCEPTION_MAXIMUM_PARAMETERS`.
const PARAMETERS_MAX: u64 = 15;

/// An exception record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRecord {
    /// Code (an `NTSTATUS`). Corresponds to `ExceptionCode`.
    pub code: u32,
    /// Flags; bit 0: execution cannot go on. Corresponds to `ExceptionFlags`.
    pub flags: u32,
    /// Address of the record of the exception that this one followed, or NULL.
    /// Corresponds to `ExceptionRecord`.
    pub next: Va,
    /// Instruction that failed. Corresponds to `ExceptionAddress`.
    pub address: Va,
    /// Facts that depend on the code; of an access violation what was tried
    /// (0 read, 1 write, 8 execute) and where. Corresponds to
    /// `ExceptionInformation`, as many words as `NumberParameters` says.
    pub information: Vec<u64>,
}

impl ExceptionRecord {
    /// Reads the record at `address`, with the pointers of `architecture`.
    pub fn read(
        memory: &Memory,
        space: Space,
        address: Va,
        architecture: Architecture,
    ) -> Result<Self> {
        let width = architecture.pointer_size() as u64;
        let record = Record::new(memory, space, address);
        // Both forms hold the same fields; those behind the pointers move.
        let (count_at, information_at) = match architecture {
            Architecture::X86 => (0x10, 0x14),
            Architecture::Amd64 => (0x18, 0x20),
        };
        let count = record.uint(Field::new(count_at, 4))?.min(PARAMETERS_MAX);
        let word = |index: u64| {
            let offset = width.wrapping_mul(index).wrapping_add(information_at);
            record.uint(Field::new(offset, width))
        };
        Ok(Self {
            code: record.uint32(Field::new(0x0, 4))?,
            flags: record.uint32(Field::new(0x4, 4))?,
            next: Va(record.uint(Field::new(0x8, width))?),
            address: Va(record.uint(Field::new(width.wrapping_add(8), width))?),
            information: (0..count).map(word).collect::<Result<_>>()?,
        })
    }
}
