//! `_OBJECT_HEADER_NAME_INFO`: names of objects and their place in the namespace.

use isr::macros::Field;

use super::{FileObject, KeyObject, Object, ObjectKind, path, trail::Trail};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a name are.
    pub struct Layout {
        struct _OBJECT_HEADER_NAME_INFO {
            Directory: Field,
            Name: Field,
        }
    }
}

/// The bit of `_OBJECT_HEADER.InfoMask` that tells of a name.
const NAME_BIT: u8 = 1 << 1;

/// Bits of the optional headers up to the name.
const UP_TO_NAME: u8 = NAME_BIT | 1;

/// Deeper than any real directory lies.
const DEPTH_MAX: usize = 256;

const STRUCTURE: &str = "_OBJECT_HEADER_NAME_INFO.Directory";

/// Name of an object.
#[derive(Clone, Copy)]
pub struct NameInfo<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> NameInfo<'a> {
    fn layout(&self) -> &'a _OBJECT_HEADER_NAME_INFO {
        &self.windows.layouts.object.name._OBJECT_HEADER_NAME_INFO
    }

    /// UTF-16 units of the name. Corresponds to `_OBJECT_HEADER_NAME_INFO.Name`.
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        self.record.unicode_string(self.layout().Name)
    }

    /// Address of the directory that the name is in, `None` for a name outside
    /// the namespace. Corresponds to `_OBJECT_HEADER_NAME_INFO.Directory`.
    pub fn directory(&self) -> Result<Option<Va>> {
        self.record.pointer_or_none(self.layout().Directory)
    }
}

impl<'a> Object<'a> {
    /// The header of the object's name, `None` when it has none.
    ///
    /// Its distance to the object header is found in `ObpInfoMaskToOffset`.
    pub fn name_info(&self) -> Result<Option<NameInfo<'a>>> {
        let mask = self.info_mask()?;
        if mask & NAME_BIT == 0 {
            return Ok(None);
        }
        let rva = self.windows.variables.ObpInfoMaskToOffset;
        let table = self.windows.optional_variable(rva, "ObpInfoMaskToOffset")?;
        let entry = self.header.at(table);
        let [distance] = entry.bytes(Field::new(u64::from(mask & UP_TO_NAME), 1))?;
        let address = self.header_address().wrapping_sub(distance.into());
        Ok(Some(NameInfo {
            windows: self.windows,
            record: self.header.at(address),
        }))
    }

    /// UTF-16 units of the object's own name, `None` when it has none.
    pub fn name_utf16(&self) -> Result<Option<Vec<u16>>> {
        let Some(info) = self.name_info()? else {
            return Ok(None);
        };
        let name = info.name_utf16()?;
        Ok((!name.is_empty()).then_some(name))
    }

    /// The object's own name, `None` when it has none; unpaired surrogates
    /// become U+FFFD. Corresponds to `_OBJECT_HEADER_NAME_INFO.Name`.
    pub fn name(&self) -> Result<Option<String>> {
        self.name_utf16().map(text)
    }

    /// UTF-16 units of [`Object::path`].
    pub fn path_utf16(&self) -> Result<Option<Vec<u16>>> {
        let path = match self.kind()? {
            ObjectKind::File => FileObject::new(self.windows, self.address()).path_utf16()?,
            ObjectKind::Key => KeyObject::new(self.windows, self.address()).path_utf16()?,
            _ => return self.namespace_path_utf16(),
        };
        Ok((!path.is_empty()).then_some(path))
    }

    /// Full path of the object, as the kernel's own query gives it: of a file,
    /// its device's path and its own; of a registry key, its path in the
    /// registry; of other objects, their place in the namespace. `None` when
    /// the object has none.
    pub fn path(&self) -> Result<Option<String>> {
        self.path_utf16().map(text)
    }

    /// UTF-16 units of the path in the namespace, `None` for objects without a
    /// name and for names outside the namespace.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) when the directories form a circle.
    pub fn namespace_path_utf16(&self) -> Result<Option<Vec<u16>>> {
        let root = self.windows.root_directory()?.address();
        if self.address() == root {
            return Ok(Some(vec![path::BACKSLASH]));
        }
        let mut trail = Trail::new(STRUCTURE, DEPTH_MAX);
        let mut names = Vec::new();
        let mut object = *self;
        while object.address() != root {
            trail.visit(object.address())?;
            let Some(info) = object.name_info()? else {
                return Ok(None);
            };
            let Some(directory) = info.directory()? else {
                return Ok(None);
            };
            names.push(info.name_utf16()?);
            object = self.windows.object(directory);
        }
        path::from_leaf_up(&names, STRUCTURE, self.address()).map(Some)
    }
}

/// UTF-16 units as text; unpaired surrogates become U+FFFD.
pub(super) fn text(units: Option<Vec<u16>>) -> Option<String> {
    units.map(|units| String::from_utf16_lossy(&units))
}
