//! `_DRIVER_OBJECT`.

use isr::macros::Field;

use super::{DeviceObject, Object, name, trail::Trail};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Module, Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a driver are.
    pub struct Layout {
        struct _DRIVER_OBJECT {
            DeviceObject: Field,
            Flags: Field,
            DriverStart: Field,
            DriverSize: Field,
            DriverSection: Field,
            DriverExtension: Field,
            DriverName: Field,
            DriverInit: Field,
            DriverStartIo: Field,
            DriverUnload: Field,
            MajorFunction: Field,
        }

        struct _DRIVER_EXTENSION {
            ServiceKeyName: Field,
        }
    }
}

/// Functions of a driver, one for each kind of request (`IRP_MJ_*`).
pub const MAJOR_FUNCTIONS: usize = 28;

/// More devices than a real driver has.
const DEVICES_MAX: usize = 1 << 16;

/// A driver.
#[derive(Clone, Copy)]
pub struct DriverObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> DriverObject<'a> {
    /// The driver whose `_DRIVER_OBJECT` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a _DRIVER_OBJECT {
        &self.windows.layouts.object.driver._DRIVER_OBJECT
    }

    fn extension_layout(&self) -> &'a _DRIVER_EXTENSION {
        &self.windows.layouts.object.driver._DRIVER_EXTENSION
    }

    /// The driver as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// Name (`\Driver\volmgr`). Corresponds to `_DRIVER_OBJECT.DriverName`.
    pub fn name(&self) -> Result<String> {
        self.record.text(self.layout().DriverName)
    }

    /// UTF-16 units of [`DriverObject::name`].
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        self.record.unicode_string(self.layout().DriverName)
    }

    /// Name of the driver's key among the services, `None` for drivers without an
    /// extension; unpaired surrogates become U+FFFD.
    /// Corresponds to `_DRIVER_OBJECT.DriverExtension.ServiceKeyName`.
    pub fn service_key(&self) -> Result<Option<String>> {
        self.service_key_utf16().map(name::text)
    }

    /// UTF-16 units of [`DriverObject::service_key`].
    pub fn service_key_utf16(&self) -> Result<Option<Vec<u16>>> {
        let extension = self.record.pointer_or_none(self.layout().DriverExtension)?;
        let field = self.extension_layout().ServiceKeyName;
        let name = |extension| self.record.at(extension).unicode_string(field);
        extension.map(name).transpose()
    }

    /// Flags (`DRVO_*`). Corresponds to `_DRIVER_OBJECT.Flags`.
    pub fn flags(&self) -> Result<u32> {
        self.record.uint32(self.layout().Flags)
    }

    /// Base of the image, 0 for drivers without one.
    /// Corresponds to `_DRIVER_OBJECT.DriverStart`.
    pub fn start(&self) -> Result<Va> {
        self.record.pointer(self.layout().DriverStart)
    }

    /// Size of the image in bytes. Corresponds to `_DRIVER_OBJECT.DriverSize`.
    pub fn size(&self) -> Result<u32> {
        self.record.uint32(self.layout().DriverSize)
    }

    /// The driver's module, `None` for drivers without an image.
    /// Corresponds to `_DRIVER_OBJECT.DriverSection`.
    pub fn module(&self) -> Result<Option<Module<'a>>> {
        let entry = self.record.pointer_or_none(self.layout().DriverSection)?;
        Ok(entry.map(|entry| Module::new(self.windows, entry)))
    }

    /// Entry function. Corresponds to `_DRIVER_OBJECT.DriverInit`.
    pub fn init_function(&self) -> Result<Option<Va>> {
        self.record.pointer_or_none(self.layout().DriverInit)
    }

    /// Function that starts a request. Corresponds to `_DRIVER_OBJECT.DriverStartIo`.
    pub fn start_io_function(&self) -> Result<Option<Va>> {
        self.record.pointer_or_none(self.layout().DriverStartIo)
    }

    /// Function that unloads the driver. Corresponds to `_DRIVER_OBJECT.DriverUnload`.
    pub fn unload_function(&self) -> Result<Option<Va>> {
        self.record.pointer_or_none(self.layout().DriverUnload)
    }

    /// Functions for each kind of request, by `IRP_MJ_*` number.
    /// Corresponds to `_DRIVER_OBJECT.MajorFunction`.
    pub fn major_functions(&self) -> Result<[Va; MAJOR_FUNCTIONS]> {
        let field = self.layout().MajorFunction;
        let bytes: [u8; MAJOR_FUNCTIONS * 8] = self.record.bytes(field)?;
        let mut functions = [Va(0); MAJOR_FUNCTIONS];
        for (function, pointer) in functions.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *function = Va(u64::from_le_bytes(*pointer));
        }
        Ok(functions)
    }

    /// The driver's devices; an `Err` is a gap, after which nothing follows.
    /// Corresponds to `_DRIVER_OBJECT.DeviceObject`.
    pub fn devices(&self) -> DriverDevices<'a> {
        let first = self.record.pointer_or_none(self.layout().DeviceObject);
        let windows = self.windows;
        DriverDevices {
            next: first
                .map(|first| first.map(|first| DeviceObject::new(windows, first)))
                .transpose(),
            trail: Trail::new("_DEVICE_OBJECT.NextDevice", DEVICES_MAX),
        }
    }
}

/// The devices of a driver; an `Err` is a gap, after which nothing follows.
pub struct DriverDevices<'a> {
    next: Option<Result<DeviceObject<'a>>>,
    trail: Trail,
}

impl<'a> Iterator for DriverDevices<'a> {
    type Item = Result<DeviceObject<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let device = match self.next.take()? {
            Ok(device) => device,
            Err(gap) => return Some(Err(gap)),
        };
        if let Err(circle) = self.trail.visit(device.object().address()) {
            return Some(Err(circle));
        }
        self.next = device.next_device().transpose();
        Some(Ok(device))
    }
}
