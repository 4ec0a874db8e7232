//! Files rebuilt from loaded images, sound ones and damaged ones.

use super::*;
use crate::{
    core::bytes::{u16_at, u32_at},
    error::FaultKind,
};

fn bytes(extraction: &Extraction<impl Image>) -> Vec<u8> {
    let mut bytes = vec![0xaa; extraction.len() as usize];
    assert_eq!(extraction.read(0, &mut bytes), bytes.len());
    bytes
}

#[test]
fn a_loaded_image_becomes_its_file_again() {
    for sample in &SAMPLES {
        let image = loaded(&sample.pe());
        let file = Extraction::file(&image[..]).unwrap();
        let again = bytes(&file);
        assert_eq!(again.len(), sample.dll.len());
        assert!(loaded(&Pe::parse(File::new(&again).unwrap()).unwrap()) == image);
        assert_eq!(file.missing(), []);
        let memory = Extraction::memory(&image[..], image.len() as u32);
        assert!(bytes(&memory) == image);
    }
}

#[test]
fn what_is_behind_the_image_is_missing() {
    let image = loaded(&SAMPLES[0].pe());
    let longer = image.len() as u32 + 0x1234;
    let extraction = Extraction::memory(&image[..], longer);
    let missing = extraction.missing();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].offsets, image.len() as u64..longer.into());
    assert_eq!(missing[0].cause, FaultKind::NotInImage);
    assert!(
        bytes(&extraction)[image.len()..]
            .iter()
            .all(|&byte| byte == 0)
    );
}

/// Offset of the header of section `index`.
fn section_header(image: &[u8], index: usize) -> usize {
    let nt = u32_at(image, 0x3c).unwrap() as usize;
    let optional_size = u16_at(image, nt + 20).unwrap();
    nt + 24 + usize::from(optional_size) + index * 40
}

#[test]
fn of_overlapping_sections_the_first_counts() {
    let mut image = loaded(&SAMPLES[0].pe());
    let [first, second] = [0, 1].map(|index| section_header(&image, index));
    let offset = u32_at(&image, first + 20).unwrap();
    image[second + 20..second + 24].copy_from_slice(&(offset + 0x100).to_le_bytes());
    let file = bytes(&Extraction::file(&image[..]).unwrap());
    let at = offset as usize;
    assert_eq!(file[at..at + 0x200], image[0x1000..0x1200]);
    // Of the second one, what the first has left of it.
    assert_eq!(file[at + 0x200..at + 0x300], image[0x2100..0x2200]);
}

#[test]
fn sizes_of_damaged_headers_cost_nothing() {
    let sound = loaded(&SAMPLES[1].pe());
    let mut buffer = vec![0; 0x1000];
    for at in 0..0x400 {
        for damage in [0x00, 0x7f, 0xff] {
            let mut image = sound.clone();
            image[at] = damage;
            let Ok(file) = Extraction::file(&image[..]) else {
                continue;
            };
            for offset in [0, 0x3f0, file.len() / 2, file.len().saturating_sub(1)] {
                let read = file.read(offset, &mut buffer) as u64;
                assert_eq!(read, file.len().saturating_sub(offset).min(0x1000));
            }
            let mut end = 0;
            for range in file.missing() {
                assert!(range.offsets.start >= end && range.offsets.end <= file.len());
                end = range.offsets.end;
            }
        }
    }
}
