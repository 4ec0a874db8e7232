//! Where the bytes of a PE image come from.

use super::{Headers, Section};
use crate::{
    core::{Memory, Partial, Space, Va},
    error::{Fault, FaultKind, Result},
};

/// Bytes of a PE image, addressed as they are when the image is loaded.
pub trait Image {
    /// Address of the first byte: a virtual address, or 0 for a file.
    fn base(&self) -> u64;

    /// Fills `buffer` with the bytes from `rva` on.
    ///
    /// A missing page is an error that says how many bytes came before it.
    fn read(&self, rva: u32, buffer: &mut [u8]) -> Result<(), Partial>;
}

impl<I: Image + ?Sized> Image for &I {
    fn base(&self) -> u64 {
        (**self).base()
    }

    fn read(&self, rva: u32, buffer: &mut [u8]) -> Result<(), Partial> {
        (**self).read(rva, buffer)
    }
}

/// An image that lies in memory layout in a byte slice.
impl Image for [u8] {
    fn base(&self) -> u64 {
        0
    }

    fn read(&self, rva: u32, buffer: &mut [u8]) -> Result<(), Partial> {
        let present = self.get(rva as usize..).unwrap_or_default();
        let done = present.len().min(buffer.len());
        if let (Some(target), Some(source)) = (buffer.get_mut(..done), present.get(..done)) {
            target.copy_from_slice(source);
        }
        if done == buffer.len() {
            return Ok(());
        }
        Err(absent(rva, done))
    }
}

/// A read of a byte slice that came to its end after `done` bytes.
fn absent(rva: u32, done: usize) -> Partial {
    Partial {
        done,
        fault: Fault {
            address: u64::from(rva).wrapping_add(done as u64),
            root: None,
            level: 0,
            kind: FaultKind::NotInImage,
        },
    }
}

/// An image that a guest has loaded.
#[derive(Clone, Copy)]
pub struct Mapped<'a> {
    memory: &'a Memory,
    space: Space,
    base: Va,
}

impl<'a> Mapped<'a> {
    /// The image at `base` of `space`; nothing is read yet.
    pub const fn new(memory: &'a Memory, space: Space, base: Va) -> Self {
        Self {
            memory,
            space,
            base,
        }
    }
}

impl Image for Mapped<'_> {
    fn base(&self) -> u64 {
        self.base.0
    }

    fn read(&self, rva: u32, buffer: &mut [u8]) -> Result<(), Partial> {
        let address = self.base.wrapping_add(rva.into()).0;
        self.memory.read(self.space, address, buffer)
    }
}

/// A PE file, read as if it were loaded: the section table maps RVAs to file
/// offsets, and what a section has beyond its raw data reads as zeros.
pub struct File<'a> {
    bytes: &'a [u8],
    headers_size: u32,
    sections: Vec<Section>,
}

impl<'a> File<'a> {
    /// Reads the headers of the file.
    ///
    /// Fails with [`crate::Error::Corrupt`] or a fault when they are damaged.
    pub fn new(bytes: &'a [u8]) -> Result<Self> {
        let headers = Headers::parse(bytes)?;
        Ok(Self {
            bytes,
            headers_size: headers.size_of_headers,
            sections: headers.sections(bytes)?,
        })
    }

    /// The bytes from `rva` to the end of what holds it, and how many zeros follow.
    fn piece(&self, rva: u32) -> Option<(&'a [u8], u32)> {
        if rva < self.headers_size {
            let end = (self.headers_size as usize).min(self.bytes.len());
            return Some((self.bytes.get(rva as usize..end)?, 0));
        }
        let section = self.sections.iter().find(|section| section.holds(rva))?;
        let inside = rva.checked_sub(section.rva)?;
        let left = section.size().checked_sub(inside)?;
        let stored = section.file_size.saturating_sub(inside).min(left);
        let start = u64::from(section.file_offset).saturating_add(inside.into());
        let end = start.saturating_add(stored.into());
        let raw = self.bytes.get(start as usize..end as usize)?;
        Some((raw, left.saturating_sub(stored)))
    }
}

impl Image for File<'_> {
    fn base(&self) -> u64 {
        0
    }

    fn read(&self, rva: u32, buffer: &mut [u8]) -> Result<(), Partial> {
        let length = buffer.len();
        let mut rest = buffer;
        while !rest.is_empty() {
            let done = length.saturating_sub(rest.len());
            let filled = u32::try_from(done)
                .ok()
                .and_then(|done| self.piece(rva.checked_add(done)?))
                .map_or(0, |(raw, zeros)| fill(rest, raw, zeros));
            rest = match rest.split_at_mut_checked(filled) {
                Some((_, tail)) if filled > 0 => tail,
                _ => return Err(absent(rva, done)),
            };
        }
        Ok(())
    }
}

/// Copies `raw` and then at most `zeros` zeros; returns how many bytes were set.
fn fill(buffer: &mut [u8], raw: &[u8], zeros: u32) -> usize {
    let copied = raw.len().min(buffer.len());
    let total = copied.saturating_add(zeros as usize).min(buffer.len());
    if let (Some(target), Some(source)) = (buffer.get_mut(..copied), raw.get(..copied)) {
        target.copy_from_slice(source);
    }
    if let Some(tail) = buffer.get_mut(copied..total) {
        tail.fill(0);
    }
    total
}
