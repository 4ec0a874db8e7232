//! ELF cores with program headers: QEMU's `dump-guest-memory`, VirtualBox's `dumpvmcore`.

use std::io::{self, Seek, Write};

use crate::dump::machine::{Block, Machine};
use crate::expected::ExpectedRegisters;
use crate::memory::PAGE_SIZE;

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
/// Size of an ELF header.
pub(crate) const HEADER_SIZE: usize = 0x40;
const PROGRAM_HEADER_SIZE: usize = 0x38;
const SECTION_HEADER_SIZE: u16 = 0x40;
/// Access rights of 64-bit code, as a VMCS holds them.
const CODE: u32 = 0xa09b;

impl Machine<'_> {
    /// Writes the core that `dump-guest-memory` of QEMU writes.
    pub(crate) fn write_qemu_core(&self, out: &mut (impl Write + Seek)) -> io::Result<()> {
        let mut notes = Vec::new();
        for _ in &self.registers {
            notes.extend(note(b"CORE\0", 1, &[0; 336]));
        }
        for registers in &self.registers {
            notes.extend(note(b"QEMU\0", 0, &qemu_state(registers)));
        }
        self.write_core(out, &notes)
    }

    /// Writes the core that `dumpvmcore` of VirtualBox writes.
    pub(crate) fn write_virtualbox_core(&self, out: &mut (impl Write + Seek)) -> io::Result<()> {
        let descriptor = Block::new(24)
            .u32(0, 0xc01a_c0de)
            .u32(4, 0x1_0006)
            .u32(8, 24)
            .u32(20, self.registers.len() as u32);
        let mut notes = note(b"VBCORE", 0xb00, &descriptor.0);
        for registers in &self.registers {
            notes.extend(note(b"VBCPU", 0xb01, &virtualbox_state(registers)));
        }
        self.write_core(out, &notes)
    }

    fn write_core(&self, out: &mut (impl Write + Seek), notes: &[u8]) -> io::Result<()> {
        let count = self.ranges.len() + 1;
        let notes_at = (HEADER_SIZE + count * PROGRAM_HEADER_SIZE) as u64;
        let memory_at = (notes_at + notes.len() as u64).next_multiple_of(PAGE_SIZE);
        out.write_all(&header(count as u16, (0, 0)))?;
        out.write_all(&program(PT_NOTE, notes_at, 0, notes.len() as u64))?;
        let mut at = memory_at;
        for range in &self.ranges {
            let length = range.end - range.start;
            out.write_all(&program(PT_LOAD, at, range.start, length))?;
            at += length;
        }
        out.write_all(notes)?;
        let mut at = memory_at;
        for range in &self.ranges {
            at = self.write_range(out, range, at)?;
        }
        Ok(())
    }
}

/// An ELF header of a core with `programs` program headers behind it, and a table of
/// (file offset, number) section headers whose last one holds their names.
pub(crate) fn header(programs: u16, (sections_at, sections): (u64, u16)) -> Vec<u8> {
    Block::new(HEADER_SIZE)
        .put(0, b"\x7fELF\x02\x01\x01")
        .u16(0x10, 4)
        .u16(0x12, 62)
        .u32(0x14, 1)
        .u64(0x20, if programs > 0 { HEADER_SIZE as u64 } else { 0 })
        .u64(0x28, sections_at)
        .u16(0x34, HEADER_SIZE as u16)
        .u16(0x36, PROGRAM_HEADER_SIZE as u16)
        .u16(0x38, programs)
        .u16(0x3a, SECTION_HEADER_SIZE)
        .u16(0x3c, sections)
        .u16(0x3e, sections.saturating_sub(1))
        .0
}

fn program(kind: u32, offset: u64, address: u64, length: u64) -> Vec<u8> {
    Block::new(PROGRAM_HEADER_SIZE)
        .u32(0x00, kind)
        .u32(0x04, 4)
        .u64(0x08, offset)
        .u64(0x18, address)
        .u64(0x20, length)
        .u64(0x28, length)
        .0
}

/// A note; `name` with or without its terminator, as the writer counts it.
pub(crate) fn note(name: &[u8], kind: u32, bytes: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    note.extend((name.len() as u32).to_le_bytes());
    note.extend((bytes.len() as u32).to_le_bytes());
    note.extend(kind.to_le_bytes());
    note.extend(name);
    note.resize(note.len().next_multiple_of(4), 0);
    note.extend(bytes);
    note.resize(note.len().next_multiple_of(4), 0);
    note
}

/// A `QEMUCPUState` of version 1 with `kernel_gs_base`.
fn qemu_state(registers: &ExpectedRegisters) -> Vec<u8> {
    Block::new(0x1b8)
        .u32(0x00, 1)
        .u32(0x04, 0x1b8)
        .u64(0x08, registers.rax)
        .u64(0x38, registers.rsp)
        .u64(0x88, registers.rip)
        .u64(0x90, registers.rflags)
        .u32(0x98, registers.cs.into())
        .u32(0x9c, u32::MAX)
        .u32(0xa0, CODE << 8 | 0xf_0000)
        .u64(0xf8 + 0x10, registers.gs_base)
        .u64(0x188, registers.cr0)
        .u64(0x1a0, registers.cr3)
        .u64(0x1a8, registers.cr4)
        .u64(0x1b0, registers.kernel_gs_base)
        .0
}

/// A `DBGFCORECPU` up to its extended state.
fn virtualbox_state(registers: &ExpectedRegisters) -> Vec<u8> {
    Block::new(0x240)
        .u64(0x00, registers.rax)
        .u64(0x70, registers.rip)
        .u64(0x78, registers.rsp)
        .u64(0x88, registers.rflags | 2)
        .u32(0x90 + 0x08, u32::MAX)
        .u32(0x90 + 0x0c, CODE)
        .u16(0x90 + 0x10, registers.cs)
        .u64(0xf0, registers.gs_base)
        .u64(0x120, registers.cr0)
        .u64(0x130, registers.cr3)
        .u64(0x138, registers.cr4)
        .u64(0x1e8, 0xd01)
        .u64(0x200, registers.lstar)
        .u64(0x218, registers.kernel_gs_base)
        .0
}
