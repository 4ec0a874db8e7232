//! ELF cores and LiME images.

use std::fs::OpenOptions;

use winvmi::{
    core::{Capabilities, Gfn, Pa},
    driver::{FileMode, Target, open},
};
use winvmi_forge::CoreFormat;

use crate::support::{
    FRAMES, REGISTERS, TempFile, assert_frames, core_sample, open_bytes, put, refusal, runs,
};

fn assert_registers(core: &[u8], with_lstar: bool) {
    let driver = open_bytes("elf:", core, FileMode::Auto).unwrap();
    assert_eq!(driver.info().vcpus, 2);
    let registers = driver.registers().unwrap();
    let first = registers.get(0).unwrap();
    let expected = REGISTERS;
    assert_eq!(
        (first.rip, first.rsp, first.rax, first.rflags),
        (expected.rip, expected.rsp, expected.rax, expected.rflags)
    );
    assert_eq!(
        (first.cr0, first.cr3, first.cr4),
        (expected.cr0, expected.cr3, expected.cr4)
    );
    assert_eq!(first.gs.base, expected.gs_base);
    assert_eq!(first.kernel_gs_base, expected.kernel_gs_base);
    assert_eq!(first.efer & 0x500, 0x500, "long mode");
    let lstar = if with_lstar { expected.lstar } else { 0 };
    assert_eq!((first.lstar, first.cs.selector), (lstar, 0x10));
    let second = registers.get(1).unwrap();
    assert_eq!(second.gs.base, expected.kernel_gs_base);
    assert_eq!(second.kernel_gs_base, expected.gs_base);
    assert!(registers.get(2).is_err());
}

#[test]
fn a_qemu_core_has_memory_and_registers() {
    let core = core_sample(CoreFormat::Qemu);
    let driver = open_bytes("", &core, FileMode::Auto).unwrap();
    assert_eq!(
        (driver.info().name, driver.info().format),
        ("elf", "QEMU core")
    );
    assert_frames(&*driver, &FRAMES, true);
    let code = driver.registers().unwrap().get(0).unwrap().cs;
    assert_eq!((code.access, code.limit), (0xa09b, u32::MAX));
    assert_registers(&core, false);
}

/// Headers and notes that QEMU 7.2 wrote of a machine of 32 MiB and two processors:
/// the first in long mode, the second waiting in the firmware.
const QEMU_HEAD: &[u8] = include_bytes!("data/qemu-7.2-core.head");

#[test]
fn a_real_qemu_core() {
    let file = TempFile::new(QEMU_HEAD);
    let whole = OpenOptions::new().append(true).open(file.path()).unwrap();
    // Memory, without the section names behind it.
    whole.set_len(50_464_824).unwrap();
    let driver = open(&Target::from(file.path()), Default::default()).unwrap();
    let expected = [
        (0, 0xa_0000),
        (0xc_0000, 0x1f4_0000),
        (0xfd00_0000, 0x100_0000),
        (0xfffc_0000, 0x4_0000),
    ];
    assert_eq!(runs(&*driver), expected);
    assert_eq!(driver.info().vcpus, 2);
    let first = driver.registers().unwrap().get(0).unwrap();
    assert_eq!((first.r15, first.rip), (0x1122_3344_5566_7788, 0x7cbe));
    assert_eq!((first.cr3, first.cr4, first.efer), (0x1000, 0x20, 0x500));
    assert_eq!(first.gs.base, 0xffff_f800_0000_1000);
    assert_eq!(first.kernel_gs_base, 0x7fff_1234_5000);
    assert_eq!((first.cs.selector, first.cs.access), (8, 0xa09b));
    assert_eq!((first.gdtr.base, first.gdtr.limit), (0x7cc0, 0x17));
    let second = driver.registers().unwrap().get(1).unwrap();
    assert_eq!((second.cr0, second.efer), (0x11, 0));
}

#[test]
fn a_virtualbox_core_has_memory_and_registers() {
    let core = core_sample(CoreFormat::VirtualBox);
    let driver = open_bytes("", &core, FileMode::Read).unwrap();
    assert_eq!(driver.info().format, "VirtualBox core");
    assert_frames(&*driver, &FRAMES, false);
    assert_registers(&core, true);
}

#[test]
fn a_xen_core_has_pages_in_any_order_and_registers() {
    let core = core_sample(CoreFormat::Xen);
    for (mode, mapped) in [(FileMode::Map, true), (FileMode::Read, false)] {
        let driver = open_bytes("", &core, mode).unwrap();
        assert_eq!(driver.info().format, "Xen core");
        assert_frames(&*driver, &FRAMES, mapped);
    }
    assert_registers(&core, false);
}

#[test]
fn a_lime_image_has_the_frames_of_its_ranges() {
    let image = core_sample(CoreFormat::Lime);
    for (mode, mapped) in [(FileMode::Map, true), (FileMode::Read, false)] {
        let driver = open_bytes("", &image, mode).unwrap();
        assert_eq!(driver.info().name, "lime");
        assert!(!driver.capabilities().contains(Capabilities::REGISTERS));
        assert_frames(&*driver, &FRAMES, mapped);
    }
    let mut damaged = image.clone();
    put(&mut damaged, 0x20 + 0x3000, b"XXXX");
    assert!(refusal(&damaged).contains("0x3020"));
    put(&mut damaged, 4, &2_u32.to_le_bytes());
    assert!(refusal(&damaged).contains("no header of version 1"));
}

#[test]
fn ranges_may_share_a_page() {
    let mut image = Vec::new();
    for (start, bytes) in [(0x1000_u64, &[1; 0x800]), (0x1800, &[2; 0x800])] {
        image.extend(b"EMiL\x01\0\0\0");
        image.extend(start.to_le_bytes());
        image.extend((start + 0x7ff).to_le_bytes());
        image.extend([0; 8]);
        image.extend(bytes);
    }
    let driver = open_bytes("", &image, FileMode::Map).unwrap();
    let physical = driver.physical().unwrap();
    let mut bytes = [0; 4];
    physical.read(Pa(0x17fe), &mut bytes).unwrap();
    assert_eq!(bytes, [1, 1, 2, 2]);
    assert!(physical.pin(Gfn(1)).is_none(), "its halves lie apart");
    assert_eq!(runs(&*driver), [(0x1000, 0x1000)]);
}

#[test]
fn other_elf_files_are_refused_by_name() {
    let changed = |offset: usize, bytes: &[u8]| {
        let mut core = core_sample(CoreFormat::Qemu);
        put(&mut core, offset, bytes);
        refusal(&core)
    };
    assert!(changed(4, &[1]).contains("32-bit machine"));
    assert!(changed(5, &[2]).contains("byte order"));
    assert!(changed(0x10, &[3]).contains("executable"));
    assert!(changed(0x12, &[183]).contains("ARM64"));
    assert!(changed(0x12, &[3]).contains("32-bit x86"));
    assert!(changed(0x38, &[1]).contains("no memory"));
    let mut xen = core_sample(CoreFormat::Xen);
    let magic = 0xf00f_ebee_u64.to_le_bytes();
    let at = xen.windows(8).position(|it| it == magic).unwrap();
    xen[at] = 0xed;
    assert!(refusal(&xen).contains("paravirtualised"));
}
