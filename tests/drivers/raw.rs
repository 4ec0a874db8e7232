//! Raw images.

use winvmi::{
    core::{Capabilities, Gfn, Pa},
    driver::FileMode,
};

use crate::support::{assert_frames, open_bytes, page, refusal, runs};

#[test]
fn a_raw_image_is_physical_memory_byte_for_byte() {
    let bytes: Vec<u8> = (0..5).flat_map(page).collect();
    for (mode, mapped) in [(FileMode::Map, true), (FileMode::Read, false)] {
        let driver = open_bytes("", &bytes, mode).unwrap();
        assert_frames(&*driver, &[0, 1, 2, 3, 4], mapped);
        let pin = driver.capabilities().contains(Capabilities::PIN);
        assert_eq!((driver.info().name, pin), ("raw", mapped));
    }
}

#[test]
fn the_last_page_of_a_raw_image_may_be_cut() {
    let mut bytes: Vec<u8> = (0..2).flat_map(page).collect();
    bytes.truncate(4096 + 100);
    let driver = open_bytes("raw:", &bytes, FileMode::Map).unwrap();
    let physical = driver.physical().unwrap();
    let mut word = [0; 4];
    physical.read(Pa(4096 + 96), &mut word).unwrap();
    assert_eq!(word, bytes[4192..4196]);
    assert!(physical.read(Pa(4096 + 97), &mut word).is_err());
    assert!(physical.pin(Gfn(0)).is_some());
    assert!(physical.pin(Gfn(1)).is_none(), "half a page is not pinned");
    assert_eq!(driver.info().memory_size, 4196);
    assert_eq!(runs(&*driver), [(0, 4096)]);
}

#[test]
fn what_is_no_image_is_refused() {
    assert!(refusal(&[]).contains("empty"));
    let archive = [b"PK\x03\x04".as_slice(), &[0; 4096]].concat();
    assert!(refusal(&archive).contains("zip archive"));
    assert!(open_bytes("raw:", &archive, FileMode::Auto).is_ok());
    let directory = winvmi::driver::Target::parse("/").unwrap();
    let error = winvmi::driver::open(&directory, Default::default());
    assert!(error.err().unwrap().to_string().contains("not a file"));
}
