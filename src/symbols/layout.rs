//! Members of structures: where they are and what they hold.

use isr::{Base, Enum, Field, Profile, Struct, Type, Variant, macros::Bitfield};

/// Bits of an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// The lowest bit.
    pub position: u64,
    /// The number of bits.
    pub length: u64,
}

impl Bits {
    /// The bits' value in the integer `value` that holds them; bits beyond the
    /// 64th read as zero.
    pub fn extract(self, value: u64) -> u64 {
        let shift = |bits: u64| u32::try_from(bits).unwrap_or(u32::MAX);
        let above = value.checked_shr(shift(self.position)).unwrap_or(0);
        match 1u64.checked_shl(shift(self.length)) {
            Some(end) => above & end.wrapping_sub(1),
            None => above,
        }
    }
}

impl From<&Bitfield> for Bits {
    fn from(field: &Bitfield) -> Self {
        Self {
            position: field.bit_position(),
            length: field.bit_length(),
        }
    }
}

/// The value of a bit-field in the integer `value` that holds it.
///
/// Total, unlike `isr`'s own `extract`: 64-bit fields work, nothing asserts.
pub fn extract(field: &Bitfield, value: u64) -> u64 {
    Bits::from(field).extract(value)
}

/// Place of a member in a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldInfo {
    /// Offset from the start of the outermost structure, in bytes.
    pub offset: u64,
    /// Size in bytes; of a bit-field, that of the integer that holds it; 0
    /// where the symbols do not tell.
    pub size: u64,
    /// The bits that a bit-field takes.
    pub bits: Option<Bits>,
}

/// A member found by name, relative to the structure it was asked for.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    offset: u64,
    ty: Type<'a>,
}

impl<'a> Member<'a> {
    /// Finds the member that a dotted path names (`Pcb.DirectoryTableBase`).
    ///
    /// Each part is looked for among the structure's own members first, then in
    /// the structures nested in it, in order of declaration.
    pub(super) fn find(profile: &Profile<'a>, structure: &str, path: &str) -> Option<Self> {
        let mut parts = path.split('.');
        let mut found = Self::search(profile, profile.find_struct(structure)?, parts.next()?)?;
        for part in parts {
            let Type::Struct(inner) = found.ty else {
                return None;
            };
            let member = Self::search(profile, profile.find_struct(inner.name())?, part)?;
            found = member.shifted(found.offset)?;
        }
        Some(found)
    }

    /// Recurses as deep as structures nest, which is bounded for each profile.
    fn search(profile: &Profile<'a>, structure: Struct<'a>, name: &str) -> Option<Self> {
        if let Some(field) = structure.field(name) {
            return Some(Self::of(field));
        }
        structure.fields().find_map(|field| {
            let Type::Struct(inner) = field.ty() else {
                return None;
            };
            Self::search(profile, profile.find_struct(inner.name())?, name)?.shifted(field.offset())
        })
    }

    fn of(field: Field<'a>) -> Self {
        Self {
            offset: field.offset(),
            ty: field.ty(),
        }
    }

    fn shifted(self, by: u64) -> Option<Self> {
        let offset = self.offset.checked_add(by)?;
        Some(Self { offset, ..self })
    }

    /// Where the member is.
    pub(super) fn info(self, profile: &Profile<'a>) -> FieldInfo {
        let bits = match self.ty {
            Type::Bitfield(bitfield) => Some(Bits {
                position: bitfield.bit_position(),
                length: bitfield.bit_length(),
            }),
            _ => None,
        };
        FieldInfo {
            offset: self.offset,
            size: profile.type_size(self.ty).unwrap_or(0),
            bits,
        }
    }

    /// Name of the structure, union or enumeration that the member is.
    pub(super) fn type_name(self) -> Option<&'a str> {
        match self.ty {
            Type::Struct(target) => Some(target.name()),
            Type::Enum(target) => Some(target.name()),
            _ => None,
        }
    }
}

/// Value of an enumeration's constant: in the sign of the enumeration's type,
/// which compilers do not always give to each constant.
pub(super) fn constant(enumeration: Enum, name: &str) -> Option<i64> {
    let (_, variant) = enumeration.fields().find(|(found, _)| *found == name)?;
    let value = variant_value(variant)?;
    let unused_bits = match enumeration.subtype() {
        Type::Base(Base::I8) => 56,
        Type::Base(Base::I16) => 48,
        Type::Base(Base::I32) => 32,
        _ => 0,
    };
    Some(value.wrapping_shl(unused_bits).wrapping_shr(unused_bits))
}

/// The number as it is stored; unsigned 64-bit numbers keep their bits.
fn variant_value(variant: Variant) -> Option<i64> {
    Some(match variant {
        Variant::U8(value) => value.into(),
        Variant::U16(value) => value.into(),
        Variant::U32(value) => value.into(),
        Variant::U64(value) => value.cast_signed(),
        Variant::I8(value) => value.into(),
        Variant::I16(value) => value.into(),
        Variant::I32(value) => value.into(),
        Variant::I64(value) => value,
        Variant::U128(value) => value.try_into().ok()?,
        Variant::I128(value) => value.try_into().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_extracted_at_every_width() {
        let bits = |position, length| Bits { position, length };
        assert_eq!(bits(4, 8).extract(0x1234), 0x23);
        assert_eq!(bits(0, 64).extract(u64::MAX), u64::MAX);
        assert_eq!(bits(63, 1).extract(1 << 63), 1);
        assert_eq!(bits(60, 64).extract(u64::MAX), 0xf);
        assert_eq!(bits(0, 0).extract(u64::MAX), 0);
        assert_eq!(bits(64, 1).extract(u64::MAX), 0);
        assert_eq!(bits(u64::MAX, u64::MAX).extract(u64::MAX), 0);
    }

    #[test]
    fn the_macro_bitfield_of_64_bits_does_not_overflow() {
        assert_eq!(extract(&Bitfield::new(0, 8, 0, 64), 7), 7);
        assert_eq!(extract(&Bitfield::new(0, 1, 7, 9), 0xff80), 0x1ff);
    }
}
