//! ISF to ISR: the two formats describe the same things one to one.

use isr::schema::{
    Architecture, Array, Base, Bitfield, Enum, EnumRef, Field, Pointer, Profile, Struct,
    StructKind, StructRef, Type, Variant,
};

use super::{
    FORMAT,
    model::{self, BaseKind, BaseType, Isf, Kind, UserKind},
};
use crate::error::{Error, Result};

/// Converts a whole table.
///
/// Members are put in order of their offsets: ISF keeps none, and look-ups by
/// name in nested structures take the first hit.
///
/// # Errors
/// [`Error::Format`] when a type lacks what its kind needs.
pub(super) fn schema(isf: &Isf) -> Result<Profile> {
    let converter = Converter::new(isf);
    let enums = isf.enums.iter();
    let structs = isf.user_types.iter();
    Ok(Profile {
        architecture: architecture(isf),
        enums: enums
            .map(|(name, source)| Ok((name.clone(), converter.enumeration(source)?)))
            .collect::<Result<_>>()?,
        structs: structs
            .map(|(name, source)| Ok((name.clone(), converter.structure(source)?)))
            .collect::<Result<_>>()?,
        symbols: isf
            .symbols
            .iter()
            .map(|(name, symbol)| (name.clone(), symbol.address))
            .collect(),
    })
}

/// The architecture of the PDB's `IMAGE_FILE_MACHINE_*` value.
fn architecture(isf: &Isf) -> Architecture {
    match isf.machine_type() {
        Some(0x014c) => Architecture::X86,
        Some(0x8664) => Architecture::Amd64,
        Some(0x01c0 | 0x01c2 | 0x01c4) => Architecture::Arm32,
        Some(0xaa64) => Architecture::Arm64,
        _ => Architecture::Unknown,
    }
}

struct Converter<'a> {
    isf: &'a Isf,
    pointer_size: u64,
}

impl<'a> Converter<'a> {
    fn new(isf: &'a Isf) -> Self {
        let pointer = isf.base_types.get("pointer");
        Self {
            isf,
            pointer_size: pointer.map_or(8, |base| base.size),
        }
    }

    fn enumeration(&self, source: &model::Enum) -> Result<Enum> {
        let base = self.base(&source.base)?;
        let constants = source.constants.iter();
        Ok(Enum {
            subtype: Type::Base(base),
            fields: constants
                .map(|(name, &value)| (name.clone(), variant(value)))
                .collect(),
        })
    }

    fn structure(&self, source: &model::UserType) -> Result<Struct> {
        let mut fields: Vec<_> = source.fields.iter().collect();
        fields.sort_by_key(|(_, field)| field.offset);
        Ok(Struct {
            kind: match source.kind {
                UserKind::Struct => StructKind::Struct,
                UserKind::Union => StructKind::Union,
                UserKind::Class => StructKind::Class,
            },
            size: source.size,
            fields: fields
                .into_iter()
                .map(|(name, field)| Ok((name.clone(), self.field(field)?)))
                .collect::<Result<_>>()?,
        })
    }

    fn field(&self, source: &model::Field) -> Result<Field> {
        Ok(Field {
            offset: source.offset,
            ty: self.ty(&source.ty)?,
        })
    }

    /// The JSON reader bounds how deep types nest.
    fn ty(&self, source: &model::Type) -> Result<Type> {
        Ok(match source.kind {
            Kind::Base => Type::Base(self.base(name(source)?)?),
            Kind::Enum => Type::Enum(EnumRef {
                name: name(source)?.to_owned(),
            }),
            Kind::Struct | Kind::Union | Kind::Class => Type::Struct(StructRef {
                name: name(source)?.to_owned(),
            }),
            Kind::Pointer => Type::Pointer(Pointer {
                subtype: Box::new(self.ty(required(source.subtype.as_deref(), "subtype")?)?),
                size: self.pointer_size,
            }),
            Kind::Array => self.array(source)?,
            Kind::Bitfield => self.bitfield(source)?,
            Kind::Function => Type::Function,
        })
    }

    /// Arrays of arrays become one array of several dimensions.
    fn array(&self, source: &model::Type) -> Result<Type> {
        let mut dims = vec![required(source.count, "count")?];
        let mut element = required(source.subtype.as_deref(), "subtype")?;
        while let Kind::Array = element.kind {
            dims.push(required(element.count, "count")?);
            element = required(element.subtype.as_deref(), "subtype")?;
        }
        Ok(Type::Array(Array {
            subtype: Box::new(self.ty(element)?),
            dims,
        }))
    }

    fn bitfield(&self, source: &model::Type) -> Result<Type> {
        Ok(Type::Bitfield(Bitfield {
            subtype: Box::new(self.ty(required(source.storage.as_deref(), "type")?)?),
            bit_length: required(source.bit_length, "bit_length")?,
            bit_position: required(source.bit_position, "bit_position")?,
        }))
    }

    fn base(&self, name: &str) -> Result<Base> {
        let source = self.isf.base_types.get(name);
        source
            .and_then(|source| base(name, source))
            .ok_or_else(|| Error::format(FORMAT, format!("no usable base type is called {name:?}")))
    }
}

fn name(source: &model::Type) -> Result<&str> {
    required(source.name.as_deref(), "name")
}

fn required<T>(value: Option<T>, member: &str) -> Result<T> {
    value.ok_or_else(|| Error::format(FORMAT, format!("a type lacks its `{member}`")))
}

fn variant(value: i64) -> Variant {
    i32::try_from(value).map_or(Variant::I64(value), Variant::I32)
}

/// The scalar of the same nature and size; `wchar` is a character although ISF
/// calls it an integer.
fn base(name: &str, source: &BaseType) -> Option<Base> {
    Some(match (source.kind, source.size, source.signed) {
        (BaseKind::Void, ..) => Base::Void,
        (BaseKind::Bool, ..) => Base::Bool,
        (BaseKind::Int, 2, _) if name == "wchar" => Base::Char16,
        (BaseKind::Char, 1, _) => Base::Char8,
        (BaseKind::Char, 2, _) => Base::Char16,
        (BaseKind::Char, 4, _) => Base::Char32,
        (BaseKind::Int, 1, true) => Base::I8,
        (BaseKind::Int, 1, false) => Base::U8,
        (BaseKind::Int, 2, true) => Base::I16,
        (BaseKind::Int, 2, false) => Base::U16,
        (BaseKind::Int, 4, true) => Base::I32,
        (BaseKind::Int, 4, false) => Base::U32,
        (BaseKind::Int, 8, true) => Base::I64,
        (BaseKind::Int, 8, false) => Base::U64,
        (BaseKind::Int, 16, true) => Base::I128,
        (BaseKind::Int, 16, false) => Base::U128,
        (BaseKind::Float, 2, _) => Base::F16,
        (BaseKind::Float, 4, _) => Base::F32,
        (BaseKind::Float, 8, _) => Base::F64,
        (BaseKind::Float, 10 | 16, _) => Base::F128,
        _ => return None,
    })
}
