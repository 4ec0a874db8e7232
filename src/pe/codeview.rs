//! The CodeView record: which PDB belongs to an image.

use super::{DirectoryKind, Image, Pe};
use crate::{core::bytes::u32_at, error::Result};

const ENTRY_SIZE: usize = 28;
const TYPE_CODEVIEW: u32 = 2;
/// `RSDS`, GUID and age.
const FIXED_SIZE: usize = 24;
/// Longest path of a PDB, in bytes.
const PATH_MAX: usize = 1024;

/// Identity of the PDB that was made with an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeView {
    /// File name of the PDB, without the path that the linker may have stored.
    pub pdb: String,
    /// Its GUID, in the byte order of the record.
    pub guid: [u8; 16],
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
            guid: *rest.first_chunk()?,
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
