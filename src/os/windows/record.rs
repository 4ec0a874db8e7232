//! One structure in guest memory, read field by field.

use isr::macros::{Bitfield, Field};

use super::UnicodeString;
use crate::{
    core::{Memory, Space, Va},
    error::{Error, Result},
    symbols::extract,
};

/// A structure at a guest address.
///
/// Fields come from a copy of the structure where one was made
/// ([`Record::with_copy`]) and reaches that far, else from guest memory; so a
/// structure that is only partly readable still gives what it has.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    memory: &'a Memory,
    space: Space,
    base: Va,
    copy: &'a [u8],
}

impl<'a> Record<'a> {
    /// The structure at `base`.
    pub const fn new(memory: &'a Memory, space: Space, base: Va) -> Self {
        Self {
            memory,
            space,
            base,
            copy: &[],
        }
    }

    /// The same structure with its first bytes read once into `buffer`.
    ///
    /// Worth it when many fields are read; what cannot be read is left to the fields.
    #[inline]
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        let done = match self.memory.read(self.space, self.base.0, buffer) {
            Ok(()) => buffer.len(),
            Err(partial) => partial.done,
        };
        Self {
            copy: buffer.get(..done).unwrap_or_default(),
            ..self
        }
    }

    /// Address of the structure.
    pub const fn base(&self) -> Va {
        self.base
    }

    /// Memory that the structure lies in.
    pub const fn memory(&self) -> &'a Memory {
        self.memory
    }

    /// Address space that the structure lies in.
    pub const fn space(&self) -> Space {
        self.space
    }

    /// A structure embedded at `field`.
    pub fn embedded(&self, field: Field) -> Self {
        let offset = usize::try_from(field.offset()).unwrap_or(usize::MAX);
        Self {
            base: self.address(field),
            copy: self.copy.get(offset..).unwrap_or_default(),
            ..*self
        }
    }

    /// The structure at `base`, in the same space.
    pub const fn at(&self, base: Va) -> Self {
        Self::new(self.memory, self.space, base)
    }

    /// Address of a field.
    pub const fn address(&self, field: Field) -> Va {
        self.base.wrapping_add(field.offset())
    }

    /// Fills `buffer` from `offset` on.
    #[inline]
    pub fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        if let Some(copied) = self.copied(offset, buffer.len()) {
            buffer.copy_from_slice(copied);
            return Ok(());
        }
        let address = self.base.wrapping_add(offset).0;
        if self.memory.read_cached(self.space, address, buffer) {
            return Ok(());
        }
        self.read_guest(address, buffer)
    }

    #[inline(never)]
    fn read_guest(&self, address: u64, buffer: &mut [u8]) -> Result<()> {
        Ok(self.memory.read(self.space, address, buffer)?)
    }

    /// The two words that a structure begins with.
    #[inline]
    pub fn leading<const N: usize>(&self) -> Result<[[u8; N]; 2]> {
        let mut words = [[0; N]; 2];
        self.read(0, words.as_flattened_mut())?;
        Ok(words)
    }

    #[inline]
    fn copied(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.copy.get(start..start.checked_add(length)?)
    }

    /// The first `N` bytes of a field.
    #[inline]
    pub fn bytes<const N: usize>(&self, field: Field) -> Result<[u8; N]> {
        match self.known(field.offset()) {
            Some(bytes) => Ok(bytes),
            None => self.fetch(field.offset()),
        }
    }

    /// Bytes of the copy: a size that is known makes this a plain load.
    #[inline(always)]
    fn known<const N: usize>(&self, offset: u64) -> Option<[u8; N]> {
        let start = usize::try_from(offset).ok()?;
        self.copy.get(start..)?.first_chunk().copied()
    }

    /// Bytes that the copy lacks.
    #[inline(never)]
    fn fetch<const N: usize>(&self, offset: u64) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        let address = self.base.wrapping_add(offset).0;
        if !self.memory.read_cached(self.space, address, &mut bytes) {
            self.read_guest(address, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// An unsigned integer of the field's own size (1, 2, 4 or 8 bytes).
    #[inline(always)]
    pub fn uint(&self, field: Field) -> Result<u64> {
        match self.known_uint(field) {
            Some(value) => Ok(value),
            None => self.fetch_uint(field),
        }
    }

    /// An integer of the copy, loaded with what lies behind it and cut.
    #[inline(always)]
    fn known_uint(&self, field: Field) -> Option<u64> {
        let word = u64::from_le_bytes(self.known(field.offset())?);
        let unused = u64::BITS.checked_sub((field.size() as u32).checked_mul(8)?)?;
        Some(word & u64::MAX.checked_shr(unused)?)
    }

    /// An integer that the copy lacks, or that is its last.
    #[inline(never)]
    fn fetch_uint(&self, field: Field) -> Result<u64> {
        // Copies of a size that is known are no calls.
        match field.size() {
            8 => self.bytes(field).map(u64::from_le_bytes),
            4 => self.bytes(field).map(|it| u32::from_le_bytes(it).into()),
            _ => self.fetch_any_uint(field),
        }
    }

    #[inline(never)]
    fn fetch_any_uint(&self, field: Field) -> Result<u64> {
        let mut bytes = [0; 8];
        let size = usize::try_from(field.size()).unwrap_or(usize::MAX);
        let buffer = bytes
            .get_mut(..size)
            .ok_or_else(|| Error::layout("a field of at most 8 bytes"))?;
        self.read(field.offset(), buffer)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// The low 32 bits of a field (ids are stored in pointers).
    #[inline]
    pub fn uint32(&self, field: Field) -> Result<u32> {
        self.uint(field).map(|value| value as u32)
    }

    /// The bits of a bit field.
    pub fn bits(&self, field: Bitfield) -> Result<u64> {
        let value = self.uint(Field::new(field.offset(), field.size()))?;
        Ok(extract(&field, value))
    }

    /// A pointer, NULL included.
    #[inline]
    pub fn pointer(&self, field: Field) -> Result<Va> {
        self.bytes(field).map(|it| Va(u64::from_le_bytes(it)))
    }

    /// A pointer, `None` when NULL.
    pub fn pointer_or_none(&self, field: Field) -> Result<Option<Va>> {
        self.pointer(field)
            .map(|pointer| (!pointer.is_null()).then_some(pointer))
    }

    /// The object that an `_EX_FAST_REF` names: its low 4 bits are a count.
    pub fn fast_reference(&self, field: Field) -> Result<Option<Va>> {
        let object = Va(self.pointer(field)?.0 & !0xf);
        Ok((!object.is_null()).then_some(object))
    }

    /// UTF-16 units of the 64-bit `_UNICODE_STRING` at `field`, embedded NULs included.
    pub fn unicode_string(&self, field: Field) -> Result<Vec<u16>> {
        UnicodeString::from_bytes64(self.bytes(field)?).text(self.memory, self.space)
    }

    /// Text of the `_UNICODE_STRING` at `field`; unpaired surrogates become U+FFFD.
    pub fn text(&self, field: Field) -> Result<String> {
        UnicodeString::from_bytes64(self.bytes(field)?).decode(self.memory, self.space)
    }

    /// As [`Record::text`], appended to `text`.
    pub fn append_text(&self, field: Field, text: &mut String) -> Result<()> {
        let string = UnicodeString::from_bytes64(self.bytes(field)?);
        string.append(self.memory, self.space, text)
    }
}
