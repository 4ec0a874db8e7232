//! Whole forged guests in every format: the same memory, the same registers.

use std::{fs::File, io::BufWriter, path::Path};

use winvmi::{
    core::{Driver, Gfn, Va},
    driver::{Target, open},
};
use winvmi_forge::{CoreFormat, Guest, Layout, Machine, Options, PAGE_SIZE};

use crate::support::TempFile;

fn forge(layout: Layout) -> Guest {
    Guest::new(layout, &Options::default()).unwrap()
}

/// Opens what `write` writes, without naming the format.
fn opened(write: impl FnOnce(&Path)) -> std::sync::Arc<dyn Driver> {
    let file = TempFile::new(&[]);
    write(file.path());
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

#[test]
fn a_full_dump_tells_what_its_kernel_knows() {
    for layout in [Layout::ALL[0], Layout::ALL[7]] {
        let guest = forge(layout);
        let driver = opened(|path| guest.write_full_dump(path).unwrap());
        assert_memory(&*driver, &guest.machine());
        assert_registers(&*driver, &guest.machine());
        let kernel = &guest.expected().kernel;
        let hints = driver.hints();
        assert_eq!(hints.kernel_base, Some(Va(kernel.base)));
        assert_eq!(hints.build, Some(kernel.build));
        let lstar = driver.registers().unwrap().get(0).unwrap().lstar;
        assert_eq!(lstar, kernel.lstar);
    }
}

#[test]
fn cores_hold_the_same_guest() {
    let formats = [
        ("QEMU core", CoreFormat::Qemu),
        ("VirtualBox core", CoreFormat::VirtualBox),
        ("Xen core", CoreFormat::Xen),
        ("", CoreFormat::Lime),
    ];
    let guest = forge(Layout::Win10_2004);
    let machine = guest.machine();
    for (name, format) in formats {
        let driver = opened(|path| {
            let mut out = BufWriter::new(File::create(path).unwrap());
            machine.write(format, &mut out).unwrap();
        });
        assert_eq!(driver.info().format, name);
        assert_memory(&*driver, &machine);
        if !name.is_empty() {
            assert_registers(&*driver, &machine);
        }
    }
}
