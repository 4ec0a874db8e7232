//! Dumps of single pages: bitmaps, summaries, ranges.

use std::{fs::OpenOptions, time::Instant};

use winvmi::{
    core::{Gfn, Pa},
    driver::{FileMode, Target},
};

use crate::support::{
    TempFile, assert_frames, bitmap_dump, open_bytes, page, put, range_dump, refusal, summary_dump,
};

/// Word borders, a hole inside a word, a run across words.
const FRAMES: [u64; 10] = [1, 2, 5, 62, 63, 64, 65, 127, 190, 199];

#[test]
fn a_bitmap_dump_has_the_frames_whose_bits_are_set() {
    for dump_type in [5, 6, 7, 8, 9, 10] {
        for (mode, mapped) in [(FileMode::Map, true), (FileMode::Read, false)] {
            let dump = bitmap_dump(dump_type, &FRAMES, 200);
            assert_frames(&*open_bytes("", &dump, mode).unwrap(), &FRAMES, mapped);
        }
    }
}

#[test]
fn full_and_kernel_bitmaps_have_two_signatures() {
    let mut dump = bitmap_dump(5, &FRAMES, 200);
    put(&mut dump, 0x2000, b"FDMP");
    assert_frames(
        &*open_bytes("", &dump, FileMode::Auto).unwrap(),
        &FRAMES,
        true,
    );
    put(&mut dump, 0x2000, b"XDMP");
    assert!(refusal(&dump).contains("SDMP"));
}

#[test]
fn bits_behind_the_last_frame_mean_nothing() {
    let mut dump = bitmap_dump(5, &FRAMES, 201);
    put(&mut dump, 0x2038 + 25, &[0xff]);
    let driver = open_bytes("", &dump, FileMode::Auto).unwrap();
    assert!(driver.physical().unwrap().pin(Gfn(201)).is_none());
    assert!(driver.physical().unwrap().pin(Gfn(199)).is_some());
}

#[test]
fn a_cut_bitmap_dump_has_the_pages_that_are_left() {
    let mut dump = bitmap_dump(6, &FRAMES, 200);
    dump.truncate(dump.len() - 3 * 4096 - 1);
    let driver = open_bytes("", &dump, FileMode::Auto).unwrap();
    assert_frames(&*driver, &FRAMES[..6], true);
}

#[test]
fn a_summary_dump_of_old_windows_opens_when_it_is_consistent() {
    let mut dump = summary_dump(&FRAMES, 200);
    let driver = open_bytes("", &dump, FileMode::Auto).unwrap();
    assert_eq!(driver.info().format, "summary dump");
    assert_frames(&*driver, &FRAMES, true);
    put(&mut dump, 0x2014, &9_u32.to_le_bytes());
    assert!(refusal(&dump).contains("10 pages present instead of 9"));
}

#[test]
fn a_range_dump_has_the_frames_of_its_ranges() {
    let ranges = [(1, 2), (0x10, 3), (0x20, 1)];
    for dump_type in [8, 9, 10] {
        let dump = range_dump(dump_type, &ranges);
        let driver = open_bytes("", &dump, FileMode::Auto).unwrap();
        assert_frames(&*driver, &[1, 2, 0x10, 0x11, 0x12, 0x20], true);
    }
    let mut dump = range_dump(10, &ranges);
    put(&mut dump, 0x2028, &4_u64.to_le_bytes());
    let driver = open_bytes("", &dump, FileMode::Auto).unwrap();
    assert_frames(&*driver, &[1, 2, 0x10, 0x11], true);
}

#[test]
fn sixty_four_gibibytes_open_at_once() {
    const FRAMES: u64 = 64 << 18;
    let bitmap_end = 0x2038 + FRAMES / 8;
    let first_page = bitmap_end.next_multiple_of(4096);
    let mut dump = bitmap_dump(5, &[], 0);
    dump.truncate(0x2038);
    dump.resize(bitmap_end as usize, 0xff);
    put(&mut dump, 0x2020, &first_page.to_le_bytes());
    put(&mut dump, 0x2028, &FRAMES.to_le_bytes());
    put(&mut dump, 0x2030, &FRAMES.to_le_bytes());
    let file = TempFile::new(&dump);
    let sparse = OpenOptions::new().write(true).open(file.path()).unwrap();
    sparse.set_len(first_page + FRAMES * 4096).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&sparse, &page(7), first_page + (FRAMES - 1) * 4096)
        .unwrap();

    let start = Instant::now();
    let driver = winvmi::driver::open(&Target::from(file.path()), Default::default()).unwrap();
    let took = start.elapsed();
    let mut word = [0; 8];
    let last = Gfn(FRAMES - 1).pa();
    driver.physical().unwrap().read(last, &mut word).unwrap();
    assert_eq!(u64::from_le_bytes(word), 7 << 16);
    driver.physical().unwrap().read(Pa(0), &mut word).unwrap();
    assert_eq!(word, [0; 8]);
    assert_eq!(driver.info().memory_size, 64 << 30);
    // An optimised build takes 2 ms; this leaves room for a loaded machine.
    assert!(took.as_millis() < 1000, "took {took:?}");
    println!("64 GiB opened in {took:?}");
}
