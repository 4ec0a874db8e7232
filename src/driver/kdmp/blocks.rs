//! Memory stored by virtual address, in blocks of bytes.

use crate::{
    core::{
        Va,
        driver::{Run, VirtualMemory},
    },
    driver::{
        file::ImageFile,
        image::Layout,
        segments::{Segment, SegmentTable},
    },
};

/// The blocks of a file.
pub struct Blocks {
    file: ImageFile,
    table: SegmentTable,
}

impl Blocks {
    /// Blocks of `file`; they may overlap.
    pub fn new(file: ImageFile, blocks: Vec<Segment>) -> Self {
        let table = SegmentTable::new(blocks, file.len());
        Self { file, table }
    }

    /// The same file with other blocks.
    pub fn with(self, blocks: Vec<Segment>) -> Self {
        Self::new(self.file, blocks)
    }

    /// The file.
    pub fn file(&self) -> &ImageFile {
        &self.file
    }

    /// Number of bytes present.
    pub fn size(&self) -> u64 {
        self.table.size()
    }
}

impl VirtualMemory for Blocks {
    fn read(&self, va: Va, buffer: &mut [u8]) -> usize {
        let mut done = 0_usize;
        // Blocks do not end at page borders: a read may cross many of them.
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = va.checked_add(done as u64);
            let Some(piece) = at.and_then(|at| self.table.find(at.0)) else {
                break;
            };
            let length = piece.length.min(rest.len() as u64) as usize;
            let now = rest.get_mut(..length).unwrap_or_default();
            if self.file.read(piece.offset, now).is_err() {
                break;
            }
            done = done.saturating_add(length);
        }
        done
    }

    fn next_run(&self, from: Va) -> Option<Run> {
        self.table.run_from(from.0)
    }
}
