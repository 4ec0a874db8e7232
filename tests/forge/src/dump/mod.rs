//! Writers of memory images.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;

pub(crate) mod bitmap;
pub(crate) mod elf;
pub(crate) mod full;
pub(crate) mod header;
pub(crate) mod lime;
pub(crate) mod machine;
pub(crate) mod ranges;
pub(crate) mod raw;
pub(crate) mod triage;
pub(crate) mod xen;

use header::DumpType;
use machine::CoreFormat;

/// A kind of memory image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageFormat {
    /// The byte at offset N is the byte at physical address N.
    Raw,
    /// A crash dump of the usual form of its type.
    Dump(DumpType),
    /// A crash dump that lists ranges of frames (`RDMP`), as debuggers write types 8 to 10.
    Ranges(DumpType),
    /// An image as a hypervisor writes it.
    Core(CoreFormat),
}

impl Guest {
    /// Writes an image to a file, with holes where memory is zero.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_file(&self, format: ImageFormat, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        self.write_image(format, &mut out)?;
        out.flush()
    }

    /// Writes an image. Memory that is zero is skipped by seeking.
    ///
    /// # Errors
    /// When writing or seeking fails.
    pub fn write_image(
        &self,
        format: ImageFormat,
        out: &mut (impl Write + Seek),
    ) -> io::Result<()> {
        match format {
            ImageFormat::Raw => raw::write(self, out),
            ImageFormat::Dump(DumpType::Full) => full::write(self, out),
            ImageFormat::Dump(DumpType::Triage) => triage::write(self, &self.triage_blocks(), out),
            ImageFormat::Dump(kind) => bitmap::write(self, kind, out),
            ImageFormat::Ranges(kind) => ranges::write(self, kind, out),
            ImageFormat::Core(format) => self.machine().write(format, out),
        }
    }

    /// An image in host memory, holes filled with zeroes.
    pub fn image_bytes(&self, format: ImageFormat) -> Vec<u8> {
        let mut out = io::Cursor::new(Vec::new());
        self.write_image(format, &mut out)
            .unwrap_or_else(|error| panic!("{error}"));
        out.into_inner()
    }

    /// Writes the physical memory as a raw image.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_raw(&self, path: &Path) -> io::Result<()> {
        self.write_file(ImageFormat::Raw, path)
    }

    /// Writes a full crash dump (type 1).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_full_dump(&self, path: &Path) -> io::Result<()> {
        self.write_file(ImageFormat::Dump(DumpType::Full), path)
    }

    /// Writes a triage dump (type 4) of chosen blocks: virtual address and length.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_triage_dump_of(&self, blocks: &[(u64, u64)], path: &Path) -> io::Result<()> {
        let mut out = BufWriter::new(File::create(path)?);
        triage::write(self, blocks, &mut out)?;
        out.flush()
    }
}

/// Writes frames one after the other from offset `start`: those that were never written are skipped.
fn write_frames(
    guest: &Guest,
    numbers: impl Iterator<Item = u64>,
    start: u64,
    out: &mut (impl Write + Seek),
) -> io::Result<u64> {
    let mut offset = start;
    let mut position = out.stream_position()?;
    for number in numbers {
        if let Some(frame) = guest.memory.frame(number) {
            if position != offset {
                out.seek(SeekFrom::Start(offset))?;
            }
            out.write_all(frame)?;
            position = offset + PAGE_SIZE;
        }
        offset += PAGE_SIZE;
    }
    Ok(offset)
}

/// Makes the output `total` bytes long when it ends in a hole.
fn fill_to(total: u64, out: &mut (impl Write + Seek)) -> io::Result<()> {
    if out.seek(SeekFrom::End(0))? < total {
        out.seek(SeekFrom::Start(total - 1))?;
        out.write_all(&[0])?;
    }
    Ok(())
}
