//! Images mapped into processes: files as a linker made them, and DLLs made up here.

use crate::expected::ExpectedUserModule;
use crate::guest::Guest;
use crate::kernel::pe::{self, Extent, Headers};
use crate::memory::PAGE_SIZE;
use crate::paging::{self, PageSize, PteFlags};
use crate::process::vad::{Backing, RegionSpec};
use crate::user::loader::ListedModule;
use crate::user::section::Section;
use crate::user::wide::Width;

/// Protection of image regions: executable, copied when written.
const EXECUTE_WRITE_COPY: u8 = 7;

/// A DLL to be mapped into a process.
#[derive(Clone, Debug)]
pub struct DllSpec<'a> {
    /// File name in the loader's entry.
    pub name: &'a str,
    /// Path in the loader's entry, with a drive letter; the mapped file has the same path on
    /// its volume.
    pub path: &'a str,
    /// Where to map it.
    pub base: u64,
    /// The file.
    pub file: &'a [u8],
    /// Whose code it is, and whose loader lists it.
    pub width: Width,
    /// Whether it is on the lists in load, memory and initialization order.
    pub lists: [bool; 3],
    /// Pages that are not in memory but in the file only, by their number in the image.
    pub missing: &'a [u32],
}

impl Guest {
    /// Maps a DLL and lets the loader know it as far as the lists say.
    ///
    /// # Panics
    /// When the file is no image or the process has no user space of its own.
    pub fn load_dll(&mut self, process: u64, dll: &DllSpec) {
        let image = LoadedImage::new(dll.file);
        let section = self.image_section(dll.path, &image.bytes);
        self.map_image(process, dll.base, &section, dll.missing);
        let module = ListedModule {
            name: dll.name,
            path: dll.path,
            base: dll.base,
            size: image.size,
            entry_point: dll.base + u64::from(image.entry_point),
            time_stamp: image.time_stamp,
            lists: dll.lists,
        };
        let is_listed = dll.lists.contains(&true);
        let entry = match is_listed {
            true => self.list_module(process, dll.width, &module),
            false => 0,
        };
        self.expected.user_modules.push(ExpectedUserModule {
            process,
            width: dll.width,
            listed_by: is_listed.then_some(dll.width),
            entry,
            base: dll.base,
            size: image.size,
            entry_point: module.entry_point,
            time_stamp: image.time_stamp,
            name: dll.name.to_owned(),
            path: dll.path.to_owned(),
            mapped_path: section.path.clone(),
            lists: dll.lists,
            missing: dll.missing.to_vec(),
        });
    }

    /// Maps the executable of a process, which every loader lists but never in order of
    /// initialization.
    pub(crate) fn load_executable(
        &mut self,
        process: u64,
        executable: &SystemDll,
        path: &str,
        loaders: &[Width],
    ) {
        let file = executable.file();
        let dll = DllSpec {
            name: executable.name,
            path,
            base: executable.base,
            file: &file,
            width: executable.width,
            lists: [true, true, false],
            missing: &[],
        };
        self.load_dll(process, &dll);
        let listed = self.expected.user_modules.last().cloned();
        for (width, module) in loaders.iter().skip(1).zip(listed) {
            let module = ListedModule {
                name: dll.name,
                path: dll.path,
                base: dll.base,
                size: module.size,
                entry_point: module.entry_point,
                time_stamp: module.time_stamp,
                lists: dll.lists,
            };
            self.list_module(process, *width, &module);
        }
    }

    /// The section of an image file, made when it is first mapped.
    fn image_section(&mut self, path: &str, image: &[u8]) -> Section {
        if let Some(section) = self.image_sections.get(path) {
            return section.clone();
        }
        let on_volume = path.split_once(':').map_or(path, |(_, rest)| rest);
        let section = self.create_section(Some(on_volume), true, image);
        self.image_sections.insert(path.to_owned(), section.clone());
        section
    }

    /// The section of the image with this path, which was mapped before.
    pub fn image_section_of(&self, path: &str) -> Option<Section> {
        self.image_sections.get(path).cloned()
    }

    /// Maps the pages of a section, except for those that are missing, and makes their region.
    pub(crate) fn map_image(
        &mut self,
        process: u64,
        base: u64,
        section: &Section,
        missing: &[u32],
    ) {
        let root = self.processes[&process].root;
        for (index, page) in section.pages.iter().enumerate() {
            let va = base + index as u64 * PAGE_SIZE;
            match missing.contains(&(index as u32)) {
                true => {
                    let (memory, frames) = (&mut self.memory, &mut self.frames);
                    paging::entry(memory, frames, root, va, PageSize::Small);
                    self.leave_in_file(section, index as u32);
                }
                false => {
                    self.map_user_page(process, va, *page, PageSize::Small, PteFlags::USER_READ)
                }
            }
        }
        self.share_user_entries(process);
        self.add_region(
            process,
            &RegionSpec {
                start: base,
                size: section.pages.len() as u64 * PAGE_SIZE,
                protection: EXECUTE_WRITE_COPY,
                committed: false,
                commit_charge: 2,
                backing: Backing::Section {
                    section: section.clone(),
                    is_image: true,
                },
            },
        );
    }
}

/// An image file as it lies in memory.
struct LoadedImage {
    bytes: Vec<u8>,
    size: u32,
    entry_point: u32,
    time_stamp: u32,
}

impl LoadedImage {
    fn new(file: &[u8]) -> Self {
        let u16_at = |at: usize| u16::from_le_bytes([file[at], file[at + 1]]);
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        let nt = u32_at(0x3c) as usize;
        assert_eq!(&file[nt..nt + 4], b"PE\0\0", "no image");
        let optional = nt + 24;
        let size = u32_at(optional + 56);
        let headers = u32_at(optional + 60) as usize;
        let mut bytes = vec![0; (size as usize).next_multiple_of(PAGE_SIZE as usize)];
        bytes[..headers].copy_from_slice(&file[..headers]);
        let table = optional + usize::from(u16_at(nt + 20));
        for index in 0..usize::from(u16_at(nt + 6)) {
            let section = table + index * 40;
            let word = |offset| u32_at(section + offset) as usize;
            let (rva, raw_size, raw) = (word(12), word(16), word(20));
            let loaded = raw_size.min(word(8).next_multiple_of(PAGE_SIZE as usize));
            bytes[rva..rva + loaded].copy_from_slice(&file[raw..raw + loaded]);
        }
        Self {
            bytes,
            size,
            entry_point: u32_at(optional + 16),
            time_stamp: u32_at(nt + 8),
        }
    }
}

/// A DLL that is made up: an export directory and nothing behind it.
#[derive(Clone, Debug)]
pub struct SystemDll<'a> {
    /// File name.
    pub name: &'a str,
    /// Whose code it is.
    pub width: Width,
    /// Preferred base address.
    pub base: u64,
    /// Exported code, in alphabetical order, with its address in the image.
    pub exports: &'a [(&'a str, u32)],
    /// An export that comes last in the alphabet, and what it forwards to.
    pub forwarder: Option<(&'a str, &'a str)>,
}

impl SystemDll<'_> {
    /// The file: every section lies where it will be in memory.
    pub fn file(&self) -> Vec<u8> {
        const EXPORTS: u32 = 0x2000;
        const DEBUG: u32 = 0x2800;
        const SIZE: u32 = 0x3000;
        let exports = self.export_directory(EXPORTS);
        let pdb = self.name.replace(".dll", ".pdb");
        let guid = format!("{:032X}", u128::from(self.base) << 64 | u128::from(SIZE));
        let debug = pe::debug_directory(DEBUG, self.time_stamp(), &guid, 1, &pdb);
        let section = |name, rva, characteristics| pe::Section {
            name,
            extent: Extent { rva, size: 0x1000 },
            characteristics,
        };
        let headers = Headers {
            machine: match self.width {
                Width::X86 => pe::MACHINE_I386,
                Width::Amd64 => pe::MACHINE_AMD64,
            },
            is_dll: true,
            time_stamp: self.time_stamp(),
            entry_point: 0,
            image_base: self.base,
            image_size: SIZE,
            os_version: (10, 0),
            exports: Extent {
                rva: EXPORTS,
                size: exports.len() as u32,
            },
            debug: Extent {
                rva: DEBUG,
                size: pe::DEBUG_ENTRY_SIZE,
            },
            sections: vec![
                section(".text", 0x1000, pe::CODE),
                section(".rdata", 0x2000, pe::CONSTANTS),
            ],
        };
        let mut file = headers.bytes();
        file.resize(SIZE as usize, 0);
        file[0x1000..0x2000].fill(0xcc);
        file[EXPORTS as usize..][..exports.len()].copy_from_slice(&exports);
        file[DEBUG as usize..][..debug.len()].copy_from_slice(&debug);
        file
    }

    fn time_stamp(&self) -> u32 {
        0x5e00_0000 | (self.base >> 16) as u32
    }

    /// The directory, with the forwarder's target behind its names.
    fn export_directory(&self, rva: u32) -> Vec<u8> {
        let mut exports = self.exports.to_vec();
        let Some((name, target)) = self.forwarder else {
            return pe::export_directory(rva, self.name, &exports);
        };
        exports.push((name, 0));
        let length = pe::export_directory(rva, self.name, &exports).len() as u32;
        if let Some((_, address)) = exports.last_mut() {
            *address = rva + length;
        }
        let mut bytes = pe::export_directory(rva, self.name, &exports);
        bytes.extend(target.as_bytes());
        bytes.push(0);
        bytes
    }
}
