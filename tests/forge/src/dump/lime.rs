//! LiME images: each range behind a header of its own.

use std::io::{self, Seek, SeekFrom, Write};

use crate::dump::machine::{Block, Machine};

const HEADER_SIZE: u64 = 0x20;

impl Machine<'_> {
    /// Writes a LiME image of version 1.
    pub(crate) fn write_lime(&self, out: &mut (impl Write + Seek)) -> io::Result<()> {
        let mut at = 0;
        for range in &self.ranges {
            let header = Block::new(HEADER_SIZE as usize)
                .put(0, b"EMiL")
                .u32(0x04, 1)
                .u64(0x08, range.start)
                .u64(0x10, range.end - 1);
            out.seek(SeekFrom::Start(at))?;
            out.write_all(&header.0)?;
            at = self.write_range(out, range, at + HEADER_SIZE)?;
        }
        Ok(())
    }
}
