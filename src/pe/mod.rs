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
//! [`NAME_MAX`], tables by their directory, and every address by the size of the
//! image.

mod codeview;
mod headers;
mod image;
#[cfg(test)]
mod tests;

pub use self::{
    codeview::CodeView,
    headers::{Directory, DirectoryKind, Format, Headers, Section},
    image::{File, Image, Mapped},
};
use crate::error::{Error, Result};

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
    /// Fails with [`Error::Corrupt`] where they contradict themselves, and with
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

    /// A data directory of a believable size, `None` when the image has none.
    fn directory(&self, kind: DirectoryKind) -> Result<Option<Directory>> {
        match self.headers.directory(kind) {
            Some(directory) if directory.size > DIRECTORY_MAX => Err(self.corrupt(
                "IMAGE_DATA_DIRECTORY",
                directory.rva,
                format!("{:#x} bytes are too many", directory.size),
            )),
            directory => Ok(directory),
        }
    }

    /// `length` bytes of `structure` at `rva`.
    fn bytes(&self, structure: &'static str, rva: u32, length: usize) -> Result<Vec<u8>> {
        self.check(structure, rva, length)?;
        let mut bytes = vec![0; length];
        self.image.read(rva, &mut bytes)?;
        Ok(bytes)
    }

    /// Refuses ranges that leave the image.
    fn check(&self, structure: &'static str, rva: u32, length: usize) -> Result<()> {
        let left = self.headers.size_of_image.checked_sub(rva);
        if left.is_some_and(|left| length <= left as usize) {
            return Ok(());
        }
        Err(self.corrupt(structure, rva, "it leaves the image"))
    }

    fn corrupt(
        &self,
        structure: &'static str,
        rva: u32,
        reason: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Error {
        let address = self.image.base().wrapping_add(rva.into());
        Error::corrupt(structure, address, reason)
    }
}
