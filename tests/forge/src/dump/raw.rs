//! Raw images: the byte at file offset N is the byte at physical address N.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

impl Guest {
    /// Writes the physical memory as a raw image, with holes in the file where it is zero.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_raw(&self, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        file.set_len(self.memory.end())?;
        let mut out = BufWriter::new(file);
        let mut position = 0;
        for (number, frame) in self.memory.frames() {
            let offset = number * PAGE_SIZE;
            if offset != position {
                out.seek(SeekFrom::Start(offset))?;
            }
            out.write_all(frame)?;
            position = offset + PAGE_SIZE;
        }
        out.flush()
    }
}
