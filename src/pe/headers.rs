//! `IMAGE_DOS_HEADER`, `IMAGE_NT_HEADERS` and the section table.

use super::{DIRECTORY_MAX, Image};
use crate::{
    core::bytes::{u16_at, u32_at, u64_at},
    error::{Error, Result},
};

const DOS_HEADER_SIZE: usize = 64;
const DOS_MAGIC: u16 = 0x5a4d;
const E_LFANEW: usize = 0x3c;
const NT_SIGNATURE: u32 = 0x4550;
/// `Signature` and `IMAGE_FILE_HEADER`.
const NT_FIXED_SIZE: u32 = 24;
/// Size of `IMAGE_OPTIONAL_HEADER64` with all sixteen directories.
const OPTIONAL_HEADER_MAX: usize = 240;
/// Number of data directories.
pub const DIRECTORIES: usize = 16;
const SECTION_SIZE: usize = 40;

/// Width of an image's addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 32-bit.
    Pe32,
    /// 64-bit.
    Pe32Plus,
}

/// Entry of `IMAGE_OPTIONAL_HEADER.DataDirectory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum DirectoryKind {
    /// Exported symbols.
    Export = 0,
    /// Imported symbols.
    Import = 1,
    /// Resources.
    Resource = 2,
    /// Function table of the unwinder.
    Exception = 3,
    /// Base relocations.
    BaseRelocation = 5,
    /// Debug directory.
    Debug = 6,
    /// Thread-local storage.
    Tls = 9,
    /// Load configuration.
    LoadConfig = 10,
    /// Import address table.
    ImportAddress = 12,
    /// Delay-loaded imports.
    DelayImport = 13,
}

/// Corresponds to `IMAGE_DATA_DIRECTORY`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Directory {
    /// Where it starts.
    pub rva: u32,
    /// Its size in bytes.
    pub size: u32,
}

impl Directory {
    /// Does the directory cover `rva`?
    pub const fn holds(self, rva: u32) -> bool {
        rva.wrapping_sub(self.rva) < self.size && rva >= self.rva
    }
}

/// The headers in front of the section table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// PE32 or PE32+.
    pub format: Format,
    /// `IMAGE_FILE_HEADER.Machine`: 0x8664 for x64, 0x14c for x86.
    pub machine: u16,
    /// `IMAGE_FILE_HEADER.TimeDateStamp`: seconds since 1970, or a hash.
    pub time_date_stamp: u32,
    /// `IMAGE_FILE_HEADER.Characteristics`.
    pub characteristics: u16,
    /// RVA of the entry point, 0 when there is none.
    pub entry_point: u32,
    /// Preferred base address.
    pub image_base: u64,
    /// Major and minor version of the operating system.
    pub os_version: (u16, u16),
    /// Size of the loaded image in bytes.
    pub size_of_image: u32,
    /// Size of all headers in bytes.
    pub size_of_headers: u32,
    /// `IMAGE_OPTIONAL_HEADER.CheckSum`.
    pub checksum: u32,
    /// `IMAGE_OPTIONAL_HEADER.Subsystem`.
    pub subsystem: u16,
    /// `IMAGE_OPTIONAL_HEADER.DllCharacteristics`.
    pub dll_characteristics: u16,
    directories: [Directory; DIRECTORIES],
    section_table: u32,
    section_count: u16,
}

/// Corresponds to `IMAGE_SECTION_HEADER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Name, padded with NULs.
    pub name: [u8; 8],
    /// Where it is loaded.
    pub rva: u32,
    /// Size when loaded, in bytes; 0 means that `file_size` counts.
    pub virtual_size: u32,
    /// Offset of its data in the file.
    pub file_offset: u32,
    /// Size of its data in the file, in bytes.
    pub file_size: u32,
    /// Flags (`IMAGE_SCN_*`).
    pub characteristics: u32,
}

impl Section {
    /// Bytes that the section takes when it is loaded.
    pub const fn size(&self) -> u32 {
        if self.virtual_size == 0 {
            self.file_size
        } else {
            self.virtual_size
        }
    }

    /// Does the loaded section cover `rva`?
    pub const fn holds(&self, rva: u32) -> bool {
        rva >= self.rva && rva.wrapping_sub(self.rva) < self.size()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            name: *bytes.first_chunk()?,
            virtual_size: u32_at(bytes, 8)?,
            rva: u32_at(bytes, 12)?,
            file_size: u32_at(bytes, 16)?,
            file_offset: u32_at(bytes, 20)?,
            characteristics: u32_at(bytes, 36)?,
        })
    }
}

impl Headers {
    /// Reads the headers of `image`.
    ///
    /// Fails with [`Error::Corrupt`] where they contradict themselves, and with
    /// the fault of the page where they cannot be read.
    pub fn parse<I: Image + ?Sized>(image: &I) -> Result<Self> {
        let damaged =
            |structure, reason: &'static str| Error::corrupt(structure, image.base(), reason);
        let mut dos = [0; DOS_HEADER_SIZE];
        image.read(0, &mut dos)?;
        if u16_at(&dos, 0) != Some(DOS_MAGIC) {
            return Err(damaged("IMAGE_DOS_HEADER", "no MZ signature"));
        }
        let nt = u32_at(&dos, E_LFANEW)
            .filter(|&nt| nt < DIRECTORY_MAX)
            .ok_or_else(|| damaged("IMAGE_DOS_HEADER", "e_lfanew is out of range"))?;

        let mut fixed = [0; NT_FIXED_SIZE as usize];
        image.read(nt, &mut fixed)?;
        if u32_at(&fixed, 0) != Some(NT_SIGNATURE) {
            return Err(damaged("IMAGE_NT_HEADERS", "no PE signature"));
        }
        let optional_size = u16_at(&fixed, 20).unwrap_or_default();
        let mut optional = [0; OPTIONAL_HEADER_MAX];
        let optional = optional
            .get_mut(..OPTIONAL_HEADER_MAX.min(optional_size.into()))
            .unwrap_or_default();
        // `nt` is below DIRECTORY_MAX: the sums stay far from 4 GiB.
        let optional_rva = nt.saturating_add(NT_FIXED_SIZE);
        image.read(optional_rva, optional)?;
        let section_table = optional_rva.saturating_add(optional_size.into());
        Self::from_bytes(&fixed, optional, section_table).ok_or_else(|| {
            damaged(
                "IMAGE_OPTIONAL_HEADER",
                "it is too short or has an unknown magic",
            )
        })
    }

    /// Decodes `Signature` and `FileHeader` (`file`) and `OptionalHeader`.
    fn from_bytes(file: &[u8], optional: &[u8], section_table: u32) -> Option<Self> {
        let (format, image_base, count_at) = match u16_at(optional, 0)? {
            0x10b => (Format::Pe32, u32_at(optional, 28)?.into(), 92),
            0x20b => (Format::Pe32Plus, u64_at(optional, 24)?, 108),
            _ => return None,
        };
        Some(Self {
            format,
            machine: u16_at(file, 4)?,
            section_count: u16_at(file, 6)?,
            time_date_stamp: u32_at(file, 8)?,
            characteristics: u16_at(file, 22)?,
            entry_point: u32_at(optional, 16)?,
            image_base,
            os_version: (u16_at(optional, 40)?, u16_at(optional, 42)?),
            size_of_image: u32_at(optional, 56)?,
            size_of_headers: u32_at(optional, 60)?,
            checksum: u32_at(optional, 64)?,
            subsystem: u16_at(optional, 68)?,
            dll_characteristics: u16_at(optional, 70)?,
            directories: directories(optional, count_at)?,
            section_table,
        })
    }

    /// The directory of this kind, if the image has one.
    pub fn directory(&self, kind: DirectoryKind) -> Option<Directory> {
        self.directories
            .get(kind as usize)
            .copied()
            .filter(|directory| directory.rva != 0 && directory.size != 0)
    }

    /// All sixteen directories; those that the image lacks are zero.
    pub const fn directories(&self) -> &[Directory; DIRECTORIES] {
        &self.directories
    }

    /// Number of sections.
    pub const fn section_count(&self) -> u16 {
        self.section_count
    }

    /// Reads the section table of the image that these headers came from.
    ///
    /// At most 26,214 sections (1 MiB of headers); fails with the fault of the
    /// page where the table cannot be read.
    pub fn sections<I: Image + ?Sized>(&self, image: &I) -> Result<Vec<Section>> {
        let size = usize::from(self.section_count).saturating_mul(SECTION_SIZE);
        if size > DIRECTORY_MAX as usize {
            let reason = format!("{} sections are too many", self.section_count);
            return Err(Error::corrupt("IMAGE_FILE_HEADER", image.base(), reason));
        }
        let mut table = vec![0; size];
        image.read(self.section_table, &mut table)?;
        Ok(table
            .chunks_exact(SECTION_SIZE)
            .filter_map(Section::from_bytes)
            .collect())
    }
}

/// The data directories, as many as both their count and the header's size allow.
fn directories(optional: &[u8], count_at: usize) -> Option<[Directory; DIRECTORIES]> {
    let count = u32_at(optional, count_at)? as usize;
    let entries = optional.get(count_at.checked_add(4)?..)?;
    let mut directories = [Directory::default(); DIRECTORIES];
    for (directory, entry) in directories
        .iter_mut()
        .zip(entries.chunks_exact(8))
        .take(count)
    {
        *directory = Directory {
            rva: u32_at(entry, 0)?,
            size: u32_at(entry, 4)?,
        };
    }
    Some(directories)
}
