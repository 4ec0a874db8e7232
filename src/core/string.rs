//! Text in guest memory: bounded, page by page, never past the terminator.

use super::{Memory, Space, Va};
use crate::error::Result;

/// Longest guest string that is ever returned, in bytes of UTF-8.
///
/// A `UNICODE_STRING` holds at most 32,767 units of at most 3 bytes each.
pub const STRING_MAX: usize = 98_304;

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
        let mut bytes = vec![0; units.min(STRING_MAX / 2).saturating_mul(2)];
        self.read(space, address, &mut bytes)?;
        Ok(bytes
            .as_chunks::<2>()
            .0
            .iter()
            .map(|&pair| u16::from_le_bytes(pair))
            .collect())
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
