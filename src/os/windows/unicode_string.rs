//! `_UNICODE_STRING`: counted UTF-16 text, of 64-bit and of 32-bit code.

use super::process::Architecture;
use crate::{
    core::{Memory, Space},
    error::Result,
};

/// The header of a counted string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnicodeString {
    /// Number of UTF-16 units, at most 32,767. Corresponds to `Length`, which is in bytes.
    pub units: u16,
    /// Address of the units. Corresponds to `Buffer`.
    pub buffer: u64,
}

impl UnicodeString {
    /// The 16-byte form of 64-bit code: `Length` at 0, `Buffer` at 8.
    pub const fn from_bytes64(bytes: [u8; 16]) -> Self {
        let [l0, l1, _, _, _, _, _, _, buffer @ ..] = bytes;
        Self {
            units: u16::from_le_bytes([l0, l1]) / 2,
            buffer: u64::from_le_bytes(buffer),
        }
    }

    /// The 8-byte form of 32-bit code: `Length` at 0, `Buffer` at 4.
    pub const fn from_bytes32(bytes: [u8; 8]) -> Self {
        let [l0, l1, _, _, buffer @ ..] = bytes;
        Self {
            units: u16::from_le_bytes([l0, l1]) / 2,
            buffer: u32::from_le_bytes(buffer) as u64,
        }
    }

    /// The header at `address`, in the form of `architecture`.
    pub fn read(
        memory: &Memory,
        space: Space,
        address: u64,
        architecture: Architecture,
    ) -> Result<Self> {
        match architecture {
            Architecture::Amd64 => {
                let mut bytes = [0; 16];
                memory.read(space, address, &mut bytes)?;
                Ok(Self::from_bytes64(bytes))
            }
            Architecture::X86 => {
                let mut bytes = [0; 8];
                memory.read(space, address, &mut bytes)?;
                Ok(Self::from_bytes32(bytes))
            }
        }
    }

    /// The text, embedded NULs included.
    pub fn text(self, memory: &Memory, space: Space) -> Result<Vec<u16>> {
        if self.units == 0 {
            return Ok(Vec::new());
        }
        memory.read_utf16(space, self.buffer, self.units.into())
    }

    /// As [`UnicodeString::text`], as UTF-8; unpaired surrogates become U+FFFD.
    pub fn decode(self, memory: &Memory, space: Space) -> Result<String> {
        if self.units == 0 {
            return Ok(String::new());
        }
        memory.read_text(space, self.buffer, self.units.into())
    }

    /// As [`UnicodeString::decode`], appended to `text`.
    pub fn append(self, memory: &Memory, space: Space, text: &mut String) -> Result<()> {
        if self.units == 0 {
            return Ok(());
        }
        memory.append_text(space, self.buffer, self.units.into(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_decoded() {
        let wide = UnicodeString::from_bytes64([
            6, 0, 8, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8,
        ]);
        assert_eq!((wide.units, wide.buffer), (3, 0x0807_0605_0403_0201));
        let narrow = UnicodeString::from_bytes32([7, 0, 8, 0, 1, 2, 3, 4]);
        assert_eq!((narrow.units, narrow.buffer), (3, 0x0403_0201));
    }
}
