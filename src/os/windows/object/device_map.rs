//! `_DEVICE_MAP`: what drive letters mean to a process.

use isr::macros::Field;

use super::DirectoryObject;
use crate::{
    core::Va,
    error::Result,
    os::windows::{Process, Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a device map are.
    pub struct Layout {
        struct _EPROCESS {
            DeviceMap: Field,
        }

        struct _DEVICE_MAP {
            DosDevicesDirectory: Field,
            GlobalDosDevicesDirectory: Field,
            DriveMap: Field,
        }
    }
}

/// The drive letters of a logon session, or of the whole system.
#[derive(Clone, Copy)]
pub struct DeviceMap<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> DeviceMap<'a> {
    /// The `_DEVICE_MAP` at `address`.
    pub fn new(windows: &'a Windows, address: Va) -> Self {
        Self {
            windows,
            record: windows.record(address),
        }
    }

    fn layout(&self) -> &'a _DEVICE_MAP {
        &self.windows.layouts.object.device_map._DEVICE_MAP
    }

    /// Address of the `_DEVICE_MAP`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// The map's own links. Corresponds to `_DEVICE_MAP.DosDevicesDirectory`.
    pub fn dos_devices(&self) -> Result<Option<DirectoryObject<'a>>> {
        self.directory(self.layout().DosDevicesDirectory)
    }

    /// The links of the whole system (`\GLOBAL??`).
    /// Corresponds to `_DEVICE_MAP.GlobalDosDevicesDirectory`.
    pub fn global_dos_devices(&self) -> Result<Option<DirectoryObject<'a>>> {
        self.directory(self.layout().GlobalDosDevicesDirectory)
    }

    fn directory(&self, field: Field) -> Result<Option<DirectoryObject<'a>>> {
        let directory = self.record.pointer_or_none(field)?;
        Ok(directory.map(|directory| DirectoryObject::new(self.windows, directory)))
    }

    /// The map's own drives, bit 0 for `A:`. Corresponds to `_DEVICE_MAP.DriveMap`.
    pub fn drives(&self) -> Result<u32> {
        self.record.uint32(self.layout().DriveMap)
    }
}

impl<'a> Process<'a> {
    /// The drive letters that the process sees, `None` where it has no map of
    /// its own. Corresponds to `_EPROCESS.DeviceMap`.
    pub fn device_map(&self) -> Result<Option<DeviceMap<'a>>> {
        let layout = &self.windows().layouts.object.device_map._EPROCESS;
        // Later systems count references in the low bits; the map is aligned.
        let map = self.record().fast_reference(layout.DeviceMap)?;
        Ok(map.map(|map| DeviceMap::new(self.windows(), map)))
    }
}
