//! Full crash dumps.

use winvmi::{
    core::{Capabilities, Pa, Va},
    driver::FileMode,
};

use crate::support::{assert_frames, full_dump, header, open_bytes, put, refusal};

#[test]
fn a_full_dump_has_the_frames_of_its_runs() {
    let dump = full_dump(&[(1, 3), (0x10, 1), (0x11, 2), (0x40, 1)]);
    for (mode, mapped) in [(FileMode::Map, true), (FileMode::Read, false)] {
        let driver = open_bytes("", &dump, mode).unwrap();
        assert_frames(&*driver, &[1, 2, 3, 0x10, 0x11, 0x12, 0x40], mapped);
    }
}

#[test]
fn its_header_tells_what_it_knows() {
    let driver = open_bytes("kdmp:", &full_dump(&[(1, 1)]), FileMode::Auto).unwrap();
    let hints = driver.hints();
    assert_eq!(hints.root, Some(Pa(0x3000)));
    assert_eq!(hints.process_list, Some(Va(0xffff_f800_0000_1000)));
    assert_eq!(hints.module_list, Some(Va(0xffff_f800_0000_2000)));
    assert_eq!(hints.debugger_data, Some(Va(0xffff_f800_0000_3000)));
    assert_eq!(hints.build, Some(19041));
    let bug_check = hints.bug_check.unwrap();
    assert_eq!(
        (bug_check.code, bug_check.parameters),
        (0x1000_007e, [1, 2, 3, 4])
    );
    assert_eq!(driver.info().vcpus, 2);
    assert!(driver.capabilities().contains(Capabilities::REGISTERS));
    let registers = driver.registers().unwrap().get(0).unwrap();
    assert_eq!(registers.rip, 0xffff_f800_0000_4000);
    assert_eq!((registers.cr3, registers.cs.selector), (0x3000, 0x10));
    assert!(driver.registers().unwrap().get(1).is_err());
}

#[test]
fn a_cut_dump_has_the_pages_that_are_left() {
    let mut dump = full_dump(&[(1, 3)]);
    dump.truncate(dump.len() - 4096);
    let driver = open_bytes("", &dump, FileMode::Auto).unwrap();
    assert_frames(&*driver, &[1, 2], true);
}

#[test]
fn other_dumps_are_refused_by_name() {
    let machine = |number: u32| {
        let mut dump = full_dump(&[(1, 1)]);
        put(&mut dump, 0x30, &number.to_le_bytes());
        refusal(&dump)
    };
    assert!(machine(0xaa64).contains("ARM64"));
    assert!(machine(0x14c).contains("32-bit"));
    let signature = |text: &[u8]| {
        let mut dump = full_dump(&[(1, 1)]);
        put(&mut dump, 0, text);
        refusal(&dump)
    };
    assert!(signature(b"PAGEDUMP").contains("32-bit Windows"));
    assert!(signature(b"MDMP").contains("minidump"));
    assert!(signature(b"PAGEDU65").contains("PAGEDU64"));
    assert!(refusal(&header(3)).contains("header-only"));
    assert!(refusal(&header(77)).contains("0x4d"));
}
