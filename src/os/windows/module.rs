//! `_KLDR_DATA_TABLE_ENTRY`: drivers and other modules of the kernel.

use isr::macros::Field;

use super::{List, Record, Windows};
use crate::{
    core::{Va, decode_utf16, driver::ModuleHint},
    error::{Error, Result},
};

isr::macros::offsets! {
    /// Where the fields of a kernel module are.
    pub struct Layout {
        #[isr(alias = "_LDR_DATA_TABLE_ENTRY")]
        struct _KLDR_DATA_TABLE_ENTRY {
            InLoadOrderLinks: Field,
            DllBase: Field,
            EntryPoint: Field,
            SizeOfImage: Field,
            FullDllName: Field,
            BaseDllName: Field,
        }
    }
}

/// The user-mode entry that stands in for the kernel's on Windows 7 and 8.1
/// shares its first fields only: the time stamp needs the real type.
mod stamp {
    use super::Field;

    isr::macros::offsets! {
        /// Where the time stamp is.
        pub struct StampLayout {
            #[isr(optional)]
            struct _KLDR_DATA_TABLE_ENTRY {
                TimeDateStamp: Field,
            }
        }
    }
}

pub(super) use stamp::StampLayout;

/// Where a module is described.
#[derive(Clone, Copy)]
enum Source<'a> {
    /// An entry of the kernel's own list.
    Listed(Record<'a>),
    /// The image's own headers: triage dumps hold no list.
    Recorded(&'a ModuleHint),
}

/// A module of the kernel.
#[derive(Clone, Copy)]
pub struct Module<'a> {
    windows: &'a Windows,
    source: Source<'a>,
}

impl<'a> Module<'a> {
    /// The module that [`Module::entry`] names `entry`.
    pub fn new(windows: &'a Windows, entry: Va) -> Self {
        let recorded = windows.recorded_modules.iter();
        match recorded.into_iter().find(|hint| hint.base == entry) {
            Some(hint) => Self::recorded(windows, hint),
            None => Self {
                windows,
                source: Source::Listed(windows.record(entry)),
            },
        }
    }

    const fn recorded(windows: &'a Windows, hint: &'a ModuleHint) -> Self {
        Self {
            windows,
            source: Source::Recorded(hint),
        }
    }

    /// Size of a buffer for [`Module::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 256;

    /// The same module with its entry read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        match self.source {
            Source::Listed(record) => Self {
                source: Source::Listed(record.with_copy(buffer)),
                ..self
            },
            Source::Recorded(_) => self,
        }
    }

    fn layout(&self) -> &'a _KLDR_DATA_TABLE_ENTRY {
        &self.windows.layouts.module._KLDR_DATA_TABLE_ENTRY
    }

    /// The kernel that it is a module of.
    pub(super) const fn windows(&self) -> &'a Windows {
        self.windows
    }

    /// Address of the loader entry; of a module that only the image's headers
    /// list, its base.
    pub const fn entry(&self) -> Va {
        match self.source {
            Source::Listed(record) => record.base(),
            Source::Recorded(hint) => hint.base,
        }
    }

    /// Base of the image. Corresponds to `_KLDR_DATA_TABLE_ENTRY.DllBase`.
    pub fn base(&self) -> Result<Va> {
        match self.source {
            Source::Listed(record) => record.pointer(self.layout().DllBase),
            Source::Recorded(hint) => Ok(hint.base),
        }
    }

    /// Entry point. Corresponds to `_KLDR_DATA_TABLE_ENTRY.EntryPoint`.
    pub fn entry_point(&self) -> Result<Va> {
        match self.source {
            Source::Listed(record) => record.pointer(self.layout().EntryPoint),
            Source::Recorded(hint) => Ok(hint.entry_point),
        }
    }

    /// Size of the image in bytes. Corresponds to `_KLDR_DATA_TABLE_ENTRY.SizeOfImage`.
    pub fn size(&self) -> Result<u32> {
        match self.source {
            Source::Listed(record) => record.uint32(self.layout().SizeOfImage),
            Source::Recorded(hint) => Ok(hint.size),
        }
    }

    /// File name. Corresponds to `_KLDR_DATA_TABLE_ENTRY.BaseDllName`.
    pub fn name(&self) -> Result<String> {
        match self.source {
            Source::Listed(record) => record.text(self.layout().BaseDllName),
            Source::Recorded(hint) => Ok(decode_utf16(base_name(&hint.path))),
        }
    }

    /// As [`Module::name`], appended to `text`.
    pub fn append_name(&self, text: &mut String) -> Result<()> {
        match self.source {
            Source::Listed(record) => record.append_text(self.layout().BaseDllName, text)?,
            Source::Recorded(hint) => text.push_str(&decode_utf16(base_name(&hint.path))),
        }
        Ok(())
    }

    /// UTF-16 units of [`Module::name`].
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        match self.source {
            Source::Listed(record) => record.unicode_string(self.layout().BaseDllName),
            Source::Recorded(hint) => Ok(base_name(&hint.path).to_vec()),
        }
    }

    /// Full path. Corresponds to `_KLDR_DATA_TABLE_ENTRY.FullDllName`.
    pub fn path(&self) -> Result<String> {
        match self.source {
            Source::Listed(record) => record.text(self.layout().FullDllName),
            Source::Recorded(hint) => Ok(decode_utf16(&hint.path)),
        }
    }

    /// As [`Module::path`], appended to `text`.
    pub fn append_path(&self, text: &mut String) -> Result<()> {
        match self.source {
            Source::Listed(record) => record.append_text(self.layout().FullDllName, text)?,
            Source::Recorded(hint) => text.push_str(&decode_utf16(&hint.path)),
        }
        Ok(())
    }

    /// UTF-16 units of [`Module::path`].
    pub fn path_utf16(&self) -> Result<Vec<u16>> {
        match self.source {
            Source::Listed(record) => record.unicode_string(self.layout().FullDllName),
            Source::Recorded(hint) => Ok(hint.path.clone()),
        }
    }

    /// Does the image hold `address`?
    pub fn contains(&self, address: Va) -> bool {
        let (Ok(base), Ok(size)) = (self.base(), self.size()) else {
            return false;
        };
        let inside = address.0.checked_sub(base.0);
        inside.is_some_and(|offset| offset < size.into())
    }

    /// Link time stamp of the image, `None` where the entry does not keep it.
    /// Corresponds to `_KLDR_DATA_TABLE_ENTRY.TimeDateStamp`.
    pub fn time_date_stamp(&self) -> Result<Option<u32>> {
        let stamp = &self.windows.layouts.module_stamp._KLDR_DATA_TABLE_ENTRY;
        match (self.source, stamp) {
            (Source::Listed(record), Some(layout)) => record.uint32(layout.TimeDateStamp).map(Some),
            (Source::Listed(_), None) => Ok(None),
            (Source::Recorded(hint), _) => Ok(Some(hint.timestamp)),
        }
    }
}

/// What follows the last backslash of a path.
fn base_name(path: &[u16]) -> &[u16] {
    let separator = u16::from(b'\\');
    path.rsplit(|&unit| unit == separator)
        .next()
        .unwrap_or(path)
}

/// The kernel's modules in load order; an `Err` is a gap.
/// Corresponds to `PsLoadedModuleList`, or to what the image's headers list
/// where they do.
pub struct Modules<'a> {
    windows: &'a Windows,
    list: List<'a>,
    recorded: Option<std::slice::Iter<'a, ModuleHint>>,
}

impl<'a> Modules<'a> {
    pub(super) fn new(windows: &'a Windows, head: Va) -> Self {
        let recorded = &windows.recorded_modules;
        Self {
            windows,
            list: windows.list(head, "_KLDR_DATA_TABLE_ENTRY.InLoadOrderLinks"),
            recorded: (!recorded.is_empty()).then(|| recorded.iter()),
        }
    }
}

impl<'a> Iterator for Modules<'a> {
    type Item = Result<Module<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(recorded) = &mut self.recorded {
            return Some(Ok(Module::recorded(self.windows, recorded.next()?)));
        }
        let link = self
            .windows
            .layouts
            .module
            ._KLDR_DATA_TABLE_ENTRY
            .InLoadOrderLinks;
        Some(
            self.list
                .next()?
                .map(|entry| Module::new(self.windows, entry.wrapping_sub(link.offset()))),
        )
    }
}

impl Windows {
    /// The kernel's module that `address` lies in.
    pub fn module_at(&self, address: Va) -> Result<Module<'_>> {
        self.modules()
            .flatten()
            .find(|module| module.contains(address))
            .ok_or_else(|| Error::not_found(format!("kernel module at {address}")))
    }
}
