//! `QEMUCPUState`: registers in the `QEMU` notes of `dump-guest-memory`.

use crate::core::{
    DescriptorTable, Registers, Segment,
    bytes::{u32_at, u64_at},
};

/// Name of the notes.
pub const NOTE: &[u8] = b"QEMU";

/// `version`: layouts with other numbers are not known.
const VERSION: u32 = 1;
/// Size without `kernel_gs_base`, which older QEMU lacks.
const SIZE_MIN: usize = 0x1b0;

const CR0_PG: u64 = 1 << 31;
const EFER_LME: u64 = 1 << 8;
const EFER_LMA: u64 = 1 << 10;

/// Registers of a note; `None` when it is of another version.
pub fn registers(state: &[u8]) -> Option<Registers> {
    if state.len() < SIZE_MIN || u32_at(state, 0) != Some(VERSION) {
        return None;
    }
    let u64 = |offset| u64_at(state, offset).unwrap_or_default();
    let cr0 = u64(0x188);
    let segment = |offset| segment(state, offset);
    let table = |offset| {
        let Segment { base, limit, .. } = segment(offset);
        let limit = limit as u16;
        DescriptorTable { base, limit }
    };
    Some(Registers {
        rax: u64(0x08),
        rbx: u64(0x10),
        rcx: u64(0x18),
        rdx: u64(0x20),
        rsi: u64(0x28),
        rdi: u64(0x30),
        rsp: u64(0x38),
        rbp: u64(0x40),
        r8: u64(0x48),
        r9: u64(0x50),
        r10: u64(0x58),
        r11: u64(0x60),
        r12: u64(0x68),
        r13: u64(0x70),
        r14: u64(0x78),
        r15: u64(0x80),
        rip: u64(0x88),
        rflags: u64(0x90),
        cs: segment(0x98),
        ds: segment(0xb0),
        es: segment(0xc8),
        fs: segment(0xe0),
        gs: segment(0xf8),
        ss: segment(0x110),
        ldtr: segment(0x128),
        tr: segment(0x140),
        gdtr: table(0x158),
        idtr: table(0x170),
        cr0,
        cr2: u64(0x198),
        cr3: u64(0x1a0),
        cr4: u64(0x1a8),
        kernel_gs_base: u64(0x1b0),
        // QEMU calls a core x86-64 only when the first processor is in long mode;
        // others may still wait for their start, without paging.
        efer: match cr0 & CR0_PG {
            0 => 0,
            _ => EFER_LME | EFER_LMA,
        },
        ..Registers::default()
    })
}

/// A `QEMUCPUSegment`; its flags are the high half of a descriptor.
fn segment(state: &[u8], offset: usize) -> Segment {
    let u32 = |field: usize| u32_at(state, offset.saturating_add(field)).unwrap_or_default();
    Segment {
        selector: u32(0x00) as u16,
        limit: u32(0x04),
        access: u32(0x08) >> 8 & 0xf0ff,
        base: u64_at(state, offset.saturating_add(0x10)).unwrap_or_default(),
    }
}
