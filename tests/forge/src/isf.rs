//! Reading of Volatility 3 ISF tables (the part of the format that kernel tables use).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use lzma_rust2::XzReader;
use serde::Deserialize;

/// A symbol table: structures and symbols of one kernel.
#[derive(Debug, Deserialize)]
pub struct Isf {
    /// Scalar types by name.
    pub base_types: HashMap<String, BaseType>,
    /// Structures and unions by name.
    pub user_types: HashMap<String, UserType>,
    /// Enumerations by name.
    pub enums: HashMap<String, Enum>,
    /// Symbols by name.
    pub symbols: HashMap<String, Symbol>,
}

/// A scalar type.
#[derive(Debug, Deserialize)]
pub struct BaseType {
    /// Size in bytes.
    pub size: u64,
}

/// A structure or union.
#[derive(Debug, Deserialize)]
pub struct UserType {
    /// Size in bytes.
    pub size: u64,
    /// Members by name.
    pub fields: HashMap<String, Field>,
}

/// A member of a structure.
#[derive(Debug, Deserialize)]
pub struct Field {
    /// Offset in bytes from the start of the structure.
    pub offset: u64,
    /// Type of the member.
    #[serde(rename = "type")]
    pub kind: Type,
}

/// The type of a member.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Type {
    /// A scalar, by name.
    Base {
        /// Name of the scalar type.
        name: String,
    },
    /// A pointer, whatever it points to.
    Pointer {},
    /// A structure by value.
    Struct {
        /// Name of the structure.
        name: String,
    },
    /// A union by value.
    Union {
        /// Name of the union.
        name: String,
    },
    /// An enumeration.
    Enum {
        /// Name of the enumeration.
        name: String,
    },
    /// An array.
    Array {
        /// Number of elements.
        count: u64,
        /// Type of an element.
        subtype: Box<Type>,
    },
    /// Some bits of a scalar.
    Bitfield {
        /// The lowest bit.
        bit_position: u32,
        /// The number of bits.
        bit_length: u32,
        /// The scalar that holds the bits.
        #[serde(rename = "type")]
        storage: Box<Type>,
    },
    /// Code.
    Function {},
}

/// An enumeration.
#[derive(Debug, Deserialize)]
pub struct Enum {
    /// Size in bytes.
    pub size: u64,
    /// Constants by name.
    pub constants: HashMap<String, i64>,
}

/// A symbol.
#[derive(Debug, Deserialize)]
pub struct Symbol {
    /// Address relative to the image base.
    pub address: u64,
}

impl Isf {
    /// Reads a table from a `.json.xz` file.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut text = Vec::new();
        XzReader::new(BufReader::new(File::open(path)?), false).read_to_end(&mut text)?;
        serde_json::from_slice(&text).map_err(io::Error::from)
    }

    /// Size of a type in bytes.
    ///
    /// # Panics
    /// When the table does not have a type that it refers to.
    pub fn size_of(&self, kind: &Type) -> u64 {
        match kind {
            Type::Base { name } => self.base_types[name].size,
            Type::Pointer {} | Type::Function {} => 8,
            Type::Struct { name } | Type::Union { name } => self.user_types[name].size,
            Type::Enum { name } => self.enums[name].size,
            Type::Array { count, subtype } => count * self.size_of(subtype),
            Type::Bitfield { storage, .. } => self.size_of(storage),
        }
    }
}
