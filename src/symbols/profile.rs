//! A parsed profile: structures, enumerations and symbols of one module.

use std::fmt;

use isr::schema::Profile as Schema;

use super::{
    PdbId,
    archive::{self, Bytes},
    layout::{self, FieldInfo, Member},
};
use crate::error::Result;

/// Structures, enumerations and symbols of one module, ready to be asked.
///
/// Owns a validated ISR archive. Sessions share profiles through `Arc`.
pub struct Profile {
    id: PdbId,
    /// Borrows from `bytes`; declared first, so dropped first.
    view: isr::Profile<'static>,
    bytes: Bytes,
}

impl Profile {
    /// Validates archive bytes that hold the symbols of `id`.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) when the bytes are damaged or
    /// describe impossible structures.
    pub(super) fn from_bytes(id: PdbId, bytes: Bytes) -> Result<Self> {
        let archived = std::ptr::from_ref(archive::validate(&bytes)?);
        // SAFETY: `archived` points into the heap buffer of `bytes`, which the
        // new value owns, never changes, never moves and drops after the view;
        // `isr` hands the view out with a lifetime bound to `self` only.
        let archived = unsafe { &*archived };
        let view = isr::Profile::from_archived(archived);
        Ok(Self { id, view, bytes })
    }

    /// The profile that `schema` describes.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) when it describes impossible
    /// structures.
    pub(super) fn from_schema(id: PdbId, schema: &Schema) -> Result<Self> {
        Self::from_bytes(id, archive::encode(schema)?)
    }

    /// What the profile describes.
    pub fn id(&self) -> &PdbId {
        &self.id
    }

    /// The view that `isr::macros::offsets!` and `isr::macros::symbols!` take.
    pub fn isr(&self) -> &isr::Profile<'_> {
        &self.view
    }

    /// The profile as an ISR archive.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Address of a symbol relative to the module's base, in bytes.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        self.view.find_symbol(name)
    }

    /// All symbols with their relative addresses, in no particular order.
    pub fn symbols(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.view.symbols().map(|symbol| (symbol.name, symbol.rva))
    }

    /// The symbol at or closest before a relative address, and the distance to
    /// it in bytes.
    pub fn nearest(&self, rva: u64) -> Option<(&str, u64)> {
        let symbol = self.view.lookup_symbol(rva)?;
        Some((symbol.name, rva.checked_sub(symbol.rva)?))
    }

    /// Size of a structure or union, in bytes.
    pub fn struct_size(&self, structure: &str) -> Option<u64> {
        self.view.struct_size(structure)
    }

    /// Place of a member, named by a dotted path (`Pcb.DirectoryTableBase`).
    ///
    /// Members of nested structures are found without naming those, as the
    /// `offsets!` macro finds them.
    pub fn field(&self, structure: &str, path: &str) -> Option<FieldInfo> {
        Member::find(&self.view, structure, path).map(|member| member.info(&self.view))
    }

    /// Name of the structure, union or enumeration that a member holds by
    /// value; layouts are told apart by it.
    pub fn field_type_name(&self, structure: &str, path: &str) -> Option<&str> {
        Member::find(&self.view, structure, path)?.type_name()
    }

    /// Value of an enumeration's constant.
    pub fn enum_value(&self, enumeration: &str, constant: &str) -> Option<i64> {
        layout::constant(self.view.find_enum(enumeration)?, constant)
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("id", &self.id)
            .field("symbols", &self.symbols().len())
            .finish_non_exhaustive()
    }
}
