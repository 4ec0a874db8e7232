//! What an image of a machine holds: memory in ranges, and registers.

use std::io::{self, Seek, SeekFrom, Write};
use std::ops::Range;

use crate::expected::ExpectedRegisters;
use crate::guest::Guest;
use crate::memory::{PAGE_SIZE, PhysicalMemory};

/// Formats in which hypervisors write the memory of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreFormat {
    /// ELF, as QEMU's `dump-guest-memory` writes it.
    Qemu,
    /// ELF, as VirtualBox's `dumpvmcore` writes it.
    VirtualBox,
    /// ELF, as `xl dump-core` of Xen writes it for a fully virtualised guest.
    Xen,
    /// LiME, version 1.
    Lime,
}

/// A machine at the moment of the dump.
pub struct Machine<'a> {
    /// Its memory.
    pub memory: &'a PhysicalMemory,
    /// Ranges of physical addresses that exist, page aligned and ascending.
    pub ranges: Vec<Range<u64>>,
    /// Registers of its processors.
    pub registers: Vec<ExpectedRegisters>,
}

impl Guest {
    /// The guest as its hypervisor sees it.
    pub fn machine(&self) -> Machine<'_> {
        let processors = self.expected.processors.iter();
        Machine {
            memory: &self.memory,
            ranges: self.memory.ranges(),
            registers: processors.map(|it| it.registers.clone()).collect(),
        }
    }
}

impl Machine<'_> {
    /// Writes an image from the beginning of `out`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, format: CoreFormat, out: &mut (impl Write + Seek)) -> io::Result<()> {
        match format {
            CoreFormat::Qemu => self.write_qemu_core(out),
            CoreFormat::VirtualBox => self.write_virtualbox_core(out),
            CoreFormat::Xen => self.write_xen_core(out),
            CoreFormat::Lime => self.write_lime(out),
        }?;
        out.flush()
    }

    /// Number of pages in all ranges.
    pub(crate) fn pages(&self) -> u64 {
        self.ranges
            .iter()
            .map(|range| (range.end - range.start) / PAGE_SIZE)
            .sum()
    }

    /// Writes the pages of a range from file offset `start` on and returns the offset
    /// behind them; pages that are zero become holes.
    pub(crate) fn write_range(
        &self,
        out: &mut (impl Write + Seek),
        range: &Range<u64>,
        start: u64,
    ) -> io::Result<u64> {
        let numbers = range.start / PAGE_SIZE..range.end / PAGE_SIZE;
        for (number, frame) in self.memory.frames_in(numbers) {
            out.seek(SeekFrom::Start(start + number * PAGE_SIZE - range.start))?;
            out.write_all(frame)?;
        }
        let end = start + (range.end - range.start);
        if range.end > range.start && self.memory.frame(range.end / PAGE_SIZE - 1).is_none() {
            // The last page decides where the file ends.
            out.seek(SeekFrom::Start(end - 1))?;
            out.write_all(&[0])?;
        }
        Ok(end)
    }
}

/// A structure being filled in, field by field.
pub(crate) struct Block(pub Vec<u8>);

impl Block {
    pub fn new(size: usize) -> Self {
        Self(vec![0; size])
    }

    pub fn put(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.0[offset..offset + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub fn u16(self, offset: usize, value: u16) -> Self {
        self.put(offset, &value.to_le_bytes())
    }

    pub fn u32(self, offset: usize, value: u32) -> Self {
        self.put(offset, &value.to_le_bytes())
    }

    pub fn u64(self, offset: usize, value: u64) -> Self {
        self.put(offset, &value.to_le_bytes())
    }
}
