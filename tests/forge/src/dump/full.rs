//! Full dumps (type 1): the header, then the runs of physical memory one after the other.

use std::io::{self, Seek, SeekFrom, Write};

use crate::dump;
use crate::dump::header::{self, DumpType};
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

pub(super) fn write(guest: &Guest, out: &mut (impl Write + Seek)) -> io::Result<()> {
    let total = header::SIZE as u64 + guest.memory.total_bytes();
    out.write_all(&header::header(guest, DumpType::Full, total))?;
    let mut start = header::SIZE as u64;
    for run in guest.memory.ranges() {
        let frames = guest
            .memory
            .frames_in(run.start / PAGE_SIZE..run.end / PAGE_SIZE);
        for (number, frame) in frames {
            out.seek(SeekFrom::Start(start + number * PAGE_SIZE - run.start))?;
            out.write_all(frame)?;
        }
        start += run.end - run.start;
    }
    dump::fill_to(total, out)
}
