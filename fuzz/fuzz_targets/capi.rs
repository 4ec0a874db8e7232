//! The C API as sequences of calls.
//!
//! The caller keeps the header's rules (a handle is freed once, a pointer is
//! NULL or points to what it should) and breaks everything else: any order of
//! freeing, closed sessions, wrong numbers, wild objects, buffers of any size.
//! The sanitizer watches the buffers, which are as large as the call is told.

#![no_main]

#[path = "capi/caller.rs"]
mod caller;
#[path = "capi/room.rs"]
mod room;

use libfuzzer_sys::{arbitrary::Unstructured, fuzz_target};

/// Calls of one sequence.
const CALLS: usize = 64;

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let closes = input.ratio(1_u8, 32_u8).unwrap_or_default();
    let mut caller = caller::Caller::new(closes);
    for _ in 0..CALLS {
        if input.is_empty() || caller.call(&mut input).is_err() {
            break;
        }
    }
});
