//! Headers of Windows crash dumps, and the detection of formats.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| winvmi_fuzz::open_image(&["kdmp:", ""], data));
