//! Whole forged guests in every format: the same memory, the same registers.

use std::sync::Arc;

use winvmi::{
    core::{Driver, Gfn, Va},
    driver::{Target, open},
};
use winvmi_forge::{CoreFormat, DumpType, Guest, ImageFormat, Layout, Machine, Options, PAGE_SIZE};

use crate::support::TempFile;

fn forge(layout: Layout) -> Guest {
    Guest::new(layout, &Options::default()).unwrap()
}

/// Opens the guest in `format`, without naming the format.
fn opened(guest: &Guest, format: ImageFormat) -> Arc<dyn Driver> {
    let file = TempFile::new(&[]);
    guest.write_file(format, file.path()).unwrap();
    open(&Target::from(file.path()), Default::default()).unwrap()
}

fn assert_memory(driver: &dyn Driver, machine: &Machine) {
    let physical = driver.physical().unwrap();
    let mut expected = vec![0; PAGE_SIZE as usize];
    let mut found = expected.clone();
    for (number, frame) in machine.memory.frames() {
        physical.read(Gfn(number).pa(), &mut found).unwrap();
        assert!(found == *frame, "frame {number:#x}");
    }
    for range in &machine.ranges {
        let last = range.end - PAGE_SIZE;
        physical.read(winvmi::core::Pa(last), &mut found).unwrap();
        machine.memory.read(last, &mut expected);
        assert!(found == expected, "last frame of {range:x?}");
    }
}

fn assert_registers(driver: &dyn Driver, machine: &Machine) {
    for (number, expected) in machine.registers.iter().enumerate() {
        let found = driver.registers().unwrap().get(number as u16).unwrap();
        assert_eq!(
            (found.rip, found.rsp, found.cr0, found.cr3, found.cr4),
            (
                expected.rip,
                expected.rsp,
                expected.cr0,
                expected.cr3,
                expected.cr4
            )
        );
        assert_eq!(
            (found.gs.base, found.kernel_gs_base, found.cs.selector),
            (expected.gs_base, expected.kernel_gs_base, expected.cs)
        );
    }
    assert_eq!(usize::from(driver.info().vcpus), machine.registers.len());
}

fn assert_kernel(driver: &dyn Driver, guest: &Guest) {
    let kernel = &guest.expected().kernel;
    let hints = driver.hints();
    assert_eq!(hints.kernel_base, Some(Va(kernel.base)));
    assert_eq!(hints.build, Some(kernel.build));
    assert_eq!(hints.debugger_data, Some(Va(kernel.debugger_data)));
    assert_registers(driver, &guest.machine());
    let lstar = driver.registers().unwrap().get(0).unwrap().lstar;
    assert_eq!(lstar, kernel.lstar);
}

#[test]
fn full_dumps_of_all_layouts_tell_what_their_kernel_knows() {
    for layout in Layout::ALL {
        let guest = forge(layout);
        let driver = opened(&guest, ImageFormat::Dump(DumpType::Full));
        assert_memory(&*driver, &guest.machine());
        assert_kernel(&*driver, &guest);
    }
}

#[test]
fn dumps_of_all_types_hold_the_same_guest() {
    let guest = forge(Layout::Win10_2004);
    let listed = [
        DumpType::Kernel,
        DumpType::KernelAndUser,
        DumpType::Complete,
    ];
    let formats = DumpType::ALL.map(ImageFormat::Dump).into_iter();
    for format in formats.chain(listed.map(ImageFormat::Ranges)) {
        let driver = opened(&guest, format);
        assert_kernel(&*driver, &guest);
        let (ImageFormat::Dump(kind) | ImageFormat::Ranges(kind)) = format else {
            continue;
        };
        assert_eq!(driver.physical().is_none(), kind == DumpType::Triage);
        if kind.is_complete() {
            assert_memory(&*driver, &guest.machine());
        }
    }
}

#[test]
fn a_triage_dump_holds_copies_of_what_runs() {
    let guest = forge(Layout::Win10_2004);
    let driver = opened(&guest, ImageFormat::Dump(DumpType::Triage));
    let processor = &guest.expected().processors[0];
    for va in [processor.kprcb, processor.current_thread] {
        let (mut found, mut expected) = ([0; 0x300], [0; 0x300]);
        let done = driver.by_address().unwrap().read(Va(va), &mut found);
        guest.read(va, &mut expected);
        assert_eq!((done, found), (0x300, expected));
    }
    let modules = driver.hints().modules;
    assert_eq!(modules.len(), guest.expected().modules.len());
    for (found, expected) in modules.iter().zip(&guest.expected().modules) {
        assert_eq!(found.base, Va(expected.base));
        assert_eq!(String::from_utf16(&found.path).unwrap(), expected.path);
    }
}

#[test]
fn cores_hold_the_same_guest() {
    let guest = forge(Layout::Win10_2004);
    let formats = [
        ("QEMU core", CoreFormat::Qemu),
        ("VirtualBox core", CoreFormat::VirtualBox),
        ("Xen core", CoreFormat::Xen),
        ("", CoreFormat::Lime),
    ];
    for (name, format) in formats {
        let driver = opened(&guest, ImageFormat::Core(format));
        assert_eq!(driver.info().format, name);
        assert_memory(&*driver, &guest.machine());
        if format != CoreFormat::Lime {
            assert_registers(&*driver, &guest.machine());
        }
    }
}
