//! Buffers of the caller for text: UTF-8, and UTF-16 units as they are.

use std::ffi::c_char;

use super::ffi::{Call, Output};
use crate::error::{Error, Result};

impl Call {
    /// A buffer for text: `length`, when not NULL, receives the needed length.
    pub fn text_buffer(
        &self,
        buffer: *mut c_char,
        capacity: usize,
        length: *mut usize,
    ) -> Result<TextBuffer<'_>> {
        Ok(TextBuffer {
            buffer: self.buffer(buffer.cast(), capacity, "buffer")?,
            length: self.optional_output(length),
        })
    }

    /// A buffer for UTF-16 units: `count`, when not NULL, receives how many the
    /// text has.
    pub fn units_buffer(
        &self,
        units: *mut u16,
        capacity: usize,
        count: *mut usize,
    ) -> Result<UnitsBuffer<'_>> {
        Ok(UnitsBuffer {
            buffer: self.buffer(units, capacity, "units")?,
            count: self.optional_output(count),
        })
    }
}

/// A buffer for text, and where its needed length goes.
pub struct TextBuffer<'call> {
    buffer: &'call mut [u8],
    length: Option<Output<'call, usize>>,
}

impl TextBuffer<'_> {
    /// Copies `text`, NUL-terminated, and reports its length without the
    /// terminator; text that does not fit is cut between characters.
    pub fn write(self, text: &str) -> Result<()> {
        if let Some(length) = &self.length {
            length.write(text.len());
        }
        let room = self.buffer.len().saturating_sub(1);
        let kept = text.get(..text.floor_char_boundary(room)).unwrap_or(text);
        if let Some(target) = self.buffer.get_mut(..kept.len()) {
            target.copy_from_slice(kept.as_bytes());
        }
        if let Some(terminator) = self.buffer.get_mut(kept.len()) {
            *terminator = 0;
        }
        if text.len() < self.buffer.len() {
            return Ok(());
        }
        Err(Error::BufferTooSmall {
            needed: text.len().saturating_add(1),
        })
    }
}

/// A buffer for UTF-16 units, and where their number goes.
pub struct UnitsBuffer<'call> {
    buffer: &'call mut [u16],
    count: Option<Output<'call, usize>>,
}

impl UnitsBuffer<'_> {
    /// Copies the units of a text, without a terminator, and reports how many
    /// it has; what does not fit is cut.
    pub fn write(self, text: &[u16]) -> Result<()> {
        if let Some(count) = &self.count {
            count.write(text.len());
        }
        for (slot, unit) in self.buffer.iter_mut().zip(text) {
            *slot = *unit;
        }
        if text.len() <= self.buffer.len() {
            return Ok(());
        }
        let needed = text.len().saturating_mul(2);
        Err(Error::BufferTooSmall { needed })
    }
}
