//! `_OBJECT_DIRECTORY`: directories of the object namespace.

use isr::macros::Field;

use super::{Object, path, trail::Trail};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a directory and its entries are.
    pub struct Layout {
        struct _OBJECT_DIRECTORY {
            HashBuckets: Field,
        }

        struct _OBJECT_DIRECTORY_ENTRY {
            ChainLink: Field,
            Object: Field,
        }
    }
}

/// Hash buckets of every known Windows.
const BUCKETS: usize = 37;

/// More entries than any real directory has.
const ENTRIES_MAX: usize = 1 << 20;

/// A directory of the object namespace.
#[derive(Clone, Copy)]
pub struct DirectoryObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> DirectoryObject<'a> {
    /// The directory whose `_OBJECT_DIRECTORY` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    /// Address of the `_OBJECT_DIRECTORY`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// The directory as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.address())
    }

    /// The objects in the directory, in the order of its buckets; an `Err` is a gap.
    pub fn entries(&self) -> DirectoryEntries<'a> {
        DirectoryEntries::new(*self)
    }

    /// The object of this name, ASCII case ignored; `None` when there is none.
    ///
    /// # Errors
    /// When an unreadable part of the directory may hide the object.
    pub fn child(&self, name: &str) -> Result<Option<Object<'a>>> {
        let name: Vec<u16> = name.encode_utf16().collect();
        self.child_utf16(&name)
    }

    /// As [`DirectoryObject::child`], for names that UTF-8 cannot carry.
    pub fn child_utf16(&self, name: &[u16]) -> Result<Option<Object<'a>>> {
        let mut gap = None;
        for object in self.entries() {
            match object.and_then(|object| Ok((object, object.name_utf16()?))) {
                Ok((object, Some(found))) if path::eq_ignore_ascii_case(&found, name) => {
                    return Ok(Some(object));
                }
                Ok(_) => {}
                Err(error) => gap = gap.or(Some(error)),
            }
        }
        gap.map_or(Ok(None), Err)
    }
}

/// The objects in a directory; an `Err` is a gap.
pub struct DirectoryEntries<'a> {
    directory: DirectoryObject<'a>,
    /// First entries of the buckets that are still to be walked.
    buckets: std::vec::IntoIter<Va>,
    /// Why the buckets could not be read.
    unreadable: Option<Error>,
    /// Next entry of the current bucket, NULL at its end.
    entry: Va,
    trail: Trail,
}

impl<'a> DirectoryEntries<'a> {
    fn new(directory: DirectoryObject<'a>) -> Self {
        let (buckets, unreadable) = match read_buckets(&directory) {
            Ok(buckets) => (buckets, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Self {
            directory,
            buckets: buckets.into_iter(),
            unreadable,
            entry: Va(0),
            trail: Trail::new("_OBJECT_DIRECTORY_ENTRY.ChainLink", ENTRIES_MAX),
        }
    }

    fn read_entry(&mut self) -> Result<Object<'a>> {
        // A gap ends the bucket: what its chain leads to is unknown.
        let entry = std::mem::take(&mut self.entry);
        self.trail.visit(entry)?;
        let layout = &self
            .directory
            .windows
            .layouts
            .object
            .directory
            ._OBJECT_DIRECTORY_ENTRY;
        let record = self.directory.record.at(entry);
        let object = record.pointer(layout.Object)?;
        self.entry = record.pointer(layout.ChainLink)?;
        Ok(Object::new(self.directory.windows, object))
    }
}

fn read_buckets(directory: &DirectoryObject<'_>) -> Result<Vec<Va>> {
    let field = directory
        .windows
        .layouts
        .object
        .directory
        ._OBJECT_DIRECTORY
        .HashBuckets;
    let bytes: [u8; BUCKETS * 8] = directory.record.bytes(field)?;
    let pointers = bytes.as_chunks::<8>().0.iter();
    Ok(pointers.map(|it| Va(u64::from_le_bytes(*it))).collect())
}

impl<'a> Iterator for DirectoryEntries<'a> {
    type Item = Result<Object<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.unreadable.take() {
            return Some(Err(error));
        }
        while self.entry.is_null() {
            self.entry = self.buckets.next()?;
        }
        Some(self.read_entry())
    }
}

impl Windows {
    /// The root of the object namespace (`\`).
    /// Corresponds to `ObpRootDirectoryObject`.
    pub fn root_directory(&self) -> Result<DirectoryObject<'_>> {
        let rva = self.variables.ObpRootDirectoryObject;
        let variable = self.optional_variable(rva, "ObpRootDirectoryObject")?;
        let root = self.pointer_variable(variable)?;
        if root.is_null() {
            return Err(Error::corrupt(
                "ObpRootDirectoryObject",
                variable,
                "it is NULL",
            ));
        }
        Ok(DirectoryObject::new(self, root))
    }
}
