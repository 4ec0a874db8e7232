//! `_OBJECT_TYPE`: what all objects of a kind have in common.

use std::borrow::Cow;

use isr::macros::Field;

use super::{Object, ObjectKind};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of an object type are.
    pub struct Layout {
        struct _OBJECT_TYPE {
            Name: Field,
            Index: Field,
            TotalNumberOfObjects: Field,
            TotalNumberOfHandles: Field,
            HighWaterNumberOfObjects: Field,
            HighWaterNumberOfHandles: Field,
        }
    }
}

/// A type of objects, itself an object.
#[derive(Clone, Copy)]
pub struct ObjectType<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> ObjectType<'a> {
    /// The type whose `_OBJECT_TYPE` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a _OBJECT_TYPE {
        &self.windows.layouts.object.object_type._OBJECT_TYPE
    }

    /// The type as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// Name of the type. Corresponds to `_OBJECT_TYPE.Name`.
    pub fn name(&self) -> Result<Cow<'static, str>> {
        let name = self.record.text(self.layout().Name)?;
        Ok(match ObjectKind::from_name(&name).name() {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(name),
        })
    }

    /// UTF-16 units of [`ObjectType::name`].
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        self.record.unicode_string(self.layout().Name)
    }

    /// What objects of this type are.
    pub fn instance_kind(&self) -> Result<ObjectKind> {
        self.name().map(|name| ObjectKind::from_name(&name))
    }

    /// Index in `ObTypeIndexTable`. Corresponds to `_OBJECT_TYPE.Index`.
    pub fn index(&self) -> Result<u8> {
        self.record.bytes::<1>(self.layout().Index).map(|[it]| it)
    }

    /// Number of objects. Corresponds to `_OBJECT_TYPE.TotalNumberOfObjects`.
    pub fn object_count(&self) -> Result<u32> {
        self.record.uint32(self.layout().TotalNumberOfObjects)
    }

    /// Number of handles. Corresponds to `_OBJECT_TYPE.TotalNumberOfHandles`.
    pub fn handle_count(&self) -> Result<u32> {
        self.record.uint32(self.layout().TotalNumberOfHandles)
    }

    /// Most objects at one time. Corresponds to `_OBJECT_TYPE.HighWaterNumberOfObjects`.
    pub fn peak_object_count(&self) -> Result<u32> {
        self.record.uint32(self.layout().HighWaterNumberOfObjects)
    }

    /// Most handles at one time. Corresponds to `_OBJECT_TYPE.HighWaterNumberOfHandles`.
    pub fn peak_handle_count(&self) -> Result<u32> {
        self.record.uint32(self.layout().HighWaterNumberOfHandles)
    }
}
