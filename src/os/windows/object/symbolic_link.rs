//! `_OBJECT_SYMBOLIC_LINK`.

use isr::macros::Field;

use super::{Object, name};
use crate::{
    core::Va,
    error::Result,
    os::windows::{FileTime, Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a symbolic link are.
    pub struct Layout {
        struct _OBJECT_SYMBOLIC_LINK {
            CreationTime: Field,
            LinkTarget: Field,
            Callback: Option<Field>,
            DosDeviceDriveIndex: Field,
            Flags: Field,
        }
    }
}

/// A driver's function gives the target.
const CALLBACK_FLAG: u32 = 0x10;

/// A symbolic link.
#[derive(Clone, Copy)]
pub struct SymbolicLink<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> SymbolicLink<'a> {
    /// The link whose `_OBJECT_SYMBOLIC_LINK` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a _OBJECT_SYMBOLIC_LINK {
        &self
            .windows
            .layouts
            .object
            .symbolic_link
            ._OBJECT_SYMBOLIC_LINK
    }

    /// The link as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// Time of creation. Corresponds to `_OBJECT_SYMBOLIC_LINK.CreationTime`.
    pub fn creation_time(&self) -> Result<FileTime> {
        self.record.uint(self.layout().CreationTime).map(FileTime)
    }

    /// Flags. Corresponds to `_OBJECT_SYMBOLIC_LINK.Flags`.
    pub fn flags(&self) -> Result<u32> {
        self.record.uint32(self.layout().Flags)
    }

    /// Is the target computed by a driver's function each time?
    pub fn is_callback(&self) -> Result<bool> {
        Ok(self.layout().Callback.is_some() && self.flags()? & CALLBACK_FLAG != 0)
    }

    /// Path that the link stands for, `None` where a driver's function gives
    /// it; unpaired surrogates become U+FFFD.
    /// Corresponds to `_OBJECT_SYMBOLIC_LINK.LinkTarget`.
    pub fn target(&self) -> Result<Option<String>> {
        self.target_utf16().map(name::text)
    }

    /// UTF-16 units of [`SymbolicLink::target`].
    pub fn target_utf16(&self) -> Result<Option<Vec<u16>>> {
        if self.is_callback()? {
            return Ok(None);
        }
        self.record
            .unicode_string(self.layout().LinkTarget)
            .map(Some)
    }

    /// Drive letter (`'C'`), `None` for links that are no drive.
    /// Corresponds to `_OBJECT_SYMBOLIC_LINK.DosDeviceDriveIndex`.
    pub fn drive_letter(&self) -> Result<Option<char>> {
        let index = self.record.uint32(self.layout().DosDeviceDriveIndex)?;
        let letters = 'A'..='Z';
        Ok(match index.checked_sub(1) {
            Some(index) => letters.into_iter().nth(index as usize),
            None => None,
        })
    }
}
