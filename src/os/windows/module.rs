//! `_KLDR_DATA_TABLE_ENTRY`: drivers and other modules of the kernel.

use isr::macros::Field;

use super::{List, Record, Windows};
use crate::{
    core::Va,
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

/// A module of the kernel.
#[derive(Clone, Copy)]
pub struct Module<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> Module<'a> {
    /// The module whose loader entry is at `entry`.
    pub fn new(windows: &'a Windows, entry: Va) -> Self {
        Self {
            windows,
            record: windows.record(entry),
        }
    }

    /// Size of a buffer for [`Module::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 256;

    /// The same module with its entry read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        Self {
            record: self.record.with_copy(buffer),
            ..self
        }
    }

    fn layout(&self) -> &'a _KLDR_DATA_TABLE_ENTRY {
        &self.windows.layouts.module._KLDR_DATA_TABLE_ENTRY
    }

    /// Address of the loader entry.
    pub const fn entry(&self) -> Va {
        self.record.base()
    }

    /// Base of the image. Corresponds to `_KLDR_DATA_TABLE_ENTRY.DllBase`.
    pub fn base(&self) -> Result<Va> {
        self.record.pointer(self.layout().DllBase)
    }

    /// Does the image hold `address`?
    fn contains(&self, address: Va) -> bool {
        let (Ok(base), Ok(size)) = (self.base(), self.size()) else {
            return false;
        };
        let offset = address.0.checked_sub(base.0);
        offset.is_some_and(|offset| offset < u64::from(size))
    }

    /// Entry point. Corresponds to `_KLDR_DATA_TABLE_ENTRY.EntryPoint`.
    pub fn entry_point(&self) -> Result<Va> {
        self.record.pointer(self.layout().EntryPoint)
    }

    /// Size of the image in bytes. Corresponds to `_KLDR_DATA_TABLE_ENTRY.SizeOfImage`.
    pub fn size(&self) -> Result<u32> {
        self.record.uint32(self.layout().SizeOfImage)
    }

    /// File name. Corresponds to `_KLDR_DATA_TABLE_ENTRY.BaseDllName`.
    pub fn name(&self) -> Result<String> {
        self.record.text(self.layout().BaseDllName)
    }

    /// Full path. Corresponds to `_KLDR_DATA_TABLE_ENTRY.FullDllName`.
    pub fn path(&self) -> Result<String> {
        self.record.text(self.layout().FullDllName)
    }

    /// Link time stamp of the image, `None` where the entry does not keep it.
    /// Corresponds to `_KLDR_DATA_TABLE_ENTRY.TimeDateStamp`.
    pub fn time_date_stamp(&self) -> Result<Option<u32>> {
        let stamp = &self.windows.layouts.module_stamp._KLDR_DATA_TABLE_ENTRY;
        stamp
            .as_ref()
            .map(|layout| self.record.uint32(layout.TimeDateStamp))
            .transpose()
    }
}

/// The kernel's modules in load order; an `Err` is a gap.
/// Corresponds to `PsLoadedModuleList`.
pub struct Modules<'a> {
    windows: &'a Windows,
    list: List<'a>,
}

impl<'a> Modules<'a> {
    pub(super) fn new(windows: &'a Windows, head: Va) -> Self {
        Self {
            windows,
            list: windows.list(head, "_KLDR_DATA_TABLE_ENTRY.InLoadOrderLinks"),
        }
    }
}

impl<'a> Iterator for Modules<'a> {
    type Item = Result<Module<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
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
