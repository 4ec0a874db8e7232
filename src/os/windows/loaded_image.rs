//! PE images that the guest has loaded, in the kernel or in a process.

use super::ProcessMemory;
use crate::{
    core::{Partial, Va},
    pe::{Image, Mapped},
};

/// An image that the guest has loaded.
#[derive(Clone, Copy)]
pub enum LoadedImage<'a> {
    /// As far as the page tables lead to it.
    Mapped(Mapped<'a>),
    /// As its process would find it: pages behind prototype entries and in the
    /// session's page files, too.
    OfProcess {
        /// The process's memory.
        memory: ProcessMemory<'a>,
        /// Address of the first byte.
        base: Va,
    },
}

impl Image for LoadedImage<'_> {
    fn base(&self) -> u64 {
        match self {
            Self::Mapped(image) => image.base(),
            Self::OfProcess { base, .. } => base.0,
        }
    }

    fn read(&self, rva: u32, buffer: &mut [u8]) -> Result<(), Partial> {
        match self {
            Self::Mapped(image) => image.read(rva, buffer),
            Self::OfProcess { memory, base } => memory.read(base.wrapping_add(rva.into()), buffer),
        }
    }
}
