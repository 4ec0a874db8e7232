//! Modules of a process: executables and DLLs mapped into its user mode.

mod iter;
mod listing;
mod symbol;

use bitflags::bitflags;

use super::{
    Architecture, FileObject, LoadedImage, Process, ProcessMemory, Record, Region,
    loader::{LoaderEntry, LoaderOrder},
    user::UserRecord,
};
use crate::{
    core::{Space, Va, decode_utf16},
    error::{Error, Result},
    pe::{Extraction, Headers, ImageLayout, Pe},
    symbols::PdbId,
};

pub use self::{
    iter::{ListedModules, UserModules},
    symbol::FindProfile,
};

/// `IMAGE_FILE_MACHINE_I386`.
const MACHINE_I386: u16 = 0x14c;
/// `IMAGE_FILE_MACHINE_AMD64`.
const MACHINE_AMD64: u16 = 0x8664;

bitflags! {
    /// The loader's lists that a module is on. None at all: an image that is
    /// mapped behind the loader's back, or whose entry was unlinked.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub struct LoaderLists: u8 {
        /// [`LoaderOrder::Load`].
        const LOAD = 1 << 0;
        /// [`LoaderOrder::Memory`].
        const MEMORY = 1 << 1;
        /// [`LoaderOrder::Initialization`].
        const INITIALIZATION = 1 << 2;
    }
}

impl From<LoaderOrder> for LoaderLists {
    fn from(order: LoaderOrder) -> Self {
        match order {
            LoaderOrder::Load => Self::LOAD,
            LoaderOrder::Memory => Self::MEMORY,
            LoaderOrder::Initialization => Self::INITIALIZATION,
        }
    }
}

/// A module of a process.
///
/// What the loader says about it was written by the process itself; what the
/// region and its file say is the kernel's word.
#[derive(Clone, Copy)]
pub struct UserModule<'a> {
    process: Process<'a>,
    space: Space,
    base: Va,
    entry: Option<LoaderEntry<'a>>,
    lists: LoaderLists,
}

impl<'a> UserModule<'a> {
    /// The image mapped at `base` of a process, which the loader need not know.
    pub fn new(process: Process<'a>, base: Va) -> Result<Self> {
        Ok(Self {
            process,
            space: process.space()?,
            base,
            entry: None,
            lists: LoaderLists::empty(),
        })
    }

    /// The same image, with the entry at `address` that the loader of this
    /// architecture keeps for it on these lists.
    pub fn listed(self, address: Va, architecture: Architecture, lists: LoaderLists) -> Self {
        let windows = self.process.windows();
        let record = Record::new(windows.memory(), self.space, address);
        let record = UserRecord::new(record, architecture);
        Self {
            entry: Some(LoaderEntry::new(windows, record)),
            lists,
            ..self
        }
    }

    /// Size of a buffer for [`UserModule::with_copy`], in bytes.
    pub const SNAPSHOT: usize = LoaderEntry::SNAPSHOT;

    /// The same module with its loader entry read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        Self {
            entry: self.entry.map(|entry| entry.with_copy(buffer)),
            ..self
        }
    }

    /// The process.
    pub const fn process(&self) -> Process<'a> {
        self.process
    }

    /// Address of the first byte.
    pub const fn base(&self) -> Va {
        self.base
    }

    /// The loader's entry, `None` for an image that is on no list.
    pub const fn entry(&self) -> Option<LoaderEntry<'a>> {
        self.entry
    }

    /// The loader's lists that the module is on.
    pub const fn lists(&self) -> LoaderLists {
        self.lists
    }

    /// The region that begins at the module's base, `None` when there is none:
    /// the loader's entry is wrong or the module is gone.
    pub fn region(&self) -> Result<Option<Region<'a>>> {
        let Some(region) = self.process.region(self.base)? else {
            return Ok(None);
        };
        Ok((region.start()? == self.base).then_some(region))
    }

    /// The image itself, read page by page as the process would find it: pages
    /// that are behind prototype entries or in a page file count, too.
    pub const fn image(&self) -> LoadedImage<'a> {
        LoadedImage::OfProcess {
            memory: ProcessMemory::of(self.process, self.space),
            base: self.base,
        }
    }

    /// Headers, sections, exports, imports and CodeView of the image.
    ///
    /// Fails with the fault when the header page is not in memory.
    pub fn pe(&self) -> Result<Pe<LoadedImage<'a>>> {
        Pe::parse(self.image())
    }

    fn headers(&self) -> Result<Headers> {
        Headers::parse(&self.image())
    }

    /// Size in bytes: what the loader says, else the headers, else the region.
    pub fn size(&self) -> Result<u64> {
        if let Some(Ok(size)) = self.entry.map(|entry| entry.size()) {
            return Ok(size.into());
        }
        match self.headers() {
            Ok(headers) => Ok(headers.size_of_image.into()),
            Err(error) => self.region_size()?.ok_or(error),
        }
    }

    fn region_size(&self) -> Result<Option<u64>> {
        let Some(region) = self.region()? else {
            return Ok(None);
        };
        Ok(Some(region.end()?.0.saturating_sub(self.base.0)))
    }

    /// Whose code the image holds: what its address or its headers say; where they
    /// are not in memory, whose loader lists it.
    pub fn architecture(&self) -> Result<Architecture> {
        let listed = self.entry.map(|entry| entry.architecture());
        if listed == Some(Architecture::X86) {
            return Ok(Architecture::X86);
        }
        // No 32-bit image lies above 4 GiB: its headers, a page of their own, need no look.
        if listed.is_some() && self.base.0 > u64::from(u32::MAX) {
            return Ok(Architecture::Amd64);
        }
        // The 64-bit loader of a WoW64 process lists the 32-bit executable, too.
        match (self.headers(), listed) {
            (Ok(headers), _) if headers.machine == MACHINE_I386 => Ok(Architecture::X86),
            (Ok(headers), _) if headers.machine == MACHINE_AMD64 => Ok(Architecture::Amd64),
            (_, Some(listed)) => Ok(listed),
            (Ok(headers), None) => Err(Error::not_supported(format!(
                "images for machine {:#x}",
                headers.machine
            ))),
            (Err(error), None) => Err(error),
        }
    }

    /// Entry point, NULL when there is none.
    pub fn entry_point(&self) -> Result<Va> {
        if let Some(entry) = self.entry {
            return entry.entry_point();
        }
        Ok(match self.headers()?.entry_point {
            0 => Va(0),
            rva => self.base.wrapping_add(rva.into()),
        })
    }

    /// Link time (Unix time, or a hash): what the loader says, else the headers.
    pub fn time_date_stamp(&self) -> Result<u32> {
        match self.entry.map(|entry| entry.time_date_stamp()) {
            Some(Ok(stamp)) => Ok(stamp),
            _ => self.headers().map(|headers| headers.time_date_stamp),
        }
    }

    /// File name: what the loader says, else the end of [`UserModule::mapped_path`].
    pub fn name(&self) -> Result<String> {
        let mut name = String::new();
        self.append_name(&mut name).map(|()| name)
    }

    /// As [`UserModule::name`], appended to `text`.
    pub fn append_name(&self, text: &mut String) -> Result<()> {
        let length = text.len();
        match self.entry.map(|entry| entry.append_name(text)) {
            Some(Ok(())) if text.len() > length => {}
            _ => text.push_str(&decode_utf16(file_name(&self.mapped_path_utf16()?))),
        }
        Ok(())
    }

    /// UTF-16 units of [`UserModule::name`].
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        match self.entry.map(|entry| entry.name_utf16()) {
            Some(Ok(name)) if !name.is_empty() => Ok(name),
            _ => Ok(file_name(&self.mapped_path_utf16()?).to_vec()),
        }
    }

    /// Path: what the loader says (`C:\...`), else [`UserModule::mapped_path`]
    /// (`\Device\...`).
    pub fn path(&self) -> Result<String> {
        let mut path = String::new();
        self.append_path(&mut path).map(|()| path)
    }

    /// As [`UserModule::path`], appended to `text`.
    pub fn append_path(&self, text: &mut String) -> Result<()> {
        let length = text.len();
        match self.entry.map(|entry| entry.append_path(text)) {
            Some(Ok(())) if text.len() > length => {}
            _ => text.push_str(&self.mapped_path()?),
        }
        Ok(())
    }

    /// UTF-16 units of [`UserModule::path`].
    pub fn path_utf16(&self) -> Result<Vec<u16>> {
        match self.entry.map(|entry| entry.path_utf16()) {
            Some(Ok(path)) if !path.is_empty() => Ok(path),
            _ => self.mapped_path_utf16(),
        }
    }

    /// Path of the file that is mapped here, in the kernel's words; fails where
    /// that is paged out or no file is mapped.
    pub fn mapped_path(&self) -> Result<String> {
        self.mapped_path_utf16()
            .map(|units| String::from_utf16_lossy(&units))
    }

    /// UTF-16 units of [`UserModule::mapped_path`].
    pub fn mapped_path_utf16(&self) -> Result<Vec<u16>> {
        let file = match self.region()? {
            Some(region) => region.file_object()?,
            None => None,
        };
        match file {
            Some(file) => FileObject::new(self.process.windows(), file).path_utf16(),
            None => Err(Error::not_found(format!("a file mapped at {}", self.base))),
        }
    }

    /// Identity of the image's PDB, `None` when it has none.
    pub fn pdb(&self) -> Result<Option<PdbId>> {
        let record = self.pe()?.codeview()?;
        Ok(record.map(|record| PdbId::new(&record.pdb, record.guid, record.age)))
    }

    /// The image as a file to be read piece by piece: as it lies in memory, or
    /// with its sections moved back to their places in the file.
    ///
    /// The memory layout needs no headers; the file layout fails with the fault
    /// when they are not in memory.
    pub fn extract(&self, layout: ImageLayout) -> Result<Extraction<LoadedImage<'a>>> {
        match layout {
            ImageLayout::Memory => {
                let size = self.size()?;
                // The loader's word counts as far as memory is set aside for it.
                let size = match self.region_size() {
                    Ok(Some(region)) => size.min(region),
                    _ => size,
                };
                let size = u32::try_from(size).unwrap_or(u32::MAX);
                Ok(Extraction::memory(self.image(), size))
            }
            ImageLayout::File => Extraction::file(self.image()),
        }
    }
}

/// What follows the last backslash.
fn file_name(path: &[u16]) -> &[u16] {
    path.rsplit(|&unit| unit == u16::from(b'\\'))
        .next()
        .unwrap_or_default()
}
