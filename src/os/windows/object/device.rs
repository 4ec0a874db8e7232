//! `_DEVICE_OBJECT`.

use isr::macros::Field;

use super::{DriverObject, Object};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a device are.
    pub struct Layout {
        struct _DEVICE_OBJECT {
            DriverObject: Field,
            NextDevice: Field,
            AttachedDevice: Field,
            Flags: Field,
            Characteristics: Field,
            DeviceExtension: Field,
            DeviceType: Field,
            DeviceObjectExtension: Field,
        }

        struct _DEVOBJ_EXTENSION {
            AttachedTo: Field,
        }
    }
}

/// A device.
#[derive(Clone, Copy)]
pub struct DeviceObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> DeviceObject<'a> {
    /// The device whose `_DEVICE_OBJECT` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a _DEVICE_OBJECT {
        &self.windows.layouts.object.device._DEVICE_OBJECT
    }

    /// The device as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// The driver that serves it. Corresponds to `_DEVICE_OBJECT.DriverObject`.
    pub fn driver(&self) -> Result<Option<DriverObject<'a>>> {
        let driver = self.record.pointer_or_none(self.layout().DriverObject)?;
        Ok(driver.map(|driver| DriverObject::new(self.windows, driver)))
    }

    /// The next device of the same driver. Corresponds to `_DEVICE_OBJECT.NextDevice`.
    pub fn next_device(&self) -> Result<Option<DeviceObject<'a>>> {
        self.device(self.layout().NextDevice)
    }

    /// The device on top of this one, which sees requests first.
    /// Corresponds to `_DEVICE_OBJECT.AttachedDevice`.
    pub fn attached_device(&self) -> Result<Option<DeviceObject<'a>>> {
        self.device(self.layout().AttachedDevice)
    }

    /// The device below this one, which this one was attached to.
    /// Corresponds to `_DEVICE_OBJECT.DeviceObjectExtension.AttachedTo`.
    pub fn lower_device(&self) -> Result<Option<DeviceObject<'a>>> {
        let extension = self.layout().DeviceObjectExtension;
        let Some(extension) = self.record.pointer_or_none(extension)? else {
            return Ok(None);
        };
        let layout = &self.windows.layouts.object.device._DEVOBJ_EXTENSION;
        let lower = self.record.at(extension);
        let lower = lower.pointer_or_none(layout.AttachedTo)?;
        Ok(lower.map(|lower| DeviceObject::new(self.windows, lower)))
    }

    fn device(&self, field: Field) -> Result<Option<DeviceObject<'a>>> {
        let device = self.record.pointer_or_none(field)?;
        Ok(device.map(|device| DeviceObject::new(self.windows, device)))
    }

    /// Flags (`DO_*`). Corresponds to `_DEVICE_OBJECT.Flags`.
    pub fn flags(&self) -> Result<u32> {
        self.record.uint32(self.layout().Flags)
    }

    /// Characteristics (`FILE_DEVICE_*` and others).
    /// Corresponds to `_DEVICE_OBJECT.Characteristics`.
    pub fn characteristics(&self) -> Result<u32> {
        self.record.uint32(self.layout().Characteristics)
    }

    /// Type (`FILE_DEVICE_*`). Corresponds to `_DEVICE_OBJECT.DeviceType`.
    pub fn device_type(&self) -> Result<u32> {
        self.record.uint32(self.layout().DeviceType)
    }

    /// The driver's own data. Corresponds to `_DEVICE_OBJECT.DeviceExtension`.
    pub fn extension(&self) -> Result<Option<Va>> {
        self.record.pointer_or_none(self.layout().DeviceExtension)
    }
}
