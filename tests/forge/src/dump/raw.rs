//! Raw images: the byte at offset N is the byte at physical address N.

use std::io::{self, Seek, SeekFrom, Write};

use crate::dump;
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

pub(super) fn write(guest: &Guest, out: &mut (impl Write + Seek)) -> io::Result<()> {
    for (number, frame) in guest.memory.frames() {
        out.seek(SeekFrom::Start(number * PAGE_SIZE))?;
        out.write_all(frame)?;
    }
    dump::fill_to(guest.memory.end(), out)
}
