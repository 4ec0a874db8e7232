//! Details structures: which of their fields could be read.

use crate::{
    core::Va,
    error::{Error, Result},
};

/// The `valid` mask of a details structure while it is filled.
#[derive(Default)]
pub struct Valid {
    bits: u64,
    first_error: Option<Error>,
}

impl Valid {
    /// The field's value and its bit; zero without the bit when it cannot be read.
    pub fn take<T: Default>(&mut self, bit: u64, value: Result<T>) -> T {
        self.found(bit, value).unwrap_or_default()
    }

    /// The field's value and its bit; `None` without the bit.
    pub fn found<T>(&mut self, bit: u64, value: Result<T>) -> Option<T> {
        match value {
            Ok(value) => {
                self.bits |= bit;
                Some(value)
            }
            Err(error) => {
                self.first_error.get_or_insert(error);
                None
            }
        }
    }

    /// The mask.
    pub const fn bits(&self) -> u64 {
        self.bits
    }

    /// The mask, or the first error when nothing at all could be read.
    pub fn finish(self) -> Result<u64> {
        match self.first_error {
            Some(error) if self.bits == 0 => Err(error),
            _ => Ok(self.bits),
        }
    }
}

/// An address or 0.
pub fn or_zero(address: Result<Option<Va>>) -> Result<u64> {
    address.map(|address| address.map_or(0, |address| address.0))
}
