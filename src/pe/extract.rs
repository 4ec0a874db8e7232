//! Taking a loaded image out of memory, as a file.
//!
//! Nothing is copied at once: an [`Extraction`] is a map from file offsets to
//! places in the image, to be read piece by piece, so that what a guest claims
//! about sizes costs no memory.

use std::ops::Range;

use super::{Headers, Image, Section};
use crate::{
    core::PAGE_SIZE,
    error::{FaultKind, Result},
};

/// How the bytes of an extracted image are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageLayout {
    /// As they lie in memory: offsets are RVAs.
    Memory,
    /// As they lay in the file: every section is moved back to its file offset.
    File,
}

/// A stretch of the file that is in memory.
#[derive(Debug, Clone, Copy)]
struct Piece {
    offset: u64,
    rva: u32,
    length: u64,
}

impl Piece {
    const fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// Bytes of an extracted image that are zeros because they are not in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingRange {
    /// Offsets in the extracted image.
    pub offsets: Range<u64>,
    /// Why.
    pub cause: FaultKind,
}

/// An image taken out of memory, read by offset.
pub struct Extraction<I> {
    image: I,
    /// In order of offset, without overlaps.
    pieces: Vec<Piece>,
    length: u64,
}

impl<I: Image> Extraction<I> {
    /// The first `size` bytes of an image, as they lie in memory.
    pub fn memory(image: I, size: u32) -> Self {
        let whole = Piece {
            offset: 0,
            rva: 0,
            length: size.into(),
        };
        Self {
            image,
            pieces: vec![whole],
            length: size.into(),
        }
    }

    /// The file that the image was made from, as far as it was loaded: headers
    /// and sections, without what lay behind the last (signatures). Relocations
    /// and bound imports stay as the loader left them.
    ///
    /// Fails with [`crate::Error::Corrupt`] or a fault when the headers are damaged
    /// or missing.
    pub fn file(image: I) -> Result<Self> {
        let headers = Headers::parse(&image)?;
        let sections = headers.sections(&image)?;
        let length = sections
            .iter()
            .map(|section| u64::from(section.file_offset).saturating_add(section.file_size.into()))
            .chain([headers.size_of_headers.into()])
            .max()
            .unwrap_or_default();
        Ok(Self {
            image,
            pieces: pieces(&headers, &sections),
            length,
        })
    }

    /// Length in bytes.
    pub const fn len(&self) -> u64 {
        self.length
    }

    /// Is there nothing at all?
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Fills `buffer` from `offset` on and returns how many bytes were left of
    /// the image; what is not in memory reads as zeros ([`Extraction::missing`]).
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        let Some(buffer) = buffer.get_mut(..length) else {
            return 0;
        };
        buffer.fill(0);
        let end = offset.saturating_add(length as u64);
        for part in self.parts(offset..end) {
            let start = usize::try_from(part.offset.saturating_sub(offset)).unwrap_or(usize::MAX);
            let tail = buffer.get_mut(start..).unwrap_or_default();
            if let Some(target) = tail.get_mut(..part.length as usize) {
                // A page that is missing leaves its zeros.
                let _ = self.image.read(part.rva, target);
            }
        }
        length
    }

    /// What is not in memory, in order of offset; neighbours with one cause are
    /// one range.
    pub fn missing(&self) -> Vec<MissingRange> {
        let mut missing: Vec<MissingRange> = Vec::new();
        for part in self.parts(0..self.length) {
            let Err(stop) = self.image.read(part.rva, &mut [0]) else {
                continue;
            };
            let cause = stop.fault.kind;
            match missing.last_mut() {
                Some(last) if last.offsets.end == part.offset && last.cause == cause => {
                    last.offsets.end = part.end();
                }
                _ => missing.push(MissingRange {
                    offsets: part.offset..part.end(),
                    cause,
                }),
            }
        }
        missing
    }

    /// The pieces inside of a range of offsets, cut at page borders.
    fn parts(&self, range: Range<u64>) -> impl Iterator<Item = Piece> + '_ {
        let first = self
            .pieces
            .partition_point(|piece| piece.end() <= range.start);
        let end = range.end;
        self.pieces
            .get(first..)
            .unwrap_or_default()
            .iter()
            .take_while(move |piece| piece.offset < end)
            .filter_map(move |piece| clip(piece, &range))
            .flat_map(pages)
    }
}

/// Headers and sections in order of their file offset. Where they overlap, the
/// first one counts.
fn pieces(headers: &Headers, sections: &[Section]) -> Vec<Piece> {
    let first = Piece {
        offset: 0,
        rva: 0,
        length: headers.size_of_headers.into(),
    };
    let mut pieces: Vec<_> = sections.iter().map(section_piece).chain([first]).collect();
    pieces.sort_by_key(|piece| piece.offset);
    let mut end = 0;
    pieces
        .iter()
        .filter_map(|piece| {
            let piece = clip(piece, &(end..u64::MAX))?;
            end = piece.end();
            Some(piece)
        })
        .collect()
}

/// The loader maps whole pages, but none behind the section's size in memory.
fn section_piece(section: &Section) -> Piece {
    let loaded = u64::from(section.size()).next_multiple_of(PAGE_SIZE);
    Piece {
        offset: section.file_offset.into(),
        rva: section.rva,
        length: loaded.min(section.file_size.into()),
    }
}

/// The part of a piece that lies inside of a range of offsets.
fn clip(piece: &Piece, range: &Range<u64>) -> Option<Piece> {
    let start = piece.offset.max(range.start);
    let length = piece.end().min(range.end).checked_sub(start)?;
    let skipped = u32::try_from(start.checked_sub(piece.offset)?).ok()?;
    (length > 0).then_some(Piece {
        offset: start,
        rva: piece.rva.checked_add(skipped)?,
        length,
    })
}

/// A piece cut at the page borders of the image.
fn pages(piece: Piece) -> impl Iterator<Item = Piece> {
    let mut rest = Some(piece);
    std::iter::from_fn(move || {
        let piece = rest.take()?;
        let in_page = u64::from(piece.rva) & (PAGE_SIZE - 1);
        let length = PAGE_SIZE.saturating_sub(in_page).min(piece.length);
        rest = clip(&piece, &(piece.offset.saturating_add(length)..u64::MAX));
        Some(Piece { length, ..piece })
    })
}
