//! Every header byte flipped, every header cut at every byte: an error or a driver
//! that behaves, never a panic, a hang or a huge allocation.

use winvmi::driver::FileMode;
use winvmi_forge::CoreFormat;

use crate::cores::sample;
use crate::exercise::exercise;
use crate::support::{bitmap_dump, full_dump, open_bytes, range_dump, summary_dump, triage_dump};

/// An intact file, its prefix and the length of its headers.
struct Sample {
    prefix: &'static str,
    bytes: Vec<u8>,
    headers: usize,
}

impl Sample {
    fn new(prefix: &'static str, bytes: Vec<u8>, headers: usize) -> Self {
        let headers = headers.min(bytes.len());
        Self {
            prefix,
            bytes,
            headers,
        }
    }

    /// Offsets of header bytes, without the long fillers of dump headers.
    fn offsets(&self) -> impl Iterator<Item = usize> {
        let is_dump = self.prefix == "kdmp:";
        (0..self.headers).filter(move |offset| {
            !is_dump || !(0x850..0xef0).contains(offset) && !(0x1050..0x1ff0).contains(offset)
        })
    }
}

fn samples() -> Vec<Sample> {
    let frames = [1, 2, 5, 9, 64];
    let stored = [(0xffff_f800_0000_3000, &[0x41; 64][..])];
    vec![
        Sample::new("kdmp:", full_dump(&[(1, 2), (4, 1)]), 0x2000),
        Sample::new("kdmp:", bitmap_dump(5, &frames, 80), 0x2048),
        Sample::new("kdmp:", summary_dump(&frames, 80), 0x2038),
        Sample::new("kdmp:", range_dump(8, &[(1, 2), (4, 1)]), 0x2060),
        Sample::new("kdmp:", range_dump(10, &[(1, 2), (4, 1)]), 0x2060),
        Sample::new("kdmp:", triage_dump(&stored), 0x2140),
        Sample::new("elf:", sample(CoreFormat::Qemu), 0x400),
        Sample::new("elf:", sample(CoreFormat::VirtualBox), 0x400),
        Sample::new("elf:", sample(CoreFormat::Xen), 0x280),
        Sample::new("lime:", sample(CoreFormat::Lime), 0x20),
    ]
}

#[test]
fn flipped_header_bytes() {
    for sample in samples() {
        for offset in sample.offsets() {
            for mask in [0xff, 0x01, 0x80] {
                let mut bytes = sample.bytes.clone();
                bytes[offset] ^= mask;
                if let Ok(driver) = open_bytes(sample.prefix, &bytes, FileMode::Auto) {
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
            for prefix in ["", sample.prefix] {
                if let Ok(driver) = open_bytes(prefix, &sample.bytes[..length], FileMode::Auto) {
                    exercise(&*driver);
                }
            }
        }
    }
}
