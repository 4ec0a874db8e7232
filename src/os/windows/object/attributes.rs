//! `_OBJECT_ATTRIBUTES`: which object a system call means.

use isr::macros::Field;

use super::path;
use crate::{
    core::{Space, Va},
    error::{Error, Result},
    os::windows::{Process, Record, Thread, Windows},
};

isr::macros::offsets! {
    /// Where the fields of object attributes are.
    pub struct Layout {
        struct _OBJECT_ATTRIBUTES {
            RootDirectory: Field,
            ObjectName: Field,
            Attributes: Field,
        }
    }
}

/// A 64-bit `_UNICODE_STRING` behind a pointer.
const UNICODE_STRING: Field = Field::new(0, 16);

/// What a caller passed to name an object, usually in user memory.
#[derive(Clone, Copy)]
pub struct ObjectAttributes<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> ObjectAttributes<'a> {
    /// The 64-bit `_OBJECT_ATTRIBUTES` at `address` of `space`.
    pub fn new(windows: &'a Windows, space: Space, address: Va) -> Self {
        Self {
            windows,
            record: Record::new(windows.memory(), space, address),
        }
    }

    fn layout(&self) -> &'a _OBJECT_ATTRIBUTES {
        &self.windows.layouts.object.attributes._OBJECT_ATTRIBUTES
    }

    /// Handle of the object that the name is relative to, 0 for none.
    /// Corresponds to `_OBJECT_ATTRIBUTES.RootDirectory`.
    pub fn root_directory(&self) -> Result<u64> {
        self.record.uint(self.layout().RootDirectory)
    }

    /// UTF-16 units of the name, `None` where no name was passed.
    /// Corresponds to `_OBJECT_ATTRIBUTES.ObjectName`.
    pub fn object_name_utf16(&self) -> Result<Option<Vec<u16>>> {
        match self.record.pointer_or_none(self.layout().ObjectName)? {
            Some(name) => self
                .record
                .at(name)
                .unicode_string(UNICODE_STRING)
                .map(Some),
            None => Ok(None),
        }
    }

    /// The name; unpaired surrogates become U+FFFD.
    pub fn object_name(&self) -> Result<Option<String>> {
        self.object_name_utf16().map(super::name::text)
    }

    /// Attributes (`OBJ_*`). Corresponds to `_OBJECT_ATTRIBUTES.Attributes`.
    pub fn attributes(&self) -> Result<u32> {
        self.record.uint32(self.layout().Attributes)
    }

    /// The whole path: that of the root directory, whose handle `process` and
    /// `thread` give a meaning, and the name. `None` where nothing is named.
    pub fn path(&self, process: Process<'a>, thread: Option<Thread<'a>>) -> Result<Option<String>> {
        self.path_utf16(process, thread).map(super::name::text)
    }

    /// UTF-16 units of [`ObjectAttributes::path`].
    ///
    /// # Errors
    /// [`Error::NotFound`] when the root directory's handle is not open, or its
    /// object has no path.
    pub fn path_utf16(
        &self,
        process: Process<'a>,
        thread: Option<Thread<'a>>,
    ) -> Result<Option<Vec<u16>>> {
        let name = self.object_name_utf16()?;
        let handle = self.root_directory()?;
        if handle == 0 {
            return Ok(name);
        }
        let missing = || Error::not_found(format!("a path for the root directory {handle:#x}"));
        let root = process.lookup_object(handle, thread)?.ok_or_else(missing)?;
        let base = root.path_utf16()?.ok_or_else(missing)?;
        let name = name.unwrap_or_default();
        path::join(base, &name, "_OBJECT_ATTRIBUTES", self.record.base()).map(Some)
    }
}
