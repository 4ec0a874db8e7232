//! `KSPECIAL_REGISTERS`: control registers and what else only a kernel sees.

use super::form::{
    ContextParts, Form,
    Register::{Selector, Table, Word},
    Slot,
};

/// `KSPECIAL_REGISTERS` of 64-bit kernels, as far as all versions of Windows
/// agree: the 0xd8 bytes of Windows 7. `XCR0` follows on 8.1 and later.
pub const SPECIAL_AMD64: Form = Form {
    size: 0xd8,
    flags: None,
    slots: SLOTS_AMD64,
};

/// `KSPECIAL_REGISTERS` of 32-bit kernels: 0x54 bytes.
pub const SPECIAL_X86: Form = Form {
    size: 0x54,
    flags: None,
    slots: SLOTS_X86,
};

const WHOLE: ContextParts = ContextParts::empty();

const SLOTS_AMD64: &[Slot] = &[
    (WHOLE, 0x00, Word(8, |it| &mut it.cr0)),
    (WHOLE, 0x08, Word(8, |it| &mut it.cr2)),
    (WHOLE, 0x10, Word(8, |it| &mut it.cr3)),
    (WHOLE, 0x18, Word(8, |it| &mut it.cr4)),
    (WHOLE, 0x20, Word(8, |it| &mut it.dr0)),
    (WHOLE, 0x28, Word(8, |it| &mut it.dr1)),
    (WHOLE, 0x30, Word(8, |it| &mut it.dr2)),
    (WHOLE, 0x38, Word(8, |it| &mut it.dr3)),
    (WHOLE, 0x40, Word(8, |it| &mut it.dr6)),
    (WHOLE, 0x48, Word(8, |it| &mut it.dr7)),
    (WHOLE, 0x58, Table(8, |it| &mut it.gdtr)),
    (WHOLE, 0x68, Table(8, |it| &mut it.idtr)),
    (WHOLE, 0x70, Selector(2, |it| &mut it.tr)),
    (WHOLE, 0x72, Selector(2, |it| &mut it.ldtr)),
    (WHOLE, 0xa0, Word(8, |it| &mut it.cr8)),
    // The bases of kernel and user at the time of saving.
    (WHOLE, 0xa8, Word(8, |it| &mut it.gs.base)),
    (WHOLE, 0xb0, Word(8, |it| &mut it.kernel_gs_base)),
    (WHOLE, 0xb8, Word(8, |it| &mut it.star)),
    (WHOLE, 0xc0, Word(8, |it| &mut it.lstar)),
    (WHOLE, 0xc8, Word(8, |it| &mut it.cstar)),
    (WHOLE, 0xd0, Word(8, |it| &mut it.fmask)),
];

const SLOTS_X86: &[Slot] = &[
    (WHOLE, 0x00, Word(4, |it| &mut it.cr0)),
    (WHOLE, 0x04, Word(4, |it| &mut it.cr2)),
    (WHOLE, 0x08, Word(4, |it| &mut it.cr3)),
    (WHOLE, 0x0c, Word(4, |it| &mut it.cr4)),
    (WHOLE, 0x10, Word(4, |it| &mut it.dr0)),
    (WHOLE, 0x14, Word(4, |it| &mut it.dr1)),
    (WHOLE, 0x18, Word(4, |it| &mut it.dr2)),
    (WHOLE, 0x1c, Word(4, |it| &mut it.dr3)),
    (WHOLE, 0x20, Word(4, |it| &mut it.dr6)),
    (WHOLE, 0x24, Word(4, |it| &mut it.dr7)),
    (WHOLE, 0x2c, Table(4, |it| &mut it.gdtr)),
    (WHOLE, 0x34, Table(4, |it| &mut it.idtr)),
    (WHOLE, 0x38, Selector(2, |it| &mut it.tr)),
    (WHOLE, 0x3a, Selector(2, |it| &mut it.ldtr)),
];
