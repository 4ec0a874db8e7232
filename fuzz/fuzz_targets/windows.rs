//! Damaged kernel structures: every walk to its end.

#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use winvmi_fuzz::{
    guest::{Patch, windows},
    tour::Tour,
};

/// Elements of one iterator.
const LIMIT: usize = 2000;

#[derive(Arbitrary, Debug)]
struct Plan {
    layout: u8,
    objects: bool,
    patches: Vec<Patch>,
}

fuzz_target!(|plan: Plan| {
    if let Some(windows) = windows(plan.layout, &plan.patches) {
        match plan.objects {
            true => Tour::objects(&windows, LIMIT),
            false => Tour::of(&windows, LIMIT),
        };
    }
});
