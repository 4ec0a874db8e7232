//! Full dumps (type 1): the header, then the runs of physical memory one after the other.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::dump::header::{self, DumpType};
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

impl Guest {
    /// Writes a full crash dump, with holes in the file where memory is zero.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_full_dump(&self, path: &Path) -> io::Result<()> {
        let total = header::SIZE as u64 + self.memory.total_bytes();
        let file = File::create(path)?;
        file.set_len(total)?;
        let mut out = BufWriter::new(file);
        out.write_all(&header::header(self, DumpType::Full, total))?;
        let mut start = header::SIZE as u64;
        for run in self.memory.ranges() {
            let frames = self
                .memory
                .frames_in(run.start / PAGE_SIZE..run.end / PAGE_SIZE);
            for (number, frame) in frames {
                out.seek(SeekFrom::Start(start + number * PAGE_SIZE - run.start))?;
                out.write_all(frame)?;
            }
            start += run.end - run.start;
        }
        out.flush()
    }
}
