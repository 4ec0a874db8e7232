//! The CodeView record: which PDB belongs to an image.

use std::fmt;

use super::{DirectoryKind, Image, Pe};
use crate::{
    core::bytes::{u16_at, u32_at},
    error::Result,
};

const ENTRY_SIZE: usize = 28;
const TYPE_CODEVIEW: u32 = 2;
/// `RSDS`, GUID and age.
const FIXED_SIZE: usize = 24;
/// Longest path of a PDB, in bytes.
const PATH_MAX: usize = 1024;

/// A GUID; printed as symbol stores spell it, 32 upper-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Guid {
    /// First group.
    pub data1: u32,
    /// Second group.
    pub data2: u16,
    /// Third group.
    pub data3: u16,
    /// The rest, in order.
    pub data4: [u8; 8],
}

impl Guid {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            data1: u32_at(bytes, 0)?,
            data2: u16_at(bytes, 4)?,
            data3: u16_at(bytes, 6)?,
            data4: *bytes.get(8..)?.first_chunk()?,
        })
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            data1,
            data2,
            data3,
            data4,
        } = self;
        write!(f, "{data1:08X}{data2:04X}{data3:04X}")?;
        data4.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// Identity of the PDB that was made with an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeView {
    /// File name of the PDB, without the path that the linker may have stored.
    pub pdb: String,
    /// Its GUID.
    pub guid: Guid,
    /// Its age, all 32 bits of it.
    pub age: u32,
}

impl CodeView {
    /// Decodes an `RSDS` record.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(b"RSDS")?;
        let path = bytes.get(FIXED_SIZE..)?;
        let path = path.split(|&byte| byte == 0).next()?;
        let name = path.rsplit(|byte| b"\\/".contains(byte)).next()?;
        Some(Self {
            pdb: String::from_utf8_lossy(name).into_owned(),
            guid: Guid::from_bytes(rest)?,
            age: u32_at(bytes, 20)?,
        })
    }
}

impl<I: Image> Pe<I> {
    /// The CodeView record of the debug directory, `None` when there is none.
    ///
    /// Corresponds to the `IMAGE_DEBUG_DIRECTORY` entry of type 2. Fails with a
    /// fault when the directory or the record cannot be read.
    pub fn codeview(&self) -> Result<Option<CodeView>> {
        let Some(directory) = self.directory(DirectoryKind::Debug)? else {
            return Ok(None);
        };
        let entries = self.bytes(
            "IMAGE_DEBUG_DIRECTORY",
            directory.rva,
            directory.size as usize,
        )?;
        entries
            .chunks_exact(ENTRY_SIZE)
            .filter(|entry| u32_at(entry, 12) == Some(TYPE_CODEVIEW))
            .find_map(|entry| self.codeview_record(entry).transpose())
            .transpose()
    }

    /// The record that a debug directory entry names, if it is loaded and an `RSDS`.
    fn codeview_record(&self, entry: &[u8]) -> Result<Option<CodeView>> {
        let (Some(size), Some(rva)) = (u32_at(entry, 16), u32_at(entry, 20)) else {
            return Ok(None);
        };
        if rva == 0 {
            return Ok(None);
        }
        let size = (size as usize).min(FIXED_SIZE.saturating_add(PATH_MAX));
        let record = self.bytes("CV_INFO_PDB70", rva, size)?;
        Ok(CodeView::from_bytes(&record))
    }
}
