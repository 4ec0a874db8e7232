//! A layout's structures and symbols, asked for by name.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{PoisonError, RwLock};

use crate::isf::{Isf, Type};
use crate::layout::Layout;

/// Where a member lies in its structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldRef {
    /// Offset in bytes from the start of the structure.
    pub offset: u64,
    /// Size in bytes; of a bit field, the size of the scalar that holds it.
    pub size: u64,
    /// Lowest bit and number of bits, when the member is a bit field.
    pub bits: Option<(u32, u32)>,
}

/// Members already looked up: structure, then path.
type KnownFields = HashMap<String, HashMap<String, Option<FieldRef>>>;

/// A layout's structures and symbols.
pub struct Profile {
    layout: Layout,
    isf: Isf,
    known: RwLock<KnownFields>,
}

impl Profile {
    /// Reads the reduced table of a layout.
    pub fn load(layout: Layout) -> io::Result<Self> {
        Ok(Self {
            layout,
            isf: Isf::open(&layout.table_path())?,
            known: RwLock::default(),
        })
    }

    /// The layout that the table describes.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Address of a symbol relative to the kernel's base.
    pub fn find_symbol(&self, name: &str) -> Option<u64> {
        self.isf.symbols.get(name).map(|symbol| symbol.address)
    }

    /// Address of a symbol relative to the kernel's base.
    ///
    /// # Panics
    /// When the layout lacks the symbol.
    pub fn symbol(&self, name: &str) -> u64 {
        self.find_symbol(name)
            .unwrap_or_else(|| panic!("{} has no symbol {name}", self.layout))
    }

    /// All symbols in order of address.
    pub fn symbols(&self) -> BTreeMap<u64, &str> {
        self.isf
            .symbols
            .iter()
            .map(|(name, symbol)| (symbol.address, name.as_str()))
            .collect()
    }

    /// Whether the layout has a structure.
    pub fn has_type(&self, structure: &str) -> bool {
        self.isf.user_types.contains_key(structure)
    }

    /// Size of a structure in bytes.
    ///
    /// # Panics
    /// When the layout lacks the structure.
    pub fn size_of(&self, structure: &str) -> u64 {
        match self.isf.user_types.get(structure) {
            Some(found) => found.size,
            None => panic!("{} has no structure {structure}", self.layout),
        }
    }

    /// Value of a constant of an enumeration.
    pub fn find_constant(&self, enumeration: &str, name: &str) -> Option<i64> {
        self.isf
            .enums
            .get(enumeration)?
            .constants
            .get(name)
            .copied()
    }

    /// Finds a member by its path, such as `Tcb.Process`, `HashBuckets[3]` or
    /// `FreeLists[0].HandleCount`.
    pub fn find_field(&self, structure: &str, path: &str) -> Option<FieldRef> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(structure).and_then(|paths| paths.get(path)) {
            return *known;
        }
        drop(known);
        let found = self.resolve(structure, path);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(structure.to_owned())
            .or_default()
            .insert(path.to_owned(), found);
        found
    }

    /// Finds a member by its path.
    ///
    /// # Panics
    /// When the layout lacks the member.
    pub fn field(&self, structure: &str, path: &str) -> FieldRef {
        self.find_field(structure, path)
            .unwrap_or_else(|| panic!("{} has no {structure}.{path}", self.layout))
    }

    /// Offset of a member in bytes.
    ///
    /// # Panics
    /// When the layout lacks the member.
    pub fn offset(&self, structure: &str, path: &str) -> u64 {
        self.field(structure, path).offset
    }

    /// Whether a structure has a member.
    pub fn has_field(&self, structure: &str, path: &str) -> bool {
        self.find_field(structure, path).is_some()
    }

    /// The first of several names that a member has had over time.
    pub fn first_field<'a>(&self, structure: &str, names: &[&'a str]) -> Option<&'a str> {
        names
            .iter()
            .copied()
            .find(|name| self.has_field(structure, name))
    }

    fn resolve(&self, structure: &str, path: &str) -> Option<FieldRef> {
        let mut offset = 0;
        let mut owner = structure;
        let mut components = path.split('.').peekable();
        loop {
            let (name, index) = split_index(components.next()?)?;
            let field = self.isf.user_types.get(owner)?.fields.get(name)?;
            offset += field.offset;
            let mut kind = &field.kind;
            if let Some(index) = index {
                let Type::Array { count, subtype } = kind else {
                    return None;
                };
                (index < *count).then_some(())?;
                offset += index * self.isf.size_of(subtype);
                kind = subtype;
            }
            if components.peek().is_none() {
                return Some(self.field_ref(offset, kind));
            }
            match kind {
                Type::Struct { name } | Type::Union { name } => owner = name,
                _ => return None,
            }
        }
    }

    fn field_ref(&self, offset: u64, kind: &Type) -> FieldRef {
        let bits = match kind {
            Type::Bitfield {
                bit_position,
                bit_length,
                ..
            } => Some((*bit_position, *bit_length)),
            _ => None,
        };
        FieldRef {
            offset,
            size: self.isf.size_of(kind),
            bits,
        }
    }
}

/// Splits `name[index]` into its parts.
fn split_index(component: &str) -> Option<(&str, Option<u64>)> {
    match component.split_once('[') {
        None => Some((component, None)),
        Some((name, rest)) => Some((name, Some(rest.strip_suffix(']')?.parse().ok()?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_nested_members_and_elements() {
        let profile = Profile::load(Layout::Win10_2004).unwrap();
        assert_eq!(profile.size_of("_EPROCESS"), 0xa40);
        assert_eq!(profile.offset("_EPROCESS", "UniqueProcessId"), 1088);
        assert_eq!(profile.offset("_EPROCESS", "Pcb.DirectoryTableBase"), 0x28);
        assert_eq!(
            profile.field("_OBJECT_DIRECTORY", "HashBuckets[36]").offset,
            36 * 8
        );
        assert_eq!(
            profile.find_field("_OBJECT_DIRECTORY", "HashBuckets[37]"),
            None
        );
        assert_eq!(
            profile
                .field("_HANDLE_TABLE_ENTRY", "ObjectPointerBits")
                .bits,
            Some((20, 44))
        );
        assert_eq!(profile.find_field("_EPROCESS", "NoSuchMember"), None);
    }

    #[test]
    fn every_layout_loads() {
        for layout in Layout::ALL {
            let profile = Profile::load(layout).unwrap();
            assert!(
                profile.find_symbol("PsActiveProcessHead").is_some(),
                "{layout}"
            );
            assert!(
                profile.has_field("_EPROCESS", "ActiveProcessLinks.Flink"),
                "{layout}"
            );
        }
    }
}
