//! What is stored is loaded again; the places are the documented ones.

use super::*;
use crate::core::{DescriptorTable, Registers, Segment};

const FORMS: [&Form; 4] = [&CONTEXT_AMD64, &CONTEXT_X86, &SPECIAL_AMD64, &SPECIAL_X86];

/// A register set in which everything that fits into 32 bits differs.
fn registers() -> Registers {
    let mut registers = Registers::default();
    let segment = |selector| Segment {
        selector,
        ..Segment::default()
    };
    for form in FORMS {
        let bytes: Vec<u8> = (0..form.size()).map(|at| (at / 2) as u8 | 1).collect();
        let mut bytes = bytes;
        form.store(&Registers::default(), ContextParts::empty(), &mut bytes);
        let all = ContextParts::all().bits();
        match form.size() {
            0x4d0 => bytes[0x30] = all as u8,
            0x2cc => bytes[0] = all as u8,
            _ => {}
        }
        form.load(&bytes, &mut registers).unwrap();
    }
    registers.cs = segment(0x33);
    registers.gdtr = DescriptorTable {
        base: 0x8765_4321,
        limit: 0x57,
    };
    registers
}

#[test]
fn what_is_stored_is_loaded_again() {
    let registers = registers();
    for form in FORMS {
        let mut bytes = vec![0; form.size()];
        form.store(&registers, ContextParts::all(), &mut bytes);
        let mut loaded = registers;
        let other = Registers {
            efer: 0xd01,
            ..Registers::default()
        };
        let mut fresh = other;
        assert_eq!(form.load(&bytes, &mut fresh), Some(ContextParts::all()));
        assert_eq!(fresh.efer, other.efer);
        let mut again = vec![0; form.size()];
        form.store(&fresh, ContextParts::all(), &mut again);
        assert_eq!(bytes, again);
        form.load(&again, &mut loaded).unwrap();
        form.store(&loaded, ContextParts::all(), &mut again);
        assert_eq!(bytes, again);
    }
}

#[test]
fn registers_lie_where_windows_puts_them() {
    let registers = Registers {
        rip: 0x1122_3344,
        rsp: 0x5566_7788,
        rbp: 0x99aa_bbcc,
        rax: 0xddee_ff00,
        dr7: 0x400,
        ..Registers::default()
    };
    let mut wide = [0; 0x4d0];
    CONTEXT_AMD64.store(&registers, ContextParts::all(), &mut wide);
    assert_eq!(wide[0xf8..0x100], 0x1122_3344_u64.to_le_bytes());
    assert_eq!(wide[0x98..0xa0], 0x5566_7788_u64.to_le_bytes());
    assert_eq!(wide[0x30..0x34], 0x0010_007f_u32.to_le_bytes());
    let mut narrow = [0; 0x2cc];
    CONTEXT_X86.store(&registers, ContextParts::all(), &mut narrow);
    assert_eq!(narrow[0xb8..0xbc], 0x1122_3344_u32.to_le_bytes());
    assert_eq!(narrow[0xb0..0xb4], 0xddee_ff00_u32.to_le_bytes());
    assert_eq!(narrow[..4], 0x0001_007f_u32.to_le_bytes());
}

#[test]
fn only_the_parts_that_are_there_are_touched() {
    let registers = registers();
    let mut bytes = [0xee; 0x4d0];
    CONTEXT_AMD64.store(&registers, ContextParts::CONTROL, &mut bytes);
    assert_eq!(bytes[0x78..0x80], [0xee; 8]);
    assert_eq!(bytes[0xf8..0x100], registers.rip.to_le_bytes());
    let mut loaded = Registers::default();
    let parts = CONTEXT_AMD64.load(&bytes, &mut loaded);
    assert_eq!(parts, Some(ContextParts::CONTROL));
    assert_eq!((loaded.rip, loaded.rax), (registers.rip, 0));
}

#[test]
fn bytes_of_another_form_change_nothing() {
    let untouched = Registers::default();
    let mut bytes = [0; 0x4d0];
    let flags = [
        0_u32,
        0x0001_001f,
        0x4547_4150,
        0x0030_001f,
        0x0010_0080,
        u32::MAX,
    ];
    for flags in flags {
        bytes[0x30..0x34].copy_from_slice(&flags.to_le_bytes());
        bytes[0xf8] = 1;
        let mut registers = untouched;
        assert_eq!(
            CONTEXT_AMD64.load(&bytes, &mut registers),
            None,
            "{flags:#x}"
        );
        assert_eq!(registers, untouched);
    }
    assert_eq!(
        CONTEXT_AMD64.load(&bytes[..0x20], &mut untouched.clone()),
        None
    );
    // Contexts of a debugger say more in their highest bits.
    bytes[0x30..0x34].copy_from_slice(&0x4810_000b_u32.to_le_bytes());
    assert!(CONTEXT_AMD64.load(&bytes, &mut untouched.clone()).is_some());
}

#[test]
fn a_structure_cut_short_gives_its_front() {
    let mut bytes = [0; 0x4d0];
    CONTEXT_AMD64.store(&registers(), ContextParts::all(), &mut bytes);
    let mut front = Registers::default();
    assert!(CONTEXT_AMD64.load(&bytes[..0x100], &mut front).is_some());
    assert_eq!(front.rip, registers().rip);
    let mut less = Registers::default();
    assert!(CONTEXT_AMD64.load(&bytes[..0xf8], &mut less).is_some());
    assert_eq!((less.r15, less.rip), (registers().r15, 0));
}

#[test]
fn floating_point_structures_come_back() {
    let bytes: [u8; 512] = std::array::from_fn(|at| match at {
        5 | 0xe | 0xf | 0x16 | 0x17 | 0x1a0.. => 0,
        _ => at as u8 | 1,
    });
    assert_eq!(XsaveFormat::from_bytes(&bytes).to_bytes(), bytes);
    let bytes: [u8; 0x70] = std::array::from_fn(|at| at as u8);
    assert_eq!(FloatingSaveArea::from_bytes(&bytes).to_bytes(), bytes);
}
