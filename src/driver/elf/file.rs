//! ELF64: header, program headers, section headers.

use super::FORMAT;
use crate::{
    core::bytes::{u16_at, u32_at, u64_at},
    driver::file::ImageFile,
    error::{Error, Result},
};

/// Size of an `Elf64_Ehdr`.
const HEADER_SIZE: u64 = 0x40;
/// Size of an `Elf64_Phdr`.
const PROGRAM_HEADER_SIZE: u16 = 0x38;
/// Size of an `Elf64_Shdr`.
const SECTION_HEADER_SIZE: u16 = 0x40;
/// Most headers of one kind that are believed.
const HEADERS_MAX: u32 = 1 << 22;
/// Most bytes of section names.
const NAMES_MAX: u64 = 1 << 20;
/// Longest section name that is kept.
const NAME_MAX: usize = 64;
/// `e_phnum` when the number is in the first section header (`PN_XNUM`).
const MORE_PROGRAM_HEADERS: u16 = 0xffff;

const ET_CORE: u16 = 4;
const EM_X86_64: u16 = 62;

/// `p_type` of a segment of memory.
pub const PT_LOAD: u32 = 1;
/// `p_type` of notes.
pub const PT_NOTE: u32 = 4;

/// A part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// File offset.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
}

/// An `Elf64_Phdr`.
#[derive(Debug, Clone, Copy)]
pub struct ProgramHeader {
    /// Corresponds to `p_type`.
    pub kind: u32,
    /// Corresponds to `p_vaddr`.
    pub virtual_address: u64,
    /// Corresponds to `p_paddr`.
    pub physical_address: u64,
    /// Corresponds to `p_offset` and `p_filesz`.
    pub extent: Extent,
}

/// An `Elf64_Shdr` with its name looked up.
#[derive(Debug, Clone)]
pub struct Section {
    /// Name, without the terminator.
    pub name: Vec<u8>,
    /// Corresponds to `sh_offset` and `sh_size`.
    pub extent: Extent,
}

/// A core file of a 64-bit x86 machine.
pub struct Core {
    /// Its program headers.
    pub programs: Vec<ProgramHeader>,
    /// Its sections; none in most cores.
    pub sections: Vec<Section>,
}

impl Core {
    /// Reads all headers; files of other kinds are refused by name.
    pub fn read(file: &ImageFile) -> Result<Self> {
        let header = file.load(FORMAT.name, "ELF header", 0, HEADER_SIZE)?;
        check(&header)?;
        Ok(Self {
            programs: programs(file, &header)?,
            sections: sections(file, &header)?,
        })
    }

    /// The part of the file that the section `name` covers.
    pub fn section(&self, name: &[u8]) -> Option<Extent> {
        let section = self.sections.iter().find(|section| section.name == name);
        section.map(|section| section.extent)
    }
}

fn refused(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::format(FORMAT.name, reason)
}

/// Refuses what is not a little-endian 64-bit x86 core.
fn check(header: &[u8]) -> Result<()> {
    if !header.starts_with(super::MAGIC) {
        return Err(refused("it does not begin with an ELF header"));
    }
    match header.get(4..6) {
        Some([2, 1]) => {}
        Some([1, _]) => return Err(refused("the core of a 32-bit machine")),
        _ => return Err(refused("its class or byte order is not that of x86-64")),
    }
    match u16_at(header, 0x10) {
        Some(ET_CORE) => {}
        _ => return Err(refused("an executable or library, not a core")),
    }
    match u16_at(header, 0x12).unwrap_or_default() {
        EM_X86_64 => Ok(()),
        3 => Err(refused("the core of a 32-bit x86 machine")),
        183 => Err(refused("the core of an ARM64 machine")),
        other => Err(refused(format!("machine {other} is not known"))),
    }
}

/// A table of `count` headers; none when the header says that there is no table.
fn table(
    file: &ImageFile,
    part: &str,
    offset: u64,
    (count, size): (u32, u16),
    expected: u16,
) -> Result<Vec<u8>> {
    if count == 0 || offset == 0 {
        return Ok(Vec::new());
    }
    if size != expected || count > HEADERS_MAX {
        return Err(refused(format!("damaged: {count} {part} of {size} bytes")));
    }
    let length = u64::from(count).saturating_mul(size.into());
    file.load(FORMAT.name, part, offset, length)
}

fn programs(file: &ImageFile, header: &[u8]) -> Result<Vec<ProgramHeader>> {
    let offset = u64_at(header, 0x20).unwrap_or_default();
    let size = u16_at(header, 0x36).unwrap_or_default();
    let count = match u16_at(header, 0x38).unwrap_or_default() {
        MORE_PROGRAM_HEADERS => program_count(file, header)?,
        count => count.into(),
    };
    let expected = PROGRAM_HEADER_SIZE;
    let table = table(file, "program headers", offset, (count, size), expected)?;
    Ok(table
        .chunks_exact(expected.into())
        .filter_map(program)
        .collect())
}

fn program(bytes: &[u8]) -> Option<ProgramHeader> {
    Some(ProgramHeader {
        kind: u32_at(bytes, 0x00)?,
        virtual_address: u64_at(bytes, 0x10)?,
        physical_address: u64_at(bytes, 0x18)?,
        extent: Extent {
            offset: u64_at(bytes, 0x08)?,
            length: u64_at(bytes, 0x20)?,
        },
    })
}

/// `sh_info` of the first section header.
fn program_count(file: &ImageFile, header: &[u8]) -> Result<u32> {
    let offset = u64_at(header, 0x28).unwrap_or_default();
    let first = file.load(
        FORMAT.name,
        "first section header",
        offset,
        SECTION_HEADER_SIZE.into(),
    )?;
    Ok(u32_at(&first, 0x2c).unwrap_or_default())
}

fn sections(file: &ImageFile, header: &[u8]) -> Result<Vec<Section>> {
    let offset = u64_at(header, 0x28).unwrap_or_default();
    let size = u16_at(header, 0x3a).unwrap_or_default();
    let count = u16_at(header, 0x3c).unwrap_or_default().into();
    let expected = SECTION_HEADER_SIZE;
    let table = table(file, "section headers", offset, (count, size), expected)?;
    let headers = || table.chunks_exact(expected.into());
    let names = u16_at(header, 0x3e).unwrap_or_default();
    let names = headers().nth(names.into()).and_then(extent);
    let names = names.filter(|names| names.length <= NAMES_MAX);
    // Names come last in the file; a core that was cut has none, but still memory.
    let names = names.and_then(|it| file.load(FORMAT.name, "names", it.offset, it.length).ok());
    let names = names.unwrap_or_default();
    Ok(headers()
        .filter_map(|bytes| {
            let name = names.get(u32_at(bytes, 0x00)? as usize..)?;
            let length = name.iter().take(NAME_MAX).position(|&byte| byte == 0)?;
            Some(Section {
                name: name.get(..length)?.to_vec(),
                extent: extent(bytes)?,
            })
        })
        .collect())
}

fn extent(section: &[u8]) -> Option<Extent> {
    Some(Extent {
        offset: u64_at(section, 0x18)?,
        length: u64_at(section, 0x20)?,
    })
}
