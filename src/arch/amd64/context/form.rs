//! Tables of places, and the two walks over them.

use bitflags::bitflags;

use crate::core::{
    DescriptorTable, Registers, Segment,
    bytes::{u16_at, u32_at, u64_at},
};

bitflags! {
    /// Parts of a `CONTEXT` that are filled in. Corresponds to the low bits of
    /// `CONTEXT.ContextFlags`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct ContextParts: u32 {
        /// Instruction and stack pointer, flags, their segments.
        const CONTROL = 0x01;
        /// General registers.
        const INTEGER = 0x02;
        /// Data segments.
        const SEGMENTS = 0x04;
        /// x87 and, of 64-bit code, SSE registers.
        const FLOATING_POINT = 0x08;
        /// Debug registers.
        const DEBUG_REGISTERS = 0x10;
        /// SSE registers of 32-bit code.
        const EXTENDED_REGISTERS = 0x20;
        /// State behind the structure.
        const XSTATE = 0x40;
    }
}

/// Bits of `ContextFlags` that say how the context came about.
const REPORT_BITS: u32 = 0xf800_0000;

/// A register of the register set.
#[derive(Clone, Copy)]
pub(super) enum Register {
    /// A number, stored in this many bytes.
    Word(usize, fn(&mut Registers) -> &mut u64),
    /// A selector, stored in this many bytes.
    Selector(usize, fn(&mut Registers) -> &mut Segment),
    /// A `KDESCRIPTOR` with a base of this many bytes; the limit is in the two
    /// bytes in front of it.
    Table(usize, fn(&mut Registers) -> &mut DescriptorTable),
}

/// Where a register is: its part, its offset, itself.
pub(super) type Slot = (ContextParts, usize, Register);

/// Where a structure's `ContextFlags` are and which bit says whose it is.
pub(super) struct Flags {
    pub(super) offset: usize,
    pub(super) architecture: u32,
}

/// A structure that registers are stored in.
pub struct Form {
    pub(super) size: usize,
    pub(super) flags: Option<Flags>,
    pub(super) slots: &'static [Slot],
}

impl Form {
    /// Size of the structure in bytes.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Parts that are filled in, `None` when the bytes are not of this form.
    ///
    /// A structure without flags is filled in as a whole.
    pub fn parts(&self, bytes: &[u8]) -> Option<ContextParts> {
        let Some(flags) = &self.flags else {
            return Some(ContextParts::all());
        };
        let value = u32_at(bytes, flags.offset)? & !REPORT_BITS;
        let parts = value.checked_sub(flags.architecture)?;
        ContextParts::from_bits(parts)
    }

    /// Loads the registers that `bytes` hold and says which; `None`, and nothing
    /// is changed, when the bytes are not of this form. A structure that is cut
    /// short gives the registers in front of the cut.
    pub fn load(&self, bytes: &[u8], registers: &mut Registers) -> Option<ContextParts> {
        let parts = self.parts(bytes)?;
        for (_, offset, register) in self.of(parts) {
            register.load(bytes, *offset, registers);
        }
        Some(parts)
    }

    /// Stores the registers of these parts, and the flags that say so; all other
    /// bytes stay as they are. A buffer that is too short takes what fits.
    pub fn store(&self, registers: &Registers, parts: ContextParts, bytes: &mut [u8]) {
        if let Some(flags) = &self.flags {
            put(
                bytes,
                flags.offset,
                4,
                (flags.architecture | parts.bits()).into(),
            );
        }
        let mut registers = *registers;
        for (_, offset, register) in self.of(parts) {
            register.store(&mut registers, bytes, *offset);
        }
    }

    fn of(&self, parts: ContextParts) -> impl Iterator<Item = &'static Slot> {
        self.slots
            .iter()
            .filter(move |(part, ..)| parts.contains(*part))
    }
}

impl Register {
    fn load(&self, bytes: &[u8], offset: usize, registers: &mut Registers) {
        match self {
            Self::Word(size, place) => assign(place(registers), get(bytes, offset, *size)),
            Self::Selector(_, place) => {
                assign(&mut place(registers).selector, u16_at(bytes, offset));
            }
            Self::Table(size, place) => {
                let table = place(registers);
                assign(&mut table.base, get(bytes, offset, *size));
                let limit = offset.checked_sub(2).and_then(|limit| u16_at(bytes, limit));
                assign(&mut table.limit, limit);
            }
        }
    }

    fn store(&self, registers: &mut Registers, bytes: &mut [u8], offset: usize) {
        match self {
            Self::Word(size, place) => put(bytes, offset, *size, *place(registers)),
            Self::Selector(size, place) => {
                put(bytes, offset, *size, place(registers).selector.into());
            }
            Self::Table(size, place) => {
                let table = *place(registers);
                put(bytes, offset, *size, table.base);
                put(bytes, offset.wrapping_sub(2), 2, table.limit.into());
            }
        }
    }
}

fn assign<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn get(bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
    match size {
        8 => u64_at(bytes, offset),
        _ => u32_at(bytes, offset).map(u64::from),
    }
}

/// Stores the low `size` bytes of `value`.
fn put(bytes: &mut [u8], offset: usize, size: usize, value: u64) {
    let value = value.to_le_bytes();
    let target = bytes
        .get_mut(offset..)
        .and_then(|tail| tail.get_mut(..size));
    if let (Some(target), Some(value)) = (target, value.get(..size)) {
        target.copy_from_slice(value);
    }
}
