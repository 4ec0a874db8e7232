//! `CONTEXT` (x64): general registers, selectors and debug registers.

use crate::core::{
    Registers,
    bytes::{u16_at, u32_at, u64_at},
};

/// Bytes of a `CONTEXT` up to and including `Rip`; vectors and the rest follow.
pub const CONTEXT_SIZE: usize = 0x100;

/// `CONTEXT_AMD64`, set in every `CONTEXT.ContextFlags` of this architecture.
const CONTEXT_AMD64: u32 = 0x0010_0000;

/// Loads what `context` holds; false when it is too short or not filled in.
pub fn load(context: &[u8], registers: &mut Registers) -> bool {
    let flags = u32_at(context, 0x30).unwrap_or_default();
    if context.len() < CONTEXT_SIZE || flags & CONTEXT_AMD64 == 0 || flags >> 24 != 0 {
        return false;
    }
    load_selectors(context, registers);
    let u64 = |offset| u64_at(context, offset).unwrap_or_default();
    registers.rflags = u32_at(context, 0x44).unwrap_or_default().into();
    registers.dr0 = u64(0x48);
    registers.dr1 = u64(0x50);
    registers.dr2 = u64(0x58);
    registers.dr3 = u64(0x60);
    registers.dr6 = u64(0x68);
    registers.dr7 = u64(0x70);
    registers.rax = u64(0x78);
    registers.rcx = u64(0x80);
    registers.rdx = u64(0x88);
    registers.rbx = u64(0x90);
    registers.rsp = u64(0x98);
    registers.rbp = u64(0xa0);
    registers.rsi = u64(0xa8);
    registers.rdi = u64(0xb0);
    registers.r8 = u64(0xb8);
    registers.r9 = u64(0xc0);
    registers.r10 = u64(0xc8);
    registers.r11 = u64(0xd0);
    registers.r12 = u64(0xd8);
    registers.r13 = u64(0xe0);
    registers.r14 = u64(0xe8);
    registers.r15 = u64(0xf0);
    registers.rip = u64(0xf8);
    true
}

fn load_selectors(context: &[u8], registers: &mut Registers) {
    let u16 = |offset| u16_at(context, offset).unwrap_or_default();
    registers.cs.selector = u16(0x38);
    registers.ds.selector = u16(0x3a);
    registers.es.selector = u16(0x3c);
    registers.fs.selector = u16(0x3e);
    registers.gs.selector = u16(0x40);
    registers.ss.selector = u16(0x42);
}
