//! ELF notes: named records of bytes.

use super::{FORMAT, file::Extent};
use crate::{core::bytes::u32_at, driver::file::ImageFile, error::Result};

/// Most bytes of notes that are read: those of a thousand processors fit.
const NOTES_MAX: u64 = 64 << 20;
/// Size of an `Elf64_Nhdr`.
const HEADER_SIZE: usize = 12;

/// The bytes of a note section or segment.
pub struct Notes(Vec<u8>);

/// A note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note<'a> {
    /// Name, without the terminator.
    pub name: &'a [u8],
    /// Corresponds to `n_type`.
    pub kind: u32,
    /// Its contents.
    pub bytes: &'a [u8],
}

impl Notes {
    /// Reads the notes at `extent`.
    pub fn read(file: &ImageFile, extent: Extent) -> Result<Self> {
        let length = extent.length.min(NOTES_MAX);
        Ok(Self(file.load(
            FORMAT.name,
            "notes",
            extent.offset,
            length,
        )?))
    }

    /// The notes up to the first damaged one.
    pub fn iter(&self) -> impl Iterator<Item = Note<'_>> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (note, next) = split(rest)?;
            rest = next;
            Some(note)
        })
    }
}

/// The first note and the bytes behind it.
fn split(bytes: &[u8]) -> Option<(Note<'_>, &[u8])> {
    let name_length = u32_at(bytes, 0)? as usize;
    let length = u32_at(bytes, 4)? as usize;
    let kind = u32_at(bytes, 8)?;
    let rest = bytes.get(HEADER_SIZE..)?;
    let name = rest.get(..name_length)?;
    let rest = rest.get(name_length.checked_next_multiple_of(4)?..)?;
    let note = Note {
        // Some writers count the terminator, some do not.
        name: name.strip_suffix(&[0]).unwrap_or(name),
        kind,
        bytes: rest.get(..length)?,
    };
    // The padding of the last note may be missing.
    let next = rest.get(length.checked_next_multiple_of(4)?..);
    Some((note, next.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_padded_and_may_end_early() {
        let mut bytes = b"\x05\0\0\0\x03\0\0\0\x07\0\0\0QEMU\0\0\0\0abc\0".to_vec();
        bytes.extend(b"\x05\0\0\0\x02\0\0\0\x01\0\0\0VBCPU\0\0\0de");
        bytes.truncate(bytes.len() - 1);
        let notes = Notes(bytes);
        let found: Vec<_> = notes.iter().collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, b"QEMU");
        assert_eq!((found[0].kind, found[0].bytes), (7, &b"abc"[..]));
    }
}
