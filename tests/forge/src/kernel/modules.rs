//! Loaded and unloaded kernel modules.

use crate::clock;
use crate::expected::{ExpectedModule, ExpectedUnloadedModule};
use crate::guest::Guest;
use crate::kernel::image;
use crate::kernel::pe::{self, Extent, Headers, Section};

/// Records of unloaded drivers that the kernel keeps.
const UNLOADED_RECORDS: u64 = 50;
/// Size of such a record: Name, StartAddress, EndAddress, CurrentTime.
const UNLOADED_SIZE: u64 = 0x28;
/// Distance between driver images.
const DRIVER_STEP: u64 = 0x20_0000;

/// Where the exports of modules that are DLLs are, in their header page.
const EXPORTS_RVA: u32 = 0xa00;

/// What they export.
const DLL_EXPORTS: [(&str, u32); 2] = [("DllInitialize", 0x1040), ("DllUnload", 0x1080)];

/// Size of the HAL, which follows the kernel.
const HAL_SIZE: u32 = 0x6_0000;

/// Drivers loaded after the kernel and the HAL: file name, folder, size of the image.
const DRIVERS: [(&str, &str, u32); 10] = [
    ("kdcom.dll", "system32", 0xb000),
    ("CLFS.SYS", "System32", 0x6a000),
    ("tm.sys", "System32\\drivers", 0x27000),
    ("PSHED.dll", "system32", 0x1a000),
    ("BOOTVID.dll", "system32", 0xb000),
    ("CI.dll", "system32", 0xe2000),
    ("Wdf01000.sys", "system32\\drivers", 0xd1000),
    ("ACPI.sys", "System32\\drivers", 0xcc000),
    ("Ntfs.sys", "System32\\Drivers", 0x2d9000),
    ("tcpip.sys", "System32\\drivers", 0x2ec000),
];

/// Drivers that were unloaded, the first first.
const UNLOADED: [(&str, u64); 3] = [
    ("dam.sys", 0x1_4000),
    ("WdBoot.sys", 0x1_0000),
    ("hwpolicy.sys", 0x1_1000),
];

/// What a kernel module is.
#[derive(Clone, Debug)]
pub struct ModuleSpec {
    /// File name.
    pub name: String,
    /// Path.
    pub path: String,
    /// Address of the image.
    pub base: u64,
    /// Size of the image in bytes.
    pub size: u32,
    /// Entry point relative to the base.
    pub entry_point: u32,
    /// Link time (Unix time).
    pub time_stamp: u32,
}

/// Loads the kernel, the HAL and the drivers, and records the unloaded ones.
pub(crate) fn build(guest: &mut Guest) {
    let kernel = &guest.expected.kernel;
    let spec = ModuleSpec {
        name: "ntoskrnl.exe".into(),
        path: "\\SystemRoot\\system32\\ntoskrnl.exe".into(),
        base: kernel.base,
        size: kernel.size as u32,
        entry_point: guest.profile.symbol("KiSystemStartup") as u32,
        time_stamp: image::TIME_STAMP,
    };
    guest.append_module(spec);
    load_drivers(guest);
    write_unloaded(guest);
}

fn load_drivers(guest: &mut Guest) {
    let kernel = &guest.expected.kernel;
    let hal = kernel.base + kernel.size;
    let mut base = hal.next_multiple_of(DRIVER_STEP) + 8 * DRIVER_STEP;
    guest.load_module("hal.dll", "\\SystemRoot\\system32\\hal.dll", hal, HAL_SIZE);
    for (name, folder, size) in DRIVERS {
        guest.load_module(name, &format!("\\SystemRoot\\{folder}\\{name}"), base, size);
        base = (base + u64::from(size)).next_multiple_of(DRIVER_STEP);
    }
}

impl Guest {
    /// Maps the headers of a driver image and links the driver into the list of modules: the
    /// address of its loader entry.
    pub fn load_module(&mut self, name: &str, path: &str, base: u64, size: u32) -> u64 {
        let exports: &[_] = match name.ends_with("dll") {
            true => &DLL_EXPORTS,
            false => &[],
        };
        self.load_module_with(name, path, (base, size), exports)
    }

    /// The same with exports: names in alphabetical order, and where they are in the image.
    pub fn load_module_with(
        &mut self,
        name: &str,
        path: &str,
        (base, size): (u64, u32),
        exports: &[(&str, u32)],
    ) -> u64 {
        let time_stamp = 0x4a5b_c600 + self.expected.modules.len() as u32;
        let pdb = format!("{}.pdb", name.split('.').next().unwrap_or(name));
        let guid = format!("{:032X}", u128::from(time_stamp) << 64 | u128::from(size));
        let debug_rva = 0x800;
        let is_dll = name.ends_with("dll");
        let table = match exports.is_empty() {
            true => Vec::new(),
            false => pe::export_directory(EXPORTS_RVA, name, exports),
        };
        let headers = Headers {
            machine: pe::MACHINE_AMD64,
            is_dll,
            time_stamp,
            entry_point: 0x1040,
            image_base: base,
            image_size: size,
            os_version: (10, 0),
            exports: Extent {
                rva: if exports.is_empty() { 0 } else { EXPORTS_RVA },
                size: table.len() as u32,
            },
            debug: Extent {
                rva: debug_rva,
                size: pe::DEBUG_ENTRY_SIZE,
            },
            sections: vec![Section {
                name: ".text",
                extent: Extent {
                    rva: 0x1000,
                    size: size - 0x1000,
                },
                characteristics: pe::CODE,
            }],
        };
        self.map_kernel(base, 0x1000);
        self.write(base, &headers.bytes());
        let debug = pe::debug_directory(debug_rva, time_stamp, &guid, 1, &pdb);
        self.write(base + u64::from(debug_rva), &debug);
        self.write(base + u64::from(EXPORTS_RVA), &table);
        self.append_module(ModuleSpec {
            name: name.to_owned(),
            path: path.to_owned(),
            base,
            size,
            entry_point: 0x1040,
            time_stamp,
        })
    }

    /// Links a module into the list of modules without mapping anything: the address of its
    /// loader entry.
    pub fn append_module(&mut self, spec: ModuleSpec) -> u64 {
        let structure = loader_entry(self);
        let (path, path_length) = self.allocate_string(&spec.path);
        let (name, name_length) = self.allocate_string(&spec.name);
        let va = self.allocate(self.profile.size_of(structure));
        let entry_point = spec.base + u64::from(spec.entry_point);
        let mut entry = self.record(structure);
        entry
            .set("DllBase", spec.base)
            .set("EntryPoint", entry_point)
            .set("SizeOfImage", spec.size.into())
            .set_string("FullDllName", path_length, path)
            .set_string("BaseDllName", name_length, name)
            .set("Flags", 0x0900_4000)
            .set_if("LoadCount", 1)
            .set("TimeDateStamp", spec.time_stamp.into());
        self.write_record(va, &entry);
        let links = va + self.profile.offset(structure, "InLoadOrderLinks");
        self.append_to_list(self.symbol("PsLoadedModuleList"), links);
        self.expected.modules.push(ExpectedModule {
            entry: va,
            base: spec.base,
            size: spec.size,
            entry_point,
            name: spec.name,
            path: spec.path,
            time_stamp: spec.time_stamp,
        });
        va
    }
}

/// Windows 7 and 8.1 tables give the kernel's loader entries the user-mode structure.
pub(crate) fn loader_entry(guest: &Guest) -> &'static str {
    match guest.profile.has_type("_KLDR_DATA_TABLE_ENTRY") {
        true => "_KLDR_DATA_TABLE_ENTRY",
        false => "_LDR_DATA_TABLE_ENTRY",
    }
}

/// Writes the ring of unloaded drivers: it is filled upwards and read downwards from the
/// record before `MmLastUnloadedDriver`.
fn write_unloaded(guest: &mut Guest) {
    let array = guest.allocate(UNLOADED_RECORDS * UNLOADED_SIZE);
    let mut start = guest.expected.kernel.base - 0x4000_0000;
    for (index, (name, size)) in UNLOADED.into_iter().enumerate() {
        let time = clock::BOOT + index as u64 * clock::SECOND;
        let (buffer, length) = guest.allocate_string(name);
        let record = array + index as u64 * UNLOADED_SIZE;
        let lengths = length as u64 | (length as u64 + 2) << 16;
        for (offset, value) in [
            (0, lengths),
            (8, buffer),
            (0x10, start),
            (0x18, start + size),
            (0x20, time),
        ] {
            guest.write_u64(record + offset, value);
        }
        let unloaded = ExpectedUnloadedModule {
            name: name.to_owned(),
            start,
            end: start + size,
            time,
        };
        guest.expected.unloaded_modules.insert(0, unloaded);
        start += size;
    }
    guest.write_u64(guest.symbol("MmUnloadedDrivers"), array);
    let last = guest.symbol("MmLastUnloadedDriver");
    guest.write(last, &(UNLOADED.len() as u32).to_le_bytes());
}
