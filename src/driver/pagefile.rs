//! Page files (`pagefile.sys`) beside an image.

use std::{path::Path, sync::Arc};

use super::{OpenOptions, file::ImageFile};
use crate::{
    core::Pagefile,
    error::{FaultKind, Result},
};

impl Pagefile for ImageFile {
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FaultKind> {
        Self::read(self, offset, buffer)
    }
}

/// Opens a copy of a guest's page file. It has no format: pages lie at their offsets.
pub fn open_pagefile(path: &Path, options: OpenOptions) -> Result<Arc<dyn Pagefile>> {
    Ok(Arc::new(ImageFile::open(path, options.file_mode)?))
}
