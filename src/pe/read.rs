//! Bounded reads inside an image: bytes, bytes with holes, names.

use std::{borrow::Cow, ops::Range};

use super::{Directory, DirectoryKind, Image, NAME_MAX, Pe};
use crate::{
    core::bytes::{u16_at, u32_at},
    error::{Error, Fault, Result},
};

const PAGE: u32 = 4096;
/// Names are read in pieces of this many bytes; most fit into one.
const NAME_PIECE: usize = 64;

impl<I: Image> Pe<I> {
    /// A data directory of a believable size, `None` when the image has none.
    pub(super) fn directory(&self, kind: DirectoryKind) -> Result<Option<Directory>> {
        match self.headers.directory(kind) {
            Some(directory) if directory.size > super::DIRECTORY_MAX => Err(self.corrupt(
                "IMAGE_DATA_DIRECTORY",
                directory.rva,
                format!("{:#x} bytes are too many", directory.size),
            )),
            directory => Ok(directory),
        }
    }

    /// `length` bytes of `structure` at `rva`.
    pub(super) fn bytes(
        &self,
        structure: &'static str,
        rva: u32,
        length: usize,
    ) -> Result<Vec<u8>> {
        self.check(structure, rva, length)?;
        let mut bytes = vec![0; length];
        self.image.read(rva, &mut bytes)?;
        Ok(bytes)
    }

    /// `N` bytes of `structure` at `rva`.
    pub(super) fn array<const N: usize>(
        &self,
        structure: &'static str,
        rva: u32,
    ) -> Result<[u8; N]> {
        self.check(structure, rva, N)?;
        let mut bytes = [0; N];
        self.image.read(rva, &mut bytes)?;
        Ok(bytes)
    }

    /// `length` bytes of `structure` at `rva`, whatever is missing of them.
    pub(super) fn sparse(
        &self,
        structure: &'static str,
        rva: u32,
        length: usize,
    ) -> Result<Sparse> {
        self.check(structure, rva, length)?;
        let mut sparse = Sparse {
            bytes: vec![0; length],
            holes: Vec::new(),
        };
        let mut start = 0_usize;
        while start < length {
            // `check` has shown that the sum is inside of the image.
            let at = rva.wrapping_add(start as u32);
            let left_in_page = PAGE.wrapping_sub(at % PAGE) as usize;
            let end = length.min(start.saturating_add(left_in_page));
            let piece = sparse.bytes.get_mut(start..end).unwrap_or_default();
            if let Err(partial) = self.image.read(at, piece) {
                let hole = start.saturating_add(partial.done)..end;
                sparse.holes.push((hole, partial.fault));
            }
            start = end;
        }
        Ok(sparse)
    }

    /// The NUL-terminated name at `rva`; bytes that are not UTF-8 are replaced.
    ///
    /// Fails with [`Error::Corrupt`] when it has more than [`NAME_MAX`] bytes or
    /// leaves the image, and with the fault where it cannot be read.
    pub(super) fn name_at(&self, structure: &'static str, rva: u32) -> Result<String> {
        let mut name = Vec::new();
        while name.len() < NAME_MAX {
            let at = rva.saturating_add(name.len() as u32);
            let left = self.headers.size_of_image.saturating_sub(at) as usize;
            let mut piece = [0; NAME_PIECE];
            let piece = piece.get_mut(..left.min(NAME_PIECE)).unwrap_or_default();
            self.check(structure, at, 1)?;
            let read = self.image.read(at, piece);
            let done = read
                .as_ref()
                .map_or_else(|stop| stop.done, |()| piece.len());
            let text = piece.get(..done).unwrap_or_default();
            let end = text.iter().position(|&byte| byte == 0);
            name.extend_from_slice(text.get(..end.unwrap_or(done)).unwrap_or_default());
            if end.is_some() {
                return Ok(String::from_utf8_lossy(&name).into_owned());
            }
            read?;
        }
        Err(self.corrupt(structure, rva, "the name has no end"))
    }

    /// Refuses ranges that leave the image.
    pub(super) fn check(&self, structure: &'static str, rva: u32, length: usize) -> Result<()> {
        let left = self.headers.size_of_image.checked_sub(rva);
        if left.is_some_and(|left| length <= left as usize) {
            return Ok(());
        }
        Err(self.corrupt(structure, rva, "it leaves the image"))
    }

    pub(super) fn corrupt(
        &self,
        structure: &'static str,
        rva: u32,
        reason: impl Into<Cow<'static, str>>,
    ) -> Error {
        let address = self.image.base().wrapping_add(rva.into());
        Error::corrupt(structure, address, reason)
    }
}

/// Bytes of an image with the holes that missing pages leave.
pub(super) struct Sparse {
    bytes: Vec<u8>,
    holes: Vec<(Range<usize>, Fault)>,
}

impl Sparse {
    /// The `u16` of this index, `None` behind the end.
    pub(super) fn u16(&self, index: usize) -> Option<Result<u16, Fault>> {
        let start = index.checked_mul(2)?;
        let value = u16_at(&self.bytes, start)?;
        Some(self.present(start..start.saturating_add(2)).map(|()| value))
    }

    /// The `u32` of this index, `None` behind the end.
    pub(super) fn u32(&self, index: usize) -> Option<Result<u32, Fault>> {
        let start = index.checked_mul(4)?;
        let value = u32_at(&self.bytes, start)?;
        Some(self.present(start..start.saturating_add(4)).map(|()| value))
    }

    /// Number of `u32` entries.
    pub(super) const fn len_u32(&self) -> usize {
        self.bytes.len() / 4
    }

    fn present(&self, range: Range<usize>) -> Result<(), Fault> {
        let overlaps = |hole: &Range<usize>| hole.start < range.end && range.start < hole.end;
        match self.holes.iter().find(|(hole, _)| overlaps(hole)) {
            Some((_, fault)) => Err(*fault),
            None => Ok(()),
        }
    }
}
