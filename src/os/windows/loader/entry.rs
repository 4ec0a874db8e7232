//! `_LDR_DATA_TABLE_ENTRY`: one module in the eyes of the loader.

use isr::macros::Field;

use crate::{
    core::Va,
    error::Result,
    os::windows::{
        Architecture, Windows,
        user::{EntryLayout, UserRecord},
    },
};

const STRUCTURE: &str = "_LDR_DATA_TABLE_ENTRY";

/// A module in the eyes of the loader; user mode may have written anything here.
#[derive(Clone, Copy)]
pub struct LoaderEntry<'a> {
    windows: &'a Windows,
    record: UserRecord<'a>,
}

impl<'a> LoaderEntry<'a> {
    pub(in crate::os::windows) const fn new(windows: &'a Windows, record: UserRecord<'a>) -> Self {
        Self { windows, record }
    }

    /// Size of a buffer for [`LoaderEntry::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 0x90;

    /// The same entry, read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        Self {
            record: self.record.with_copy(buffer),
            ..self
        }
    }

    fn layout(&self) -> &'a EntryLayout {
        let entries = &self.windows.layouts.user.entry;
        entries.of(self.architecture())
    }

    /// Address of the entry.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Which loader lists the module: that of 32-bit or of 64-bit code.
    pub const fn architecture(&self) -> Architecture {
        self.record.architecture()
    }

    /// Base of the image. Corresponds to `_LDR_DATA_TABLE_ENTRY.DllBase`.
    pub fn base(&self) -> Result<Va> {
        self.record.pointer(self.layout().base)
    }

    /// Entry point, NULL when there is none.
    /// Corresponds to `_LDR_DATA_TABLE_ENTRY.EntryPoint`.
    pub fn entry_point(&self) -> Result<Va> {
        self.record.pointer(self.layout().entry_point)
    }

    /// Size of the image in bytes. Corresponds to `_LDR_DATA_TABLE_ENTRY.SizeOfImage`.
    pub fn size(&self) -> Result<u32> {
        self.record.uint32(self.layout().size)
    }

    /// Flags (`LDRP_*`). Corresponds to `_LDR_DATA_TABLE_ENTRY.Flags`.
    pub fn flags(&self) -> Result<u32> {
        self.record.uint32(self.layout().flags)
    }

    /// Link time of the image (Unix time, or a hash).
    /// Corresponds to `_LDR_DATA_TABLE_ENTRY.TimeDateStamp`.
    pub fn time_date_stamp(&self) -> Result<u32> {
        self.record.uint32(self.layout().time_date_stamp)
    }

    /// File name. Corresponds to `_LDR_DATA_TABLE_ENTRY.BaseDllName`.
    pub fn name(&self) -> Result<String> {
        self.name_utf16()
            .map(|units| String::from_utf16_lossy(&units))
    }

    /// UTF-16 units of [`LoaderEntry::name`].
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        self.units(self.layout().name)
    }

    /// Path, as a drive letter's (`C:\Windows\...`).
    /// Corresponds to `_LDR_DATA_TABLE_ENTRY.FullDllName`.
    pub fn path(&self) -> Result<String> {
        self.path_utf16()
            .map(|units| String::from_utf16_lossy(&units))
    }

    /// UTF-16 units of [`LoaderEntry::path`].
    pub fn path_utf16(&self) -> Result<Vec<u16>> {
        self.units(self.layout().path)
    }

    /// As [`LoaderEntry::name`], appended to `text`.
    pub fn append_name(&self, text: &mut String) -> Result<()> {
        self.append(self.layout().name, text)
    }

    /// As [`LoaderEntry::path`], appended to `text`.
    pub fn append_path(&self, text: &mut String) -> Result<()> {
        self.append(self.layout().path, text)
    }

    fn append(&self, field: Field, text: &mut String) -> Result<()> {
        let string = self.record.string(field)?;
        self.record.append_text(STRUCTURE, string, text)
    }

    fn units(&self, field: Field) -> Result<Vec<u16>> {
        self.record.units(STRUCTURE, self.record.string(field)?)
    }
}
