//! `DBGFCORECPU`: registers in the `VBCPU` notes of VirtualBox (`dumpvmcore`).

use crate::core::{
    DescriptorTable, Registers, Segment,
    bytes::{u16_at, u32_at, u64_at},
};

/// Name of the notes.
pub const NOTE: &[u8] = b"VBCPU";

/// Size up to and including `msrKernelGSBase`; what follows differs by version.
const SIZE_MIN: usize = 0x220;

const RFLAGS_ONE: u64 = 1 << 1;
const RFLAGS_ALL: u64 = 0x3f_ffff;

/// Registers of a note; `None` when its layout is that of old VirtualBox.
pub fn registers(state: &[u8]) -> Option<Registers> {
    let u64 = |offset| u64_at(state, offset).unwrap_or_default();
    // The older structure has no version either, but no RFLAGS in this place.
    let rflags = u64(0x88);
    if state.len() < SIZE_MIN || rflags & RFLAGS_ONE == 0 || rflags & !RFLAGS_ALL != 0 {
        return None;
    }
    let segment = |offset| segment(state, offset);
    let table = |offset: usize| DescriptorTable {
        base: u64(offset),
        limit: u16_at(state, offset.saturating_add(8)).unwrap_or_default(),
    };
    Some(Registers {
        rax: u64(0x00),
        rbx: u64(0x08),
        rcx: u64(0x10),
        rdx: u64(0x18),
        rsi: u64(0x20),
        rdi: u64(0x28),
        r8: u64(0x30),
        r9: u64(0x38),
        r10: u64(0x40),
        r11: u64(0x48),
        r12: u64(0x50),
        r13: u64(0x58),
        r14: u64(0x60),
        r15: u64(0x68),
        rip: u64(0x70),
        rsp: u64(0x78),
        rbp: u64(0x80),
        rflags,
        cs: segment(0x90),
        ds: segment(0xa8),
        es: segment(0xc0),
        fs: segment(0xd8),
        gs: segment(0xf0),
        ss: segment(0x108),
        cr0: u64(0x120),
        cr2: u64(0x128),
        cr3: u64(0x130),
        cr4: u64(0x138),
        dr0: u64(0x140),
        dr1: u64(0x148),
        dr2: u64(0x150),
        dr3: u64(0x158),
        dr6: u64(0x170),
        dr7: u64(0x178),
        gdtr: table(0x180),
        idtr: table(0x190),
        ldtr: segment(0x1a0),
        tr: segment(0x1b8),
        sysenter_cs: u64(0x1d0),
        sysenter_eip: u64(0x1d8),
        sysenter_esp: u64(0x1e0),
        efer: u64(0x1e8),
        star: u64(0x1f0),
        lstar: u64(0x200),
        cstar: u64(0x208),
        fmask: u64(0x210),
        kernel_gs_base: u64(0x218),
        ..Registers::default()
    })
}

/// A `DBGFCORESEL`.
fn segment(state: &[u8], offset: usize) -> Segment {
    let at = |field: usize| offset.saturating_add(field);
    Segment {
        base: u64_at(state, at(0x00)).unwrap_or_default(),
        limit: u32_at(state, at(0x08)).unwrap_or_default(),
        access: u32_at(state, at(0x0c)).unwrap_or_default() & 0xf0ff,
        selector: u16_at(state, at(0x10)).unwrap_or_default(),
    }
}
