//! What the fuzz targets share.

pub mod c;
#[path = "../../tests/support/exercise.rs"]
pub mod exercise;
pub mod guest;
pub mod memory_file;
pub mod pages;
#[path = "../../tests/support/tour.rs"]
pub mod tour;

use winvmi::driver::{FileMode, OpenOptions, Target, open};

use crate::memory_file::MemoryFile;

/// Opens the rest of `data` as the format that its first byte chooses among
/// `prefixes`, and calls everything that the back end offers.
pub fn open_image(prefixes: &[&str], data: &[u8]) {
    let Some((&choice, image)) = data.split_first() else {
        return;
    };
    let prefix = prefixes[usize::from(choice >> 1) % prefixes.len()];
    let file_mode = match choice & 1 {
        0 => FileMode::Map,
        _ => FileMode::Read,
    };
    let file = MemoryFile::new(image);
    let target = Target::parse(&format!("{prefix}{}", file.path().display())).unwrap();
    if let Ok(driver) = open(&target, OpenOptions { file_mode }) {
        exercise::exercise(&*driver);
    }
}
