//! Text in guest memory: bounded, page by page, never past the terminator.

use super::{Memory, Space, Va};
use crate::error::Result;

/// Longest guest string that is ever returned, in bytes of UTF-8.
///
/// A `UNICODE_STRING` holds at most 32,767 units of at most 3 bytes each.
pub const STRING_MAX: usize = 98_304;

/// UTF-16 text as UTF-8; unpaired surrogates become U+FFFD.
pub fn decode_utf16(units: &[u16]) -> String {
    // Names are ASCII nearly always; callers in C add a terminator.
    let mut ascii = Vec::with_capacity(units.len().saturating_add(1));
    ascii.extend(units.iter().map(|&unit| unit as u8));
    match String::from_utf8(ascii) {
        Ok(text) if units.iter().all(|&unit| unit < 0x80) => text,
        _ => String::from_utf16_lossy(units),
    }
}

fn units_of(bytes: &[[u8; 2]]) -> impl Iterator<Item = u16> {
    bytes.iter().map(|&unit| u16::from_le_bytes(unit))
}

/// As [`decode_utf16`], of little-endian bytes.
fn decode(bytes: &[[u8; 2]]) -> String {
    let mut text = String::new();
    append(bytes, &mut text);
    text
}

fn append(bytes: &[[u8; 2]], text: &mut String) {
    let (words, rest) = bytes.as_flattened().as_chunks::<8>();
    let words = words.iter().map(|&word| u64::from_le_bytes(word));
    let (rest, _) = rest.as_chunks::<2>();
    let all = words.clone().fold(0, |all, word| all | word) & NOT_ASCII;
    if all != 0 || units_of(rest).any(|unit| unit >= 0x80) {
        text.push_str(&decode_utf16(&units_of(bytes).collect::<Vec<_>>()));
        return;
    }
    // SAFETY: bytes below 0x80, which all of these are, are UTF-8.
    let ascii = unsafe { text.as_mut_vec() };
    ascii.reserve(bytes.len());
    for word in words {
        ascii.extend_from_slice(&narrow(word));
    }
    ascii.extend(rest.iter().map(|&[low, _]| low));
}

/// What four units of ASCII have none of.
const NOT_ASCII: u64 = 0xff80_ff80_ff80_ff80;

/// The low bytes of four units whose high ones are zero.
#[inline(always)]
const fn narrow(units: u64) -> [u8; 4] {
    let pairs = (units | units >> 8) & 0xffff_0000_ffff;
    ((pairs | pairs >> 16) as u32).to_le_bytes()
}

/// Text up to this length in bytes is read without an allocation of its own.
const SHORT: usize = 256;

impl Memory {
    /// Bytes from `address` up to (not including) the first NUL or `limit` bytes.
    ///
    /// Reads page by page: a string that ends before an unmapped page is whole.
    /// A fault before the terminator is an error.
    pub fn read_c_string(&self, space: Space, address: u64, limit: usize) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        self.scan(space, address, limit.min(STRING_MAX), |piece| {
            let end = piece.iter().position(|&byte| byte == 0);
            text.extend_from_slice(piece.get(..end.unwrap_or(piece.len())).unwrap_or(piece));
            end.is_some()
        })?;
        Ok(text)
    }

    /// UTF-16 units from `address` up to (not including) the first NUL or `limit` units.
    pub fn read_utf16_z(&self, space: Space, address: u64, limit: usize) -> Result<Vec<u16>> {
        let limit = limit.min(STRING_MAX / 2);
        let mut text = Vec::new();
        // The low byte of a unit that straddles two pieces (odd addresses).
        let mut half = None;
        self.scan(space, address, limit.saturating_mul(2), |piece| {
            for &byte in piece {
                let Some(low) = half.take() else {
                    half = Some(byte);
                    continue;
                };
                match u16::from_le_bytes([low, byte]) {
                    0 => return true,
                    unit => text.push(unit),
                }
            }
            false
        })?;
        Ok(text)
    }

    /// Exactly `units` UTF-16 units, embedded NULs included.
    pub fn read_utf16(&self, space: Space, address: u64, units: usize) -> Result<Vec<u16>> {
        self.with_utf16(space, address, units, |units| units_of(units).collect())
    }

    /// As [`Memory::read_utf16`], as UTF-8; unpaired surrogates become U+FFFD.
    pub fn read_text(&self, space: Space, address: u64, units: usize) -> Result<String> {
        self.with_utf16(space, address, units, decode)
    }

    /// As [`Memory::read_text`], appended to `text`: nothing is allocated where
    /// that has room.
    pub fn append_text(
        &self,
        space: Space,
        address: u64,
        units: usize,
        text: &mut String,
    ) -> Result<()> {
        self.with_utf16(space, address, units, |units| append(units, text))
    }

    /// Hands the bytes of `units` UTF-16 units to `take`.
    fn with_utf16<T>(
        &self,
        space: Space,
        address: u64,
        units: usize,
        take: impl FnOnce(&[[u8; 2]]) -> T,
    ) -> Result<T> {
        let length = units.min(STRING_MAX / 2).saturating_mul(2);
        let (mut short, mut long) = ([0; SHORT], Vec::new());
        let bytes = match short.get_mut(..length) {
            Some(bytes) => bytes,
            None => {
                long.resize(length, 0);
                long.as_mut_slice()
            }
        };
        self.read(space, address, bytes)?;
        Ok(take(bytes.as_chunks::<2>().0))
    }

    /// Feeds at most `limit` bytes to `stop`, a page-bounded piece at a time,
    /// until it says so.
    fn scan(
        &self,
        space: Space,
        address: u64,
        limit: usize,
        mut stop: impl FnMut(&[u8]) -> bool,
    ) -> Result<()> {
        // Most strings are short: small first pieces waste no copying.
        let mut piece = [0_u8; 256];
        let mut done = 0_usize;
        while done < limit {
            let at = address.wrapping_add(done as u64);
            let left = Va(at).left_in_page() as usize;
            let length = piece.len().min(left).min(limit.saturating_sub(done));
            let Some(buffer) = piece.get_mut(..length) else {
                break;
            };
            self.read(space, at, buffer)?;
            if stop(buffer) {
                break;
            }
            done = done.saturating_add(length);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{append, decode, decode_utf16};

    #[test]
    fn decodes_what_is_ascii_and_what_is_not() {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        for text in [
            "",
            "ntoskrnl.exe",
            "a\0b",
            "\u{80}",
            "Größe",
            "\u{141}",
            "\u{1f600}",
        ] {
            assert_eq!(decode_utf16(&units(text)), text);
            let bytes: Vec<_> = units(text).into_iter().map(u16::to_le_bytes).collect();
            assert_eq!(decode(&bytes), text);
            let mut twice = String::from("Größe");
            append(&bytes.repeat(9), &mut twice);
            assert_eq!(twice, format!("Größe{}", text.repeat(9)));
        }
        assert_eq!(decode_utf16(&[0x61, 0xd800, 0x62]), "a\u{fffd}b");
    }
}
