//! PE images, read without trust.
//!
//! Images in a guest are loaded, full of holes (discarded sections, pages that
//! are paged out) and worth reading only in part: a kernel has 10 MiB, its
//! CodeView record 50 bytes. So every part is read when it is asked for, through
//! an [`Image`] that says which bytes are missing; a missing page spoils only
//! what lies in it. The parsers in the registry (`object`, `goblin`, `pelite`)
//! borrow from one contiguous slice, which would mean copying whole images and
//! taking holes for zeros; that is why this one exists.
//!
//! Everything is bounded: directories by [`DIRECTORY_MAX`], names by
//! [`NAME_MAX`], tables by their directory or by what their indices can reach, and
//! every address by the size of the image.

mod codeview;
mod exceptions;
mod exports;
mod extract;
mod headers;
mod image;
mod imports;
mod read;
#[cfg(test)]
mod tests;

pub use self::{
    codeview::CodeView,
    exceptions::RuntimeFunction,
    exports::{Export, ExportTarget, Exports},
    extract::{Extraction, ImageLayout, MissingRange},
    headers::{DIRECTORIES, Directory, DirectoryKind, Format, Headers, Section},
    image::{File, Image, Mapped},
    imports::{Import, ImportSymbol, ImportedModule},
};
use crate::error::Result;

/// Largest data directory that is read, in bytes.
pub const DIRECTORY_MAX: u32 = 1 << 20;

/// Longest name that is read, in bytes.
pub const NAME_MAX: usize = 4096;

/// A PE image whose headers are sound.
pub struct Pe<I> {
    image: I,
    headers: Headers,
}

impl<I: Image> Pe<I> {
    /// Reads the headers of `image`, and nothing else.
    ///
    /// Fails with [`crate::Error::Corrupt`] where they contradict themselves, and with
    /// the fault of the page where they cannot be read.
    pub fn parse(image: I) -> Result<Self> {
        let headers = Headers::parse(&image)?;
        Ok(Self { image, headers })
    }

    /// The headers.
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The section table.
    ///
    /// Fails with the fault of the page where it cannot be read.
    pub fn sections(&self) -> Result<Vec<Section>> {
        self.headers.sections(&self.image)
    }
}
