//! Devices, drivers and open files.

use crate::guest::Guest;
use crate::object::header::NewObject;

/// I/O object type codes (the `Type` member of the structures).
const IO_TYPE_DEVICE: u64 = 3;
const IO_TYPE_DRIVER: u64 = 4;
const IO_TYPE_FILE: u64 = 5;

/// An open file.
#[derive(Clone, Debug, Default)]
pub struct FileSpec<'a> {
    /// Device object.
    pub device: u64,
    /// `FileName`, with a leading backslash unless relative.
    pub name: &'a str,
    /// File object that the name is relative to, or 0.
    pub related: u64,
    /// Whether reading, writing and deleting were granted.
    pub access: (bool, bool, bool),
    /// `Flags`.
    pub flags: u32,
}

impl Guest {
    /// Makes a driver object under `\Driver` or `\FileSystem`.
    pub fn create_driver(&mut self, path: &str) -> u64 {
        let size = self.profile.size_of("_DRIVER_OBJECT");
        let driver = self.create_named("Driver", path, size);
        let (buffer, length) = self.allocate_string(path);
        let mut record = self.record("_DRIVER_OBJECT");
        record
            .set("Type", IO_TYPE_DRIVER)
            .set("Size", size)
            .set_string("DriverName", length, buffer);
        self.write_record(driver, &record);
        self.expect_text(driver, "driver_name", path);
        driver
    }

    /// Makes a device object under `\Device`, the first of its driver.
    pub fn create_device(&mut self, path: &str, driver: u64, device_type: u32) -> u64 {
        let size = self.profile.size_of("_DEVICE_OBJECT");
        let extension_size = self.profile.size_of("_DEVOBJ_EXTENSION");
        let device = self.create_named("Device", path, size + extension_size);
        let next = self.peek_field(driver, "_DRIVER_OBJECT", "DeviceObject");
        let mut record = self.record("_DEVICE_OBJECT");
        record
            .set("Type", IO_TYPE_DEVICE)
            .set("Size", size)
            .set("ReferenceCount", 1)
            .set("DriverObject", driver)
            .set("NextDevice", next)
            .set("DeviceType", device_type.into())
            .set("DeviceObjectExtension", device + size);
        self.write_record(device, &record);
        self.poke_field(driver, "_DRIVER_OBJECT", "DeviceObject", device);
        let mut extension = self.record("_DEVOBJ_EXTENSION");
        extension.set("Type", 13).set("DeviceObject", device);
        self.write_record(device + size, &extension);
        let facts = [("driver", driver), ("device_type", device_type.into())];
        self.expect_facts(device, &facts);
        device
    }

    /// Makes a file object. Its expected path is the device's, then the related file's
    /// name, then its own.
    pub fn create_file(&mut self, spec: &FileSpec) -> u64 {
        let size = self.profile.size_of("_FILE_OBJECT");
        let path = self.file_path(spec);
        let info = self.types.info("File");
        let new = NewObject {
            type_name: "File",
            path: Some(&path),
            size,
            info,
            ..NewObject::default()
        };
        let file = self.create_object(&new);
        let own_path = format!("{}{}", self.path_of(spec.device), spec.name);
        let index = self.object_index[&file];
        self.expected.objects[index].own_path = Some(own_path);
        let mut record = self.record("_FILE_OBJECT");
        record
            .set("Type", IO_TYPE_FILE)
            .set("Size", size)
            .set("DeviceObject", spec.device)
            .set("RelatedFileObject", spec.related)
            .set("ReadAccess", spec.access.0.into())
            .set("WriteAccess", spec.access.1.into())
            .set("DeleteAccess", spec.access.2.into())
            .set("SharedRead", 1)
            .set("Flags", spec.flags.into())
            .set_empty_list("IrpList", file);
        if !spec.name.is_empty() {
            let (buffer, length) = self.allocate_string(spec.name);
            record.set_string("FileName", length, buffer);
        }
        self.write_record(file, &record);
        self.expect_text(file, "file_name", spec.name);
        file
    }

    fn file_path(&self, spec: &FileSpec) -> String {
        let base = match spec.related {
            0 => self.path_of(spec.device),
            related => self.path_of(related),
        };
        match spec.name {
            "" => base,
            name if name.starts_with('\\') && spec.related == 0 => format!("{base}{name}"),
            name => format!("{}\\{name}", base.trim_end_matches('\\')),
        }
    }

    /// The expected path of an object; empty when it has none.
    pub(crate) fn path_of(&self, object: u64) -> String {
        let index = self.object_index.get(&object);
        index
            .and_then(|index| self.expected.objects[*index].path.clone())
            .unwrap_or_default()
    }
}
