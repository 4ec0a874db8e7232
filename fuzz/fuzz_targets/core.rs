//! ELF cores of QEMU, VirtualBox and Xen, and LiME images.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| winvmi_fuzz::open_image(&["elf:", "lime:", "raw:"], data));
