//! Raw images: byte n of the file is byte n of physical memory.
//!
//! The length need not be a multiple of the page size; holes of a sparse file
//! read as the zeros that they are.

use super::{
    Format,
    file::ImageFile,
    image::Image,
    segments::{Segment, SegmentTable},
};
use crate::{
    core::driver::DriverInfo,
    error::{Error, Result},
};

/// The format; anything can be a raw image, so detection tries it last.
pub const FORMAT: Format = Format {
    prefix: "raw",
    name: "raw image",
    claims: |_| true,
    open,
};

fn open(file: ImageFile) -> Result<Image> {
    if file.len() == 0 {
        return Err(Error::format(FORMAT.name, "the file is empty"));
    }
    let whole = Segment {
        start: 0,
        length: file.len(),
        offset: 0,
    };
    let info = DriverInfo {
        name: FORMAT.prefix,
        format: "",
        vcpus: 0,
        memory_size: file.len(),
    };
    let layout = SegmentTable::new(vec![whole], file.len());
    Ok(Image::of_frames(info, file, layout))
}
