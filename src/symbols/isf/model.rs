//! The JSON objects of the format, version 6, as far as Windows tables use them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::symbols::pdb_id::{PdbId, parse_guid};

/// A symbol table.
#[derive(Deserialize)]
pub(super) struct Isf {
    metadata: Metadata,
    pub(super) base_types: BTreeMap<String, BaseType>,
    pub(super) user_types: BTreeMap<String, UserType>,
    pub(super) enums: BTreeMap<String, Enum>,
    pub(super) symbols: BTreeMap<String, Symbol>,
}

impl Isf {
    /// The PDB that the table was made from.
    pub(super) fn pdb_id(&self) -> Option<PdbId> {
        let pdb = self.pdb()?;
        Some(PdbId::new(&pdb.database, parse_guid(&pdb.guid)?, pdb.age))
    }

    /// Machine type in the PDB (`IMAGE_FILE_MACHINE_*`).
    pub(super) fn machine_type(&self) -> Option<u32> {
        self.pdb()?.machine_type
    }

    fn pdb(&self) -> Option<&Pdb> {
        self.metadata.windows.as_ref()?.pdb.as_ref()
    }
}

#[derive(Deserialize)]
struct Metadata {
    windows: Option<Windows>,
}

#[derive(Deserialize)]
struct Windows {
    pdb: Option<Pdb>,
}

#[derive(Deserialize)]
struct Pdb {
    #[serde(rename = "GUID")]
    guid: String,
    age: u32,
    database: String,
    machine_type: Option<u32>,
}

/// A scalar type.
#[derive(Deserialize)]
pub(super) struct BaseType {
    pub(super) kind: BaseKind,
    pub(super) size: u64,
    pub(super) signed: bool,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum BaseKind {
    Void,
    Bool,
    Char,
    Int,
    Float,
}

/// A structure, union or class.
#[derive(Deserialize)]
pub(super) struct UserType {
    pub(super) kind: UserKind,
    pub(super) size: u64,
    pub(super) fields: BTreeMap<String, Field>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum UserKind {
    Struct,
    Union,
    Class,
}

/// A member.
#[derive(Deserialize)]
pub(super) struct Field {
    pub(super) offset: u64,
    #[serde(rename = "type")]
    pub(super) ty: Type,
}

/// A type: which of the optional members are there depends on the kind.
#[derive(Deserialize)]
pub(super) struct Type {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
    pub(super) count: Option<u64>,
    pub(super) subtype: Option<Box<Type>>,
    #[serde(rename = "type")]
    pub(super) storage: Option<Box<Type>>,
    pub(super) bit_position: Option<u64>,
    pub(super) bit_length: Option<u64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Base,
    Pointer,
    Struct,
    Union,
    Class,
    Enum,
    Array,
    Bitfield,
    Function,
}

/// An enumeration.
#[derive(Deserialize)]
pub(super) struct Enum {
    pub(super) base: String,
    pub(super) constants: BTreeMap<String, i64>,
}

/// A symbol; `address` is relative to the image base.
#[derive(Deserialize)]
pub(super) struct Symbol {
    pub(super) address: u64,
}
