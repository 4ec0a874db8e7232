//! A structure's bytes, filled in by member name.

use std::sync::Arc;

use crate::profile::{FieldRef, Profile};

/// A structure being filled in before it is written to the guest.
#[derive(Clone)]
pub struct Record {
    profile: Arc<Profile>,
    structure: &'static str,
    bytes: Vec<u8>,
}

impl Record {
    /// A structure of zeroes.
    ///
    /// # Panics
    /// When the layout lacks the structure.
    pub fn new(profile: &Arc<Profile>, structure: &'static str) -> Self {
        let size = profile.size_of(structure) as usize;
        Self {
            profile: Arc::clone(profile),
            structure,
            bytes: vec![0; size],
        }
    }

    /// Sets a member.
    ///
    /// # Panics
    /// When the layout lacks the member.
    pub fn set(&mut self, path: &str, value: u64) -> &mut Self {
        let field = self.profile.field(self.structure, path);
        insert(&mut self.bytes, field, value);
        self
    }

    /// Sets a member where the layout has it.
    pub fn set_if(&mut self, path: &str, value: u64) -> &mut Self {
        if let Some(field) = self.profile.find_field(self.structure, path) {
            insert(&mut self.bytes, field, value);
        }
        self
    }

    /// Sets the member by the first of its names that the layout has.
    ///
    /// # Panics
    /// When the layout has none of them.
    pub fn set_first(&mut self, names: &[&str], value: u64) -> &mut Self {
        let name = self.profile.first_field(self.structure, names);
        let name =
            name.unwrap_or_else(|| panic!("{} has none of {names:?}", self.profile.layout()));
        self.set(name, value)
    }

    /// Fills the start of a member with bytes, cut to the member's size.
    ///
    /// # Panics
    /// When the layout lacks the member.
    pub fn put(&mut self, path: &str, bytes: &[u8]) -> &mut Self {
        let field = self.profile.field(self.structure, path);
        let start = field.offset as usize;
        let length = bytes.len().min(field.size as usize);
        self.bytes[start..start + length].copy_from_slice(&bytes[..length]);
        self
    }

    /// Sets a `_UNICODE_STRING` member: its length and maximum length in bytes, and its buffer.
    pub fn set_string(&mut self, path: &str, length: usize, buffer: u64) -> &mut Self {
        self.set(&format!("{path}.Length"), length as u64)
            .set(&format!("{path}.MaximumLength"), length as u64 + 2)
            .set(&format!("{path}.Buffer"), buffer)
    }

    /// Makes a `_LIST_ENTRY` member an empty list, for a structure that will lie at `address`.
    pub fn set_empty_list(&mut self, path: &str, address: u64) -> &mut Self {
        let head = address + self.profile.offset(self.structure, path);
        self.set(&format!("{path}.Flink"), head)
            .set(&format!("{path}.Blink"), head)
    }

    /// Name of the structure.
    pub fn structure(&self) -> &'static str {
        self.structure
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Puts a value into a member of a structure's bytes; other bits of a bit field's scalar stay.
pub fn insert(bytes: &mut [u8], field: FieldRef, value: u64) {
    let start = field.offset as usize;
    let length = field.size.min(8) as usize;
    let target = &mut bytes[start..start + length];
    let value = match field.bits {
        None => value,
        Some(bits) => merge(extract_scalar(target), bits, value),
    };
    target.copy_from_slice(&value.to_le_bytes()[..length]);
}

/// Takes the value of a member out of a structure's bytes.
pub fn extract(bytes: &[u8], field: FieldRef) -> u64 {
    let start = field.offset as usize;
    let scalar = extract_scalar(&bytes[start..start + field.size.min(8) as usize]);
    match field.bits {
        None => scalar,
        Some((position, length)) => scalar >> position & bit_mask(length),
    }
}

fn extract_scalar(bytes: &[u8]) -> u64 {
    let mut scalar = [0; 8];
    scalar[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(scalar)
}

fn merge(scalar: u64, (position, length): (u32, u32), value: u64) -> u64 {
    let mask = bit_mask(length) << position;
    scalar & !mask | value << position & mask
}

fn bit_mask(length: u32) -> u64 {
    u64::MAX >> (64 - length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_fields_leave_their_neighbours() {
        let field = FieldRef {
            offset: 1,
            size: 2,
            bits: Some((4, 3)),
        };
        let mut bytes = [0xff; 4];
        insert(&mut bytes, field, 0b010);
        assert_eq!(bytes, [0xff, 0b1010_1111, 0xff, 0xff]);
        assert_eq!(extract(&bytes, field), 0b010);
    }
}
