//! Every header byte flipped, every header cut at every byte: an error or a driver
//! that behaves, never a panic, a hang or a huge allocation.

use winvmi::{
    core::{Driver, Gfn, Pa, Va},
    driver::FileMode,
};
use winvmi_forge::CoreFormat;

use crate::cores::sample;
use crate::support::{bitmap_dump, full_dump, open_bytes, range_dump, summary_dump, triage_dump};

/// Calls everything that a driver offers, a bounded number of times.
fn exercise(driver: &dyn Driver) {
    let info = driver.info();
    driver.hints();
    if let Some(registers) = driver.registers() {
        for vcpu in (0..info.vcpus.min(4)).chain([u16::MAX]) {
            let _ = registers.get(vcpu);
        }
    }
    if let Some(physical) = driver.physical() {
        let mut from = Gfn(0);
        for _ in 0..100 {
            let Some(run) = physical.next_run(from) else {
                break;
            };
            assert!(run.length > 0 && run.start >= from.pa().0);
            let mut bytes = [0; 64];
            physical.read(Pa(run.start), &mut bytes).unwrap();
            physical.pin(Pa(run.start).gfn());
            let Some(end) = Pa(run.start).checked_add(run.length) else {
                break;
            };
            from = end.gfn();
        }
    }
    if let Some(memory) = driver.by_address() {
        let mut from = Va(0);
        for _ in 0..100 {
            let Some(run) = memory.next_run(from) else {
                break;
            };
            assert!(run.length > 0 && run.start >= from.0);
            assert_eq!(memory.read(Va(run.start), &mut [0]), 1);
            from = Va(run.start).wrapping_add(run.length);
        }
    }
}

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
