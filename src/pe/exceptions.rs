//! The function table of the x64 unwinder (exception directory).

use super::{DirectoryKind, Image, Pe};
use crate::{
    core::bytes::u32_at,
    error::{Error, Result},
};

const STRUCTURE: &str = "RUNTIME_FUNCTION";
const ENTRY_SIZE: u32 = 12;
/// `IMAGE_FILE_MACHINE_AMD64`.
const MACHINE_AMD64: u16 = 0x8664;
/// In `UnwindData`: the rest is the RVA of another entry.
const INDIRECT: u32 = 1;

/// Corresponds to `RUNTIME_FUNCTION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeFunction {
    /// RVA of the first byte of the function, or of a part of it.
    pub begin: u32,
    /// RVA behind the last byte.
    pub end: u32,
    /// RVA of its `UNWIND_INFO`.
    pub unwind_info: u32,
}

impl<I: Image> Pe<I> {
    /// The function table's entry for `rva`, `None` for leaf functions and data.
    ///
    /// An indirect entry is replaced by the one that it names. Any size of table
    /// is searched, since no more than its path of bisection is read. Fails with
    /// [`Error::NotSupported`] for other processors than x64, with
    /// [`Error::Corrupt`] where indirect entries name each other, and with a
    /// fault where the table cannot be read.
    pub fn runtime_function(&self, rva: u32) -> Result<Option<RuntimeFunction>> {
        if self.headers.machine != MACHINE_AMD64 {
            return Err(Error::not_supported("function tables other than x64's"));
        }
        let Some(directory) = self.headers.directory(DirectoryKind::Exception) else {
            return Ok(None);
        };
        let (mut low, mut high) = (0, directory.size / ENTRY_SIZE);
        while low < high {
            let middle = low.midpoint(high);
            let offset = middle.saturating_mul(ENTRY_SIZE);
            let entry = self.function_entry(directory.rva.saturating_add(offset))?;
            if rva < entry.begin {
                high = middle;
            } else if rva >= entry.end {
                low = middle.saturating_add(1);
            } else {
                return self.direct(entry).map(Some);
            }
        }
        Ok(None)
    }

    fn direct(&self, entry: RuntimeFunction) -> Result<RuntimeFunction> {
        if entry.unwind_info & INDIRECT == 0 {
            return Ok(entry);
        }
        let at = entry.unwind_info & !INDIRECT;
        let named = self.function_entry(at)?;
        if named.unwind_info & INDIRECT != 0 {
            return Err(self.corrupt(STRUCTURE, at, "an indirect entry names another one"));
        }
        Ok(named)
    }

    fn function_entry(&self, rva: u32) -> Result<RuntimeFunction> {
        let bytes: [u8; ENTRY_SIZE as usize] = self.array(STRUCTURE, rva)?;
        let field = |offset| u32_at(&bytes, offset).unwrap_or_default();
        Ok(RuntimeFunction {
            begin: field(0),
            end: field(4),
            unwind_info: field(8),
        })
    }
}
