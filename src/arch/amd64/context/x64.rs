//! `CONTEXT` of 64-bit code.

use super::form::{
    ContextParts, Flags, Form,
    Register::{Selector, Word},
    Slot,
};

/// `CONTEXT` of 64-bit code: 0x4d0 bytes. At 0x100 begins an
/// [`XsaveFormat`](super::XsaveFormat).
pub const CONTEXT_AMD64: Form = Form {
    size: 0x4d0,
    flags: Some(Flags {
        offset: 0x30,
        architecture: 0x0010_0000,
    }),
    slots: SLOTS,
};

const CONTROL: ContextParts = ContextParts::CONTROL;
const INTEGER: ContextParts = ContextParts::INTEGER;
const SEGMENTS: ContextParts = ContextParts::SEGMENTS;
const DEBUG: ContextParts = ContextParts::DEBUG_REGISTERS;

const SLOTS: &[Slot] = &[
    (CONTROL, 0x38, Selector(2, |it| &mut it.cs)),
    (SEGMENTS, 0x3a, Selector(2, |it| &mut it.ds)),
    (SEGMENTS, 0x3c, Selector(2, |it| &mut it.es)),
    (SEGMENTS, 0x3e, Selector(2, |it| &mut it.fs)),
    (SEGMENTS, 0x40, Selector(2, |it| &mut it.gs)),
    (CONTROL, 0x42, Selector(2, |it| &mut it.ss)),
    (CONTROL, 0x44, Word(4, |it| &mut it.rflags)),
    (DEBUG, 0x48, Word(8, |it| &mut it.dr0)),
    (DEBUG, 0x50, Word(8, |it| &mut it.dr1)),
    (DEBUG, 0x58, Word(8, |it| &mut it.dr2)),
    (DEBUG, 0x60, Word(8, |it| &mut it.dr3)),
    (DEBUG, 0x68, Word(8, |it| &mut it.dr6)),
    (DEBUG, 0x70, Word(8, |it| &mut it.dr7)),
    (INTEGER, 0x78, Word(8, |it| &mut it.rax)),
    (INTEGER, 0x80, Word(8, |it| &mut it.rcx)),
    (INTEGER, 0x88, Word(8, |it| &mut it.rdx)),
    (INTEGER, 0x90, Word(8, |it| &mut it.rbx)),
    (CONTROL, 0x98, Word(8, |it| &mut it.rsp)),
    (INTEGER, 0xa0, Word(8, |it| &mut it.rbp)),
    (INTEGER, 0xa8, Word(8, |it| &mut it.rsi)),
    (INTEGER, 0xb0, Word(8, |it| &mut it.rdi)),
    (INTEGER, 0xb8, Word(8, |it| &mut it.r8)),
    (INTEGER, 0xc0, Word(8, |it| &mut it.r9)),
    (INTEGER, 0xc8, Word(8, |it| &mut it.r10)),
    (INTEGER, 0xd0, Word(8, |it| &mut it.r11)),
    (INTEGER, 0xd8, Word(8, |it| &mut it.r12)),
    (INTEGER, 0xe0, Word(8, |it| &mut it.r13)),
    (INTEGER, 0xe8, Word(8, |it| &mut it.r14)),
    (INTEGER, 0xf0, Word(8, |it| &mut it.r15)),
    (CONTROL, 0xf8, Word(8, |it| &mut it.rip)),
];
