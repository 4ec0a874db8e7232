//! `ObTypeIndexTable`: which type an object header's index stands for.

use std::sync::atomic::{AtomicU8, AtomicU16, Ordering::Relaxed};

use isr::macros::Field;

use super::{ObjectKind, ObjectType};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::Windows,
};

/// Entries of the table: indexes are bytes.
const ENTRIES: usize = 256;

/// The first entries are never types: NULL and a bad pointer.
const FIRST_INDEX: u8 = 2;

/// Set in a cached cookie, so that 0 means "not read yet".
const KNOWN: u16 = 0x100;

/// Kinds by type index, and the cookie that hides indexes.
///
/// Readers share it without a lock: a slot is one atomic number, and threads
/// that fill the same slot write the same number. Only kinds with a known name
/// are kept; a type's text is then static.
pub(in crate::os::windows) struct TypeCache {
    kinds: [AtomicU8; ENTRIES],
    cookie: AtomicU16,
}

impl TypeCache {
    pub(in crate::os::windows) const fn new() -> Self {
        Self {
            kinds: [const { AtomicU8::new(0) }; ENTRIES],
            cookie: AtomicU16::new(0),
        }
    }

    /// Forgets everything.
    pub(in crate::os::windows) fn clear(&self) {
        for kind in &self.kinds {
            kind.store(0, Relaxed);
        }
        self.cookie.store(0, Relaxed);
    }

    fn kind(&self, index: u8) -> ObjectKind {
        let number = self.kinds.get(usize::from(index));
        number
            .and_then(|number| ObjectKind::from_number(number.load(Relaxed)))
            .unwrap_or(ObjectKind::Unknown)
    }

    fn set_kind(&self, index: u8, kind: ObjectKind) {
        if let Some(slot) = self.kinds.get(usize::from(index)) {
            slot.store(kind as u8, Relaxed);
        }
    }
}

impl Windows {
    /// Index of the type of the object whose header is at `header`, decoded.
    ///
    /// Where the kernel has `ObHeaderCookie`, the index is mixed with it and
    /// with the second byte of the header's address.
    pub(super) fn decode_type_index(&self, header: Va, encoded: u8) -> Result<u8> {
        let Some(rva) = self.variables.ObHeaderCookie else {
            return Ok(encoded);
        };
        let address_byte = (header.0 >> 8) as u8;
        Ok(encoded ^ address_byte ^ self.header_cookie(rva)?)
    }

    fn header_cookie(&self, rva: u64) -> Result<u8> {
        let cached = self.types.cookie.load(Relaxed);
        if cached & KNOWN != 0 {
            return Ok(cached as u8);
        }
        let [cookie] = self.record(self.variable(rva)).bytes(Field::new(0, 1))?;
        self.types.cookie.store(KNOWN | u16::from(cookie), Relaxed);
        Ok(cookie)
    }

    /// The object type with this index.
    /// Corresponds to an entry of `ObTypeIndexTable`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when no type has the index.
    pub fn object_type(&self, index: u8) -> Result<ObjectType<'_>> {
        let corrupt = |at, reason| Err(Error::corrupt("ObTypeIndexTable", at, reason));
        let entry = self.type_entry(index)?;
        let object = self.pointer_variable(entry)?;
        if index < FIRST_INDEX || object.is_null() {
            return corrupt(entry, "no type has this index");
        }
        let object_type = ObjectType::new(self, object);
        if object_type.index()? != index {
            return corrupt(entry, "its type has another index");
        }
        Ok(object_type)
    }

    fn type_entry(&self, index: u8) -> Result<Va> {
        let rva = self.variables.ObTypeIndexTable;
        let table = self.optional_variable(rva, "ObTypeIndexTable")?;
        Ok(table.wrapping_add(u64::from(index).wrapping_mul(8)))
    }

    /// What objects of the type with this index are; warm, this reads nothing.
    pub(super) fn object_kind(&self, index: u8) -> Result<ObjectKind> {
        match self.types.kind(index) {
            ObjectKind::Unknown => {
                let kind = self.object_type(index)?.instance_kind()?;
                self.types.set_kind(index, kind);
                Ok(kind)
            }
            kind => Ok(kind),
        }
    }

    /// The object types in order of index; an `Err` is a gap.
    /// Corresponds to `ObTypeIndexTable`.
    pub fn object_types(&self) -> ObjectTypes<'_> {
        ObjectTypes {
            windows: self,
            next: Some(FIRST_INDEX),
        }
    }
}

/// The object types; an `Err` is a gap.
pub struct ObjectTypes<'a> {
    windows: &'a Windows,
    next: Option<u8>,
}

impl<'a> ObjectTypes<'a> {
    fn at_end(&self, index: u8) -> Result<bool> {
        let entry = self.windows.type_entry(index)?;
        Ok(self.windows.pointer_variable(entry)?.is_null())
    }
}

impl<'a> Iterator for ObjectTypes<'a> {
    type Item = Result<ObjectType<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.next.take()?;
        match self.at_end(index) {
            Ok(true) => None,
            Ok(false) => {
                self.next = index.checked_add(1);
                Some(self.windows.object_type(index))
            }
            // The table is one block: what follows is unreadable, too.
            Err(gap) => Some(Err(gap)),
        }
    }
}
