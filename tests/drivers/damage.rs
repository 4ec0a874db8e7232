//! Every header byte flipped, every header cut at every byte: an error or a driver
//! that behaves, never a panic, a hang or a huge allocation. `tests/c/format_damage.c`
//! does the same through C.

use winvmi::driver::FileMode;

use crate::exercise::exercise;
use crate::support::{open_bytes, samples};

#[test]
fn every_format_is_found_without_being_named() {
    for sample in samples() {
        let driver = open_bytes("", &sample.bytes, FileMode::Auto).unwrap();
        assert_eq!(driver.info().name, sample.back_end, "{}", sample.name);
    }
}

#[test]
fn flipped_header_bytes() {
    for sample in samples() {
        for offset in sample.offsets() {
            for mask in [0xff, 0x01, 0x80] {
                let mut bytes = sample.bytes.clone();
                bytes[offset] ^= mask;
                if let Ok(driver) = open_bytes(&sample.prefix(), &bytes, FileMode::Auto) {
                    exercise(&*driver);
                }
            }
        }
    }
}

#[test]
fn cut_headers() {
    for sample in samples() {
        for length in sample.offsets().chain([sample.bytes.len() - 1]) {
            for prefix in ["", &sample.prefix()] {
                if let Ok(driver) = open_bytes(prefix, &sample.bytes[..length], FileMode::Auto) {
                    exercise(&*driver);
                }
            }
        }
    }
}
