//! Bytes of a PDB file, handed out within bounds.

use std::{
    fmt,
    io::{Error, ErrorKind},
};

use pdb::{Source, SourceSlice, SourceView};

/// A file in memory that refuses to hand out more bytes than it has.
///
/// No page of the container belongs to two streams, so no stream is longer than
/// the file.
pub(super) struct Bounded<'a>(&'a [u8]);

impl<'a> Bounded<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Joins slices into one buffer; `None` when they leave the file.
    fn join(&self, slices: &[SourceSlice]) -> Option<Vec<u8>> {
        let total = slices
            .iter()
            .try_fold(0usize, |total, slice| total.checked_add(slice.size))?;
        if total > self.0.len().max(HEADER_VIEW) {
            return None;
        }
        let mut joined = Vec::with_capacity(total);
        for slice in slices {
            let start = usize::try_from(slice.offset).ok()?;
            joined.extend_from_slice(self.0.get(start..start.checked_add(slice.size)?)?);
        }
        Some(joined)
    }
}

/// Length of the first view of every file, in bytes.
const HEADER_VIEW: usize = 4096;

impl fmt::Debug for Bounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bounded({} bytes)", self.0.len())
    }
}

impl<'a> Source<'a> for Bounded<'a> {
    fn view(&mut self, slices: &[SourceSlice]) -> Result<Box<dyn SourceView<'a>>, Error> {
        let joined = self.join(slices);
        let joined = joined.ok_or_else(|| Error::from(ErrorKind::UnexpectedEof))?;
        Ok(Box::new(Joined(joined)))
    }
}

struct Joined(Vec<u8>);

impl fmt::Debug for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Joined({} bytes)", self.0.len())
    }
}

impl SourceView<'_> for Joined {
    fn as_slice(&self) -> &[u8] {
        &self.0
    }
}
