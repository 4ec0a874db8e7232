//! Back ends: one file or folder per format, found by content or named by a prefix,
//! and one per hypervisor, named by a prefix.
//!
//! A file format says where which memory lies ([`image::Layout`]) and what its
//! headers tell; everything else is shared ([`image::Image`]). Drivers know the
//! core, the architecture and errors, nothing above.

mod elf;
mod file;
mod foreign;
mod image;
mod kdmp;
mod lime;
mod pagefile;
mod raw;
mod segments;
mod target;
mod xen;

use std::sync::Arc;

pub use self::{file::FileMode, pagefile::open_pagefile, target::Target};
use self::{file::ImageFile, image::Image, target::Place};
use crate::{
    core::Driver,
    error::{Error, Result},
};

/// A file format.
pub struct Format {
    /// Prefix that forces it: `"kdmp"` for `kdmp:PATH`.
    prefix: &'static str,
    /// What people call it.
    name: &'static str,
    /// Are these the first (at most [`HEAD`]) bytes of such a file, be it damaged or
    /// of a kind that this build refuses?
    claims: fn(&[u8]) -> bool,
    /// Opens it.
    open: fn(ImageFile) -> Result<Image>,
}

/// All file formats, in the order of detection.
const FORMATS: &[Format] = &[kdmp::FORMAT, elf::FORMAT, lime::FORMAT, raw::FORMAT];

/// A hypervisor with running guests.
pub struct Host {
    /// Prefix of its targets: `"xen"` for `xen:NAME-OR-ID`.
    prefix: &'static str,
    /// Opens the guest that the rest of the target names.
    open: fn(&str) -> Result<Arc<dyn Driver>>,
}

/// All hypervisors, those that this build lacks included.
const HOSTS: &[Host] = &[Host {
    prefix: "xen",
    open: xen::open,
}];

/// Bytes that detection looks at.
const HEAD: u64 = 4096;

/// How a target is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions {
    /// How files are accessed.
    pub file_mode: FileMode,
}

/// Opens the back end of `target`.
pub fn open(target: &Target, options: OpenOptions) -> Result<Arc<dyn Driver>> {
    match target.place() {
        Place::Guest { host, name } => (host.open)(name),
        Place::File { format, path } => {
            let file = ImageFile::open(path, options.file_mode)?;
            let format = match format {
                Some(format) => format,
                None => detect(&file)?,
            };
            Ok(Arc::new((format.open)(file)?))
        }
    }
}

fn detect(file: &ImageFile) -> Result<&'static Format> {
    let head = file.load("image", "first page", 0, file.len().min(HEAD))?;
    if let Some(other) = foreign::name(&head) {
        let reason = format!("{other}, not an image of memory (raw:PATH opens it as one)");
        return Err(Error::format("image", reason));
    }
    let format = FORMATS.iter().find(|format| (format.claims)(&head));
    format.ok_or_else(|| Error::format("image", "its format is not known"))
}
