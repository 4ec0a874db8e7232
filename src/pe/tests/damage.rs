//! Loaded images, images with holes, damaged ones.

use super::*;
use crate::{
    core::{Pa, Partial, bytes::u32_at},
    error::{Fault, FaultKind},
};

#[test]
fn indirect_function_entries_are_followed_once() {
    let mut image = loaded(&SAMPLES[0].pe());
    let table = Pe::parse(&image[..])
        .unwrap()
        .headers()
        .directory(DirectoryKind::Exception);
    let table = table.unwrap().rva as usize;
    let primary = [0x2000_u32, 0x2010, 0x2020].map(u32::to_le_bytes).concat();
    image[table + 12..table + 24].copy_from_slice(&primary);
    image[table + 8..table + 12].copy_from_slice(&(table as u32 + 12 + 1).to_le_bytes());
    let entry = Pe::parse(&image[..])
        .unwrap()
        .runtime_function(0x1018)
        .unwrap();
    assert_eq!(entry.unwrap().unwind_info, 0x2020);
    // An entry that names itself ends the search.
    image[table + 8..table + 12].copy_from_slice(&(table as u32 + 1).to_le_bytes());
    assert!(
        Pe::parse(&image[..])
            .unwrap()
            .runtime_function(0x1018)
            .is_err()
    );
}

#[test]
fn loaded_images_read_like_files() {
    for sample in &SAMPLES {
        let file = sample.pe();
        let image = loaded(&file);
        let pe = Pe::parse(&image[..]).unwrap();
        assert_eq!(pe.headers(), file.headers());
        assert_eq!(pe.sections().unwrap(), file.sections().unwrap());
        assert_eq!(pe.codeview().unwrap(), file.codeview().unwrap());
        let list = |exports: Vec<Result<Export>>| -> Vec<_> {
            exports.into_iter().map(Result::unwrap).collect()
        };
        assert_eq!(
            list(pe.exports().unwrap().unwrap().iter().collect()),
            list(file.exports().unwrap().unwrap().iter().collect())
        );
    }
}

/// An image one page of which is missing.
struct Holed<'a> {
    image: &'a [u8],
    page: u32,
}

impl Image for Holed<'_> {
    fn base(&self) -> u64 {
        0
    }

    fn read(&self, rva: u32, buffer: &mut [u8]) -> Result<(), Partial> {
        let hole = self.page << 12;
        let end = rva + buffer.len() as u32;
        if end <= hole || rva >= hole + 0x1000 {
            return self.image.read(rva, buffer);
        }
        let done = hole.saturating_sub(rva) as usize;
        self.image.read(rva, &mut buffer[..done])?;
        Err(Partial {
            done,
            fault: Fault::physical(Pa(hole.into()), FaultKind::NotInImage),
        })
    }
}

#[test]
fn a_missing_page_spoils_only_what_lies_in_it() {
    let image = loaded(&SAMPLES[0].pe());
    let holed = |page| {
        Pe::parse(Holed {
            image: &image,
            page,
        })
    };
    assert!(holed(0).is_err_and(|error| error.fault().is_some()));
    // Page 2 holds all tables, page 4 the function table alone.
    let pe = holed(2).unwrap();
    assert!(pe.sections().is_ok());
    assert!(pe.runtime_function(0x1018).unwrap().is_some());
    assert!(pe.codeview().is_err_and(|error| error.fault().is_some()));
    assert!(pe.exports().is_err_and(|error| error.fault().is_some()));
    let pe = holed(4).unwrap();
    assert!(pe.exports().unwrap().unwrap().iter().all(|it| it.is_ok()));
    assert!(pe.runtime_function(0x1018).is_err());
}

#[test]
fn export_tables_across_a_missing_page_keep_their_other_entries() {
    let mut image = loaded(&SAMPLES[0].pe());
    image.resize(0x6000, 0);
    let file = SAMPLES[0].pe();
    let directory = file.headers().directory(DirectoryKind::Export).unwrap();
    let whole = file.exports().unwrap().unwrap();
    // Moves the address table so that its entry 11 ends page 4, with the rest missing.
    let table = 0x5000 - 12 * 4;
    let from = u32_at(&image, directory.rva as usize + 28).unwrap() as usize;
    image.copy_within(from..from + 22 * 4, table);
    let field = directory.rva as usize + 28;
    image[field..field + 4].copy_from_slice(&(table as u32).to_le_bytes());
    let size_of_image = u32_at(&image, 0x3c).unwrap() as usize + 24 + 56;
    image[size_of_image..size_of_image + 4].copy_from_slice(&0x6000_u32.to_le_bytes());
    let pe = Pe::parse(Holed {
        image: &image,
        page: 5,
    });
    let pe = pe.unwrap();
    let exports = pe.exports().unwrap().unwrap();
    for name in ["add", "ticks"] {
        assert_eq!(exports.by_name(name).unwrap(), whole.by_name(name).unwrap());
    }
    let missing = exports.by_name("exported_data");
    assert!(missing.is_err_and(|error| error.fault().is_some()));
    assert_eq!(exports.iter().filter(Result::is_ok).count(), 2);
}

#[test]
fn flipped_bytes_are_survived() {
    for sample in &SAMPLES {
        let image = loaded(&sample.pe());
        // All headers, then all tables.
        for at in (0..0x400).chain(0x2000..0x2400) {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = image.clone();
                damaged[at] ^= flip;
                let _ = read_all(&damaged[..]);
            }
        }
    }
}

#[test]
fn truncated_images_are_survived() {
    for sample in &SAMPLES {
        let image = loaded(&sample.pe());
        for length in 0..image.len() {
            let _ = read_all(&image[..length]);
        }
        for length in 0..sample.dll.len() {
            if let Ok(file) = File::new(&sample.dll[..length]) {
                let _ = read_all(file);
            }
        }
        assert!(read_all(&image[..]).is_ok());
    }
}
