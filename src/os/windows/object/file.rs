//! `_FILE_OBJECT`: open files.

use bitflags::bitflags;
use isr::macros::Field;

use super::{Object, path, trail::Trail};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Record, Windows, region::ControlArea},
};

isr::macros::offsets! {
    /// Where the fields of a file are.
    pub struct Layout {
        struct _FILE_OBJECT {
            Type: Field,
            DeviceObject: Field,
            RelatedFileObject: Field,
            DeletePending: Field,
            ReadAccess: Field,
            WriteAccess: Field,
            DeleteAccess: Field,
            SharedRead: Field,
            SharedWrite: Field,
            SharedDelete: Field,
            Flags: Field,
            FileName: Field,
            CurrentByteOffset: Field,
            SectionObjectPointer: Field,
        }

        struct _SECTION_OBJECT_POINTERS {
            DataSectionObject: Field,
            ImageSectionObject: Field,
        }
    }
}

/// `IO_TYPE_FILE`, which each `_FILE_OBJECT` begins with.
const IO_TYPE_FILE: u64 = 5;

/// More files than are ever opened relative to each other.
const RELATED_MAX: usize = 64;

const RELATED: &str = "_FILE_OBJECT.RelatedFileObject";

bitflags! {
    /// What a file was opened for, and what others may open it for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct FileAccess: u8 {
        /// Opened for reading. Corresponds to `_FILE_OBJECT.ReadAccess`.
        const READ = 0x01;
        /// Opened for writing. Corresponds to `_FILE_OBJECT.WriteAccess`.
        const WRITE = 0x02;
        /// Opened for deletion. Corresponds to `_FILE_OBJECT.DeleteAccess`.
        const DELETE = 0x04;
        /// Others may read. Corresponds to `_FILE_OBJECT.SharedRead`.
        const SHARED_READ = 0x08;
        /// Others may write. Corresponds to `_FILE_OBJECT.SharedWrite`.
        const SHARED_WRITE = 0x10;
        /// Others may delete. Corresponds to `_FILE_OBJECT.SharedDelete`.
        const SHARED_DELETE = 0x20;
    }
}

/// An open file.
#[derive(Clone, Copy)]
pub struct FileObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> FileObject<'a> {
    /// The file whose `_FILE_OBJECT` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    /// Size of a buffer for [`FileObject::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 256;

    /// The same file with its `_FILE_OBJECT` read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        Self {
            record: self.record.with_copy(buffer),
            ..self
        }
    }

    fn layout(&self) -> &'a _FILE_OBJECT {
        &self.windows.layouts.object.file._FILE_OBJECT
    }

    /// The file as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// The device that the file is on. Corresponds to `_FILE_OBJECT.DeviceObject`.
    pub fn device(&self) -> Result<Option<Object<'a>>> {
        let device = self.record.pointer_or_none(self.layout().DeviceObject)?;
        Ok(device.map(|device| Object::new(self.windows, device)))
    }

    /// The file that this one was opened relative to.
    /// Corresponds to `_FILE_OBJECT.RelatedFileObject`.
    pub fn related_file(&self) -> Result<Option<FileObject<'a>>> {
        let field = self.layout().RelatedFileObject;
        let related = self.record.pointer_or_none(field)?;
        Ok(related.map(|related| FileObject::new(self.windows, related)))
    }

    /// UTF-16 units of [`FileObject::file_name`].
    pub fn file_name_utf16(&self) -> Result<Vec<u16>> {
        self.record.unicode_string(self.layout().FileName)
    }

    /// Path on the device, or relative to [`FileObject::related_file`] when it
    /// does not begin with a backslash. Corresponds to `_FILE_OBJECT.FileName`.
    pub fn file_name(&self) -> Result<String> {
        self.record.text(self.layout().FileName)
    }

    /// Flags (`FO_*`). Corresponds to `_FILE_OBJECT.Flags`.
    pub fn flags(&self) -> Result<u32> {
        self.record.uint32(self.layout().Flags)
    }

    /// What the file was opened for, and what others may open it for.
    pub fn access(&self) -> Result<FileAccess> {
        let layout = self.layout();
        let fields = [
            (layout.ReadAccess, FileAccess::READ),
            (layout.WriteAccess, FileAccess::WRITE),
            (layout.DeleteAccess, FileAccess::DELETE),
            (layout.SharedRead, FileAccess::SHARED_READ),
            (layout.SharedWrite, FileAccess::SHARED_WRITE),
            (layout.SharedDelete, FileAccess::SHARED_DELETE),
        ];
        let mut access = FileAccess::empty();
        for (field, flag) in fields {
            access.set(flag, self.record.uint(field)? != 0);
        }
        Ok(access)
    }

    /// Will the file be deleted when it is closed?
    /// Corresponds to `_FILE_OBJECT.DeletePending`.
    pub fn is_delete_pending(&self) -> Result<bool> {
        let pending = self.record.uint(self.layout().DeletePending)?;
        Ok(pending != 0)
    }

    /// Position of the next read or write of a synchronous file, in bytes.
    /// Corresponds to `_FILE_OBJECT.CurrentByteOffset`.
    pub fn current_byte_offset(&self) -> Result<u64> {
        self.record.uint(self.layout().CurrentByteOffset)
    }

    /// Address of the `_SECTION_OBJECT_POINTERS`, which all file objects of one
    /// file share. Corresponds to `_FILE_OBJECT.SectionObjectPointer`.
    pub fn section_object_pointers(&self) -> Result<Option<Va>> {
        self.record
            .pointer_or_none(self.layout().SectionObjectPointer)
    }

    /// What holds the file's pages as data, `None` while no page of it was
    /// cached or mapped.
    /// Corresponds to `_SECTION_OBJECT_POINTERS.DataSectionObject`.
    pub fn data_section(&self) -> Result<Option<ControlArea<'a>>> {
        self.control_area(|layout| layout.DataSectionObject)
    }

    /// What holds the file's pages as an executable image, `None` while it is
    /// mapped as such nowhere.
    /// Corresponds to `_SECTION_OBJECT_POINTERS.ImageSectionObject`.
    pub fn image_section(&self) -> Result<Option<ControlArea<'a>>> {
        self.control_area(|layout| layout.ImageSectionObject)
    }

    fn control_area(
        &self,
        field: fn(&_SECTION_OBJECT_POINTERS) -> Field,
    ) -> Result<Option<ControlArea<'a>>> {
        let Some(pointers) = self.section_object_pointers()? else {
            return Ok(None);
        };
        let field = field(&self.windows.layouts.object.file._SECTION_OBJECT_POINTERS);
        let control_area = self.record.at(pointers).pointer_or_none(field)?;
        Ok(control_area.map(|address| ControlArea::new(self.windows, address)))
    }

    /// Full path: the namespace path of the device, the path of the related
    /// file where the name is relative, and the file's own name. Where the
    /// device has no name, the path on the device alone.
    pub fn path(&self) -> Result<String> {
        self.path_utf16()
            .map(|units| String::from_utf16_lossy(&units))
    }

    /// UTF-16 units of [`FileObject::path`].
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the related files form a circle or are gone.
    pub fn path_utf16(&self) -> Result<Vec<u16>> {
        let (names, base) = self.relative_names()?;
        let device = match base.device()? {
            Some(device) => device.namespace_path_utf16()?.unwrap_or_default(),
            None => Vec::new(),
        };
        names.iter().rev().try_fold(device, |path, name| {
            path::join(path, name, RELATED, self.record.base())
        })
    }

    /// The file itself, when it still is one: a file that others were opened
    /// relative to may be gone.
    fn checked(self) -> Result<Self> {
        match self.record.uint(self.layout().Type)? {
            IO_TYPE_FILE => Ok(self),
            _ => Err(Error::corrupt(RELATED, self.record.base(), "it is no file")),
        }
    }

    /// The names from this file up to the first that is not relative to
    /// another file, and the file that has that name.
    fn relative_names(&self) -> Result<(Vec<Vec<u16>>, FileObject<'a>)> {
        let mut trail = Trail::new(RELATED, RELATED_MAX);
        let mut names = Vec::new();
        let mut file = *self;
        loop {
            trail.visit(file.record.base())?;
            let name = file.file_name_utf16()?;
            let is_absolute = path::is_absolute(&name);
            names.push(name);
            match file.related_file()? {
                Some(related) if !is_absolute => file = related.checked()?,
                _ => return Ok((names, file)),
            }
        }
    }
}
