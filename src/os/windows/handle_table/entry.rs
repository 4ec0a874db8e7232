//! `_HANDLE_TABLE_ENTRY`, in its two forms.

use bitflags::bitflags;
use isr::macros::{Bitfield, Field};

use super::TableKind;
use crate::{
    core::Va,
    error::{Error, Result},
    symbols::extract,
};

/// Larger than the entry of any known Windows, in bytes.
pub(super) const MAX_SIZE: usize = 32;

/// Bits of an access mask that are rights; Windows keeps flags above them.
const ACCESS_BITS: u64 = 0x01ff_ffff;

/// Windows 7 keeps protect-from-close in the access mask.
const OLD_PROTECT_FROM_CLOSE: u64 = 1 << 25;

bitflags! {
    /// Attributes of a handle, with the numbers of `OBJ_*`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct HandleAttributes: u32 {
        /// Closing the handle fails.
        const PROTECT_FROM_CLOSE = 1;
        /// New processes inherit the handle.
        const INHERIT = 2;
        /// Closing the handle is audited.
        const AUDIT_ON_CLOSE = 4;
    }
}

/// An open handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleEntry {
    /// Handle value, a multiple of 4.
    pub handle: u32,
    /// Address of the object's body.
    pub object: Va,
    /// Attributes.
    pub attributes: HandleAttributes,
    /// Access rights that the handle was opened with (25 bits).
    pub granted_access: u32,
}

mod pointer_form {
    use super::Field;

    isr::macros::offsets! {
        /// Windows 7: a pointer with flags in its low bits.
        pub struct Form {
            struct _HANDLE_TABLE_ENTRY {
                Object: Field,
                ObAttributes: Field,
                GrantedAccess: Field,
            }
        }
    }
}

mod bit_form {
    use super::Bitfield;

    isr::macros::offsets! {
        /// Windows 8.1 and later: bits of two words.
        pub struct Form {
            struct _HANDLE_TABLE_ENTRY {
                ObjectPointerBits: Bitfield,
                Attributes: Bitfield,
                GrantedAccessBits: Bitfield,
            }
        }
    }
}

/// Where an entry keeps what it says.
enum Form {
    Pointer(pointer_form::Form),
    Bits(bit_form::Form),
}

/// How to read an entry, chosen by the members that the type has.
pub(in crate::os::windows) struct EntryLayout {
    form: Form,
    /// Bytes of one entry, 1 to [`MAX_SIZE`].
    pub(super) size: usize,
}

impl EntryLayout {
    /// Chooses the form that the symbols describe.
    pub(in crate::os::windows) fn new(profile: &isr::Profile<'_>) -> Result<Self> {
        let form = match bit_form::Form::new(profile) {
            Ok(form) => Form::Bits(form),
            Err(_) => Form::Pointer(
                pointer_form::Form::new(profile)
                    .map_err(|error| Error::layout(error.to_string()))?,
            ),
        };
        let size = match &form {
            Form::Pointer(form) => form._HANDLE_TABLE_ENTRY.len(),
            Form::Bits(form) => form._HANDLE_TABLE_ENTRY.len(),
        };
        match size {
            1..=MAX_SIZE => Ok(Self { form, size }),
            _ => Err(Error::layout("_HANDLE_TABLE_ENTRY of a sensible size")),
        }
    }

    /// The entry in `bytes`, `None` when it is free.
    pub(super) fn decode(
        &self,
        bytes: &[u8],
        handle: u32,
        kind: TableKind,
        body_offset: u64,
    ) -> Option<HandleEntry> {
        let entry = match &self.form {
            Form::Pointer(form) => decode_pointer(form, bytes, handle),
            Form::Bits(form) => decode_bits(form, bytes, handle),
        }?;
        Some(match kind {
            TableKind::Objects => HandleEntry {
                object: entry.object.wrapping_add(body_offset),
                ..entry
            },
            TableKind::ClientIds => entry,
        })
    }
}

fn decode_pointer(form: &pointer_form::Form, bytes: &[u8], handle: u32) -> Option<HandleEntry> {
    let fields = &form._HANDLE_TABLE_ENTRY;
    let object = word(bytes, fields.Object)? & !7;
    if object == 0 {
        return None;
    }
    let access = word(bytes, fields.GrantedAccess)?;
    // Bit 0 is the entry's lock, not an attribute.
    let kept = HandleAttributes::INHERIT | HandleAttributes::AUDIT_ON_CLOSE;
    let mut attributes =
        HandleAttributes::from_bits_truncate(word(bytes, fields.ObAttributes)? as u32) & kept;
    attributes.set(
        HandleAttributes::PROTECT_FROM_CLOSE,
        access & OLD_PROTECT_FROM_CLOSE != 0,
    );
    Some(HandleEntry {
        handle,
        object: Va(object),
        attributes,
        granted_access: (access & ACCESS_BITS) as u32,
    })
}

fn decode_bits(form: &bit_form::Form, bytes: &[u8], handle: u32) -> Option<HandleEntry> {
    let fields = &form._HANDLE_TABLE_ENTRY;
    let pointer = bits(bytes, fields.ObjectPointerBits)?;
    if pointer == 0 {
        return None;
    }
    Some(HandleEntry {
        handle,
        // 44 bits of a 16-byte aligned kernel address.
        object: Va(0xffff_0000_0000_0000 | pointer << 4),
        attributes: HandleAttributes::from_bits_truncate(bits(bytes, fields.Attributes)? as u32),
        granted_access: bits(bytes, fields.GrantedAccessBits)? as u32,
    })
}

fn word(bytes: &[u8], field: Field) -> Option<u64> {
    let start = usize::try_from(field.offset()).ok()?;
    let size = usize::try_from(field.size()).ok()?;
    let source = bytes.get(start..start.checked_add(size)?)?;
    // The sizes that fields have cost no call of a copying function.
    if let Ok(word) = source.try_into() {
        return Some(u64::from_le_bytes(word));
    }
    if let Ok(half) = source.try_into() {
        return Some(u32::from_le_bytes(half).into());
    }
    let mut value = [0; 8];
    value.get_mut(..size)?.copy_from_slice(source);
    Some(u64::from_le_bytes(value))
}

fn bits(bytes: &[u8], field: Bitfield) -> Option<u64> {
    let value = word(bytes, Field::new(field.offset(), field.size()))?;
    Some(extract(&field, value))
}
