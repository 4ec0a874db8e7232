//! Triage dumps: bytes by virtual address.

use std::path::PathBuf;

use winvmi::{
    core::{Capabilities, Pa, Va, driver::VirtualMemory},
    driver::{FileMode, Target, open},
};

use crate::support::{open_bytes, put, refusal, triage_dump};

const BASE: u64 = 0xffff_f800_0000_0000;

fn read(memory: &dyn VirtualMemory, va: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0xcc; length];
    let done = memory.read(Va(va), &mut bytes);
    assert!(bytes[done..].iter().all(|&byte| byte == 0xcc));
    bytes.truncate(done);
    bytes
}

#[test]
fn blocks_are_byte_ranges() {
    let dump = triage_dump(&[
        (BASE + 0x1ff8, b"01234567"),
        (BASE + 0x2000, b"89"),
        (BASE + 0x10, b"abc"),
        (BASE + 0x12, b"cdef"),
        (BASE + 0x10, b"abc"),
        (BASE + 0x3000, b""),
    ]);
    for mode in [FileMode::Map, FileMode::Read] {
        let driver = open_bytes("", &dump, mode).unwrap();
        assert_eq!(driver.info().format, "triage dump");
        assert!(driver.physical().is_none());
        let capabilities = driver.capabilities();
        assert!(capabilities.contains(Capabilities::VIRTUAL_READ));
        assert!(!capabilities.intersects(Capabilities::PIN | Capabilities::PHYSICAL_READ));
        let memory = driver.by_address().unwrap();
        assert_eq!(read(memory, BASE + 0x1ffa, 64), b"23456789");
        assert_eq!(read(memory, BASE + 0x10, 6), b"abcdef");
        assert_eq!(read(memory, BASE + 0x11, 2), b"bc");
        assert_eq!(read(memory, BASE + 0xf, 2), b"", "an absent byte is absent");
        assert_eq!(read(memory, u64::MAX, 2), b"");
        let first = memory.next_run(Va(0)).unwrap();
        assert_eq!((first.start, first.length), (BASE + 0x10, 6));
        let inside = memory.next_run(Va(BASE + 0x14)).unwrap();
        assert_eq!((inside.start, inside.length), (BASE + 0x14, 2));
        let second = memory.next_run(Va(BASE + 0x16)).unwrap();
        assert_eq!((second.start, second.length), (BASE + 0x1ff8, 10));
        assert!(memory.next_run(Va(BASE + 0x2002)).is_none());
    }
}

#[test]
fn the_stack_and_the_debugger_data_are_memory_too() {
    let mut dump = triage_dump(&[]);
    let stack = dump.len() as u32;
    dump.extend_from_slice(b"stack");
    put(&mut dump, 0x2028, &stack.to_le_bytes());
    put(&mut dump, 0x202c, &5_u32.to_le_bytes());
    put(&mut dump, 0x2048, &(BASE + 0x7000).to_le_bytes());
    let debugger_data = dump.len() as u32;
    let mut kdbg = vec![0; 0x380];
    put(&mut kdbg, 0x10, b"KDBG");
    put(&mut kdbg, 0x14, &0x380_u32.to_le_bytes());
    put(&mut kdbg, 0x18, &(BASE + 0x40_0000).to_le_bytes());
    dump.extend(kdbg);
    put(&mut dump, 0x2070, &debugger_data.to_le_bytes());
    put(&mut dump, 0x2074, &0x380_u32.to_le_bytes());
    let driver = open_bytes("", &dump, FileMode::Auto).unwrap();
    let memory = driver.by_address().unwrap();
    assert_eq!(read(memory, BASE + 0x7000, 9), b"stack");
    assert_eq!(read(memory, BASE + 0x3010, 4), b"KDBG");
    assert_eq!(driver.hints().kernel_base, Some(Va(BASE + 0x40_0000)));
}

#[test]
fn drivers_are_listed() {
    let driver = open_bytes("", &triage_dump(&[]), FileMode::Auto).unwrap();
    let modules = driver.hints().modules;
    assert_eq!(modules.len(), 1);
    assert_eq!(String::from_utf16(&modules[0].path).unwrap(), "\\a.sys");
    assert_eq!(modules[0].base, Va(BASE + 0x1000_0000));
    assert_eq!(modules[0].size, 0x5000);
}

#[test]
fn impossible_counts_are_refused() {
    let mut dump = triage_dump(&[]);
    put(&mut dump, 0x207c, &u32::MAX.to_le_bytes());
    assert!(refusal(&dump).contains("data blocks"));
    put(&mut dump, 0x207c, &0xf_ffff_u32.to_le_bytes());
    assert!(refusal(&dump).contains("list of data blocks"));
}

fn real_dump() -> Option<PathBuf> {
    let shared = std::env::var_os("WINVMI_SHARED").map(PathBuf::from);
    let beside = || {
        Some(
            PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .parent()?
                .join("shared"),
        )
    };
    let path = shared.or_else(beside)?.join("real/triage_x64.dmp");
    path.exists().then_some(path)
}

#[test]
fn a_real_triage_dump() {
    let Some(path) = real_dump() else {
        println!("skipped: no real dump beside the project");
        return;
    };
    let driver = open(&Target::from(&*path), Default::default()).unwrap();
    let hints = driver.hints();
    assert_eq!(hints.root, Some(Pa(0x1a_d000)));
    assert_eq!(hints.kernel_base, Some(Va(0xffff_f804_7ba0_0000)));
    assert_eq!(hints.build, Some(19041));
    assert_eq!(hints.bug_check.unwrap().code, 0x1000_007e);
    assert_eq!(hints.modules.len(), 151);
    let first = String::from_utf16(&hints.modules[0].path).unwrap();
    assert_eq!(first, "\\SystemRoot\\system32\\ntoskrnl.exe");
    assert_eq!(Some(hints.modules[0].base), hints.kernel_base);

    assert_eq!(driver.info().vcpus, 16);
    let registers = driver.registers().unwrap();
    for vcpu in 0..16 {
        let registers = registers.get(vcpu).unwrap();
        assert_eq!((registers.cr3, registers.cr0), (0x1a_d000, 0x8005_0031));
        assert!(registers.rip > 0xffff_f804_0000_0000, "{registers:?}");
        assert_eq!(registers.gs.base & 0xfff, 0, "{registers:?}");
    }
    assert!(registers.get(16).is_err());

    let memory = driver.by_address().unwrap();
    assert_eq!(read(memory, 0xffff_f804_7ba0_0000, 2), b"MZ");
    // The crashing thread and its process, from the copies behind the header.
    assert_eq!(read(memory, 0xffff_c08b_de9e_1640, 0x898).len(), 0x898);
    assert_eq!(read(memory, 0xffff_c08b_dce9_4180, 0xa40).len(), 0xa40);
    // The stack.
    assert!(read(memory, 0xffff_8504_2989_0ee8, 0x2118).len() == 0x2118);
}
