//! x87 and SSE registers: `XSAVE_FORMAT`, `FLOATING_SAVE_AREA`, `M128A`.

use crate::core::bytes::{u16_at, u32_at, u64_at};

/// Bytes of the eight x87 registers in a [`FloatingSaveArea`].
pub const SIZE_OF_80387_REGISTERS: usize = 80;

/// A 128-bit register. Corresponds to `M128A`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct M128A {
    /// Bits 0 to 63.
    pub low: u64,
    /// Bits 64 to 127.
    pub high: u64,
}

impl M128A {
    /// The register at `offset`; bytes that are missing are zeros.
    pub fn at(bytes: &[u8], offset: usize) -> Self {
        let half = |offset| u64_at(bytes, offset).unwrap_or_default();
        Self {
            low: half(offset),
            high: half(offset.saturating_add(8)),
        }
    }

    /// Its 16 bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.high) << 64 | u128::from(self.low)).to_le_bytes()
    }

    /// The registers that follow each other from `offset` on.
    fn array<const N: usize>(bytes: &[u8], offset: usize) -> [Self; N] {
        std::array::from_fn(|index| {
            Self::at(bytes, index.saturating_mul(16).saturating_add(offset))
        })
    }
}

/// What `FXSAVE` stores. Corresponds to `XSAVE_FORMAT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct XsaveFormat {
    /// x87 control word.
    pub control_word: u16,
    /// x87 status word.
    pub status_word: u16,
    /// x87 tags, one bit for each register.
    pub tag_word: u8,
    /// Opcode of the last x87 instruction.
    pub error_opcode: u16,
    /// Offset of that instruction.
    pub error_offset: u32,
    /// Selector of that instruction.
    pub error_selector: u16,
    /// Offset of its operand.
    pub data_offset: u32,
    /// Selector of its operand.
    pub data_selector: u16,
    /// SSE control and status.
    pub mx_csr: u32,
    /// Bits of it that the processor knows.
    pub mx_csr_mask: u32,
    /// x87 registers, 80 bits of each.
    pub float_registers: [M128A; 8],
    /// SSE registers; 32-bit code has eight.
    pub xmm_registers: [M128A; 16],
}

impl XsaveFormat {
    /// Size of the structure in bytes.
    pub const SIZE: usize = 512;

    /// Decodes the structure.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let u16 = |offset| u16_at(bytes, offset).unwrap_or_default();
        let u32 = |offset| u32_at(bytes, offset).unwrap_or_default();
        let [tag_word, _] = u16(0x04).to_le_bytes();
        Self {
            control_word: u16(0x00),
            status_word: u16(0x02),
            tag_word,
            error_opcode: u16(0x06),
            error_offset: u32(0x08),
            error_selector: u16(0x0c),
            data_offset: u32(0x10),
            data_selector: u16(0x14),
            mx_csr: u32(0x18),
            mx_csr_mask: u32(0x1c),
            float_registers: M128A::array(bytes, 0x20),
            xmm_registers: M128A::array(bytes, 0xa0),
        }
    }

    /// The structure; reserved bytes are zeros.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let fields = [
            &self.control_word.to_le_bytes()[..],
            &self.status_word.to_le_bytes(),
            &[self.tag_word, 0],
            &self.error_opcode.to_le_bytes(),
            &self.error_offset.to_le_bytes(),
            &self.error_selector.to_le_bytes(),
            &[0; 2],
            &self.data_offset.to_le_bytes(),
            &self.data_selector.to_le_bytes(),
            &[0; 2],
            &self.mx_csr.to_le_bytes(),
            &self.mx_csr_mask.to_le_bytes(),
        ];
        let registers = self.float_registers.iter().chain(&self.xmm_registers);
        let registers = registers.flat_map(|register| register.to_bytes());
        filled(fields.into_iter().flatten().copied().chain(registers))
    }
}

/// What `FNSAVE` stores, in the form of 32-bit code. Corresponds to
/// `FLOATING_SAVE_AREA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FloatingSaveArea {
    /// Control word.
    pub control_word: u32,
    /// Status word.
    pub status_word: u32,
    /// Tags, two bits for each register.
    pub tag_word: u32,
    /// Offset of the last instruction.
    pub error_offset: u32,
    /// Selector of that instruction.
    pub error_selector: u32,
    /// Offset of its operand.
    pub data_offset: u32,
    /// Selector of its operand.
    pub data_selector: u32,
    /// The registers, ten bytes each.
    pub register_area: [u8; SIZE_OF_80387_REGISTERS],
    /// `Cr0NpxState`.
    pub cr0_npx_state: u32,
}

impl FloatingSaveArea {
    /// Size of the structure in bytes.
    pub const SIZE: usize = 0x70;

    /// Decodes the structure.
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let u32 = |offset| u32_at(bytes, offset).unwrap_or_default();
        let area = bytes.get(0x1c..).and_then(|area| area.first_chunk());
        Self {
            control_word: u32(0x00),
            status_word: u32(0x04),
            tag_word: u32(0x08),
            error_offset: u32(0x0c),
            error_selector: u32(0x10),
            data_offset: u32(0x14),
            data_selector: u32(0x18),
            register_area: area.copied().unwrap_or([0; SIZE_OF_80387_REGISTERS]),
            cr0_npx_state: u32(0x6c),
        }
    }

    /// The structure.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let words = [
            self.control_word,
            self.status_word,
            self.tag_word,
            self.error_offset,
            self.error_selector,
            self.data_offset,
            self.data_selector,
        ];
        let words = words.into_iter().flat_map(u32::to_le_bytes);
        let area = self.register_area.into_iter();
        filled(words.chain(area).chain(self.cr0_npx_state.to_le_bytes()))
    }
}

/// The bytes that `source` gives, and zeros behind them.
fn filled<const N: usize>(source: impl Iterator<Item = u8>) -> [u8; N] {
    let mut bytes = [0; N];
    for (target, byte) in bytes.iter_mut().zip(source) {
        *target = byte;
    }
    bytes
}
