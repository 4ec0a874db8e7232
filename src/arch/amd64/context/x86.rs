//! `CONTEXT` of 32-bit code.

use super::form::{
    ContextParts, Flags, Form,
    Register::{Selector, Word},
    Slot,
};

/// Size of `CONTEXT.ExtendedRegisters`, which ends the structure.
pub const MAXIMUM_SUPPORTED_EXTENSION: usize = 512;

/// `CONTEXT` of 32-bit code: 0x2cc bytes. At 0x1c lies a
/// [`FloatingSaveArea`](super::FloatingSaveArea), at 0xcc an
/// [`XsaveFormat`](super::XsaveFormat).
pub const CONTEXT_X86: Form = Form {
    size: 0x2cc,
    flags: Some(Flags {
        offset: 0,
        architecture: 0x0001_0000,
    }),
    slots: SLOTS,
};

const CONTROL: ContextParts = ContextParts::CONTROL;
const INTEGER: ContextParts = ContextParts::INTEGER;
const SEGMENTS: ContextParts = ContextParts::SEGMENTS;
const DEBUG: ContextParts = ContextParts::DEBUG_REGISTERS;

const SLOTS: &[Slot] = &[
    (DEBUG, 0x04, Word(4, |it| &mut it.dr0)),
    (DEBUG, 0x08, Word(4, |it| &mut it.dr1)),
    (DEBUG, 0x0c, Word(4, |it| &mut it.dr2)),
    (DEBUG, 0x10, Word(4, |it| &mut it.dr3)),
    (DEBUG, 0x14, Word(4, |it| &mut it.dr6)),
    (DEBUG, 0x18, Word(4, |it| &mut it.dr7)),
    (SEGMENTS, 0x8c, Selector(4, |it| &mut it.gs)),
    (SEGMENTS, 0x90, Selector(4, |it| &mut it.fs)),
    (SEGMENTS, 0x94, Selector(4, |it| &mut it.es)),
    (SEGMENTS, 0x98, Selector(4, |it| &mut it.ds)),
    (INTEGER, 0x9c, Word(4, |it| &mut it.rdi)),
    (INTEGER, 0xa0, Word(4, |it| &mut it.rsi)),
    (INTEGER, 0xa4, Word(4, |it| &mut it.rbx)),
    (INTEGER, 0xa8, Word(4, |it| &mut it.rdx)),
    (INTEGER, 0xac, Word(4, |it| &mut it.rcx)),
    (INTEGER, 0xb0, Word(4, |it| &mut it.rax)),
    (CONTROL, 0xb4, Word(4, |it| &mut it.rbp)),
    (CONTROL, 0xb8, Word(4, |it| &mut it.rip)),
    (CONTROL, 0xbc, Selector(4, |it| &mut it.cs)),
    (CONTROL, 0xc0, Word(4, |it| &mut it.rflags)),
    (CONTROL, 0xc4, Word(4, |it| &mut it.rsp)),
    (CONTROL, 0xc8, Selector(4, |it| &mut it.ss)),
];
