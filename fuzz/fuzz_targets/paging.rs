//! Page tables with arbitrary content: translation and present ranges.

#![no_main]

use std::sync::Arc;

use arbitrary::{Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;
use winvmi::{
    arch::amd64::LongMode,
    core::{Memory, Pa, SoftwarePte, Space, Translate, Va},
};
use winvmi_fuzz::pages::Bytes;

/// Ranges that are looked at.
const RANGES: usize = 8;

#[derive(Arbitrary, Debug)]
struct Plan {
    five_levels: bool,
    invalid_mask: Option<u64>,
    root: u64,
    addresses: [u64; 4],
}

fn walker(plan: &Plan) -> LongMode {
    let mode = LongMode::new(if plan.five_levels { 5 } else { 4 });
    if let Some(invalid_mask) = plan.invalid_mask {
        mode.set_software_pte(SoftwarePte {
            invalid_mask,
            swizzle_bit: Some(4),
            pagefile_low_bit: 12,
            pagefile_high_bit: 32,
            prototype_low_bit: 16,
            virtual_store: Some(1),
        });
    }
    mode
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let Ok(plan) = Plan::arbitrary(&mut input) else {
        return;
    };
    let memory = Memory::new(Arc::new(Bytes::endless(input.take_rest())), 64);
    memory.set_translate(Arc::new(walker(&plan)));
    let root = Pa(plan.root);
    for address in plan.addresses {
        let first = memory.translate(root, Va(address));
        let second = memory.translate(root, Va(address));
        assert_eq!(first.ok(), second.ok(), "the cache agrees with the walk");
        let _ = memory.read(Space::Virtual { root }, address, &mut [0; 5000]);
    }
    let ranges = memory.ranges(Space::Virtual { root }, plan.addresses[0], u64::MAX);
    let mut next = plan.addresses[0];
    for range in ranges.take(RANGES) {
        assert!(range.length > 0 && range.address >= next, "{range:?}");
        let found = memory.translate(root, Va(range.address)).unwrap();
        assert_eq!(Some(found.pa), range.pa);
        next = range.address.saturating_add(range.length);
    }
});
