//! Damaged kernel structures: every walk to its end.

#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use winvmi_fuzz::{
    guest::{Aim, Patch, with_windows},
    tour::Tour,
};

/// Elements of one iterator: seldom all, so that most inputs take little time.
const LIMITS: [usize; 16] = [2000, 32, 16, 16, 8, 8, 8, 8, 4, 4, 4, 4, 4, 4, 2, 2];

#[derive(Arbitrary, Debug)]
struct Plan {
    layout: u8,
    limit: u8,
    objects: bool,
    patches: Vec<Patch>,
}

fuzz_target!(|plan: Plan| {
    let limit = LIMITS[usize::from(plan.limit) % LIMITS.len()];
    with_windows(plan.layout, Aim::Structures, &plan.patches, |windows| {
        match plan.objects {
            true => Tour::objects(windows, limit),
            false => Tour::of(windows, limit),
        };
    });
});
