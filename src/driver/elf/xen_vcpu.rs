//! `vcpu_guest_context_t` of x86-64, as Xen fills it in for HVM guests.

use crate::core::{
    Registers, Segment,
    bytes::{u16_at, u64_at},
};

/// Size of the structure.
pub const SIZE: usize = 0x1430;

/// Offset of `user_regs`.
const USER_REGS: usize = 0x208;
/// Offset of `ctrlreg`.
const CTRLREG: usize = 0x1378;
/// Offset of `debugreg`.
const DEBUGREG: usize = 0x13b8;

const CR0_PG: u64 = 1 << 31;
const CR4_PAE: u64 = 1 << 5;
const EFER_LME: u64 = 1 << 8;
const EFER_LMA: u64 = 1 << 10;

/// The registers; descriptor tables, EFER and the system-call MSRs are not recorded.
pub fn registers(context: &[u8; SIZE]) -> Registers {
    let u64 = |offset| u64_at(context, offset).unwrap_or_default();
    let mut registers = Registers {
        cr0: u64(CTRLREG),
        cr2: u64(CTRLREG.saturating_add(0x10)),
        cr3: u64(CTRLREG.saturating_add(0x18)),
        cr4: u64(CTRLREG.saturating_add(0x20)),
        dr0: u64(DEBUGREG),
        dr1: u64(DEBUGREG.saturating_add(0x08)),
        dr2: u64(DEBUGREG.saturating_add(0x10)),
        dr3: u64(DEBUGREG.saturating_add(0x18)),
        dr6: u64(DEBUGREG.saturating_add(0x30)),
        dr7: u64(DEBUGREG.saturating_add(0x38)),
        ..Registers::default()
    };
    load_user(context.get(USER_REGS..).unwrap_or_default(), &mut registers);
    registers.fs.base = u64(0x1418);
    let (kernel, user) = (u64(0x1420), u64(0x1428));
    // Xen swaps them by privilege; here they go back to what the processor holds.
    let in_kernel = registers.cs.selector & 3 == 0;
    (registers.gs.base, registers.kernel_gs_base) = match in_kernel {
        true => (kernel, user),
        false => (user, kernel),
    };
    if is_long_mode(&registers) {
        registers.efer = EFER_LME | EFER_LMA;
    }
    registers
}

/// Loads a `cpu_user_regs`.
fn load_user(user: &[u8], registers: &mut Registers) {
    let u64 = |offset| u64_at(user, offset).unwrap_or_default();
    let segment = |offset| Segment {
        selector: u16_at(user, offset).unwrap_or_default(),
        ..Segment::default()
    };
    registers.r15 = u64(0x00);
    registers.r14 = u64(0x08);
    registers.r13 = u64(0x10);
    registers.r12 = u64(0x18);
    registers.rbp = u64(0x20);
    registers.rbx = u64(0x28);
    registers.r11 = u64(0x30);
    registers.r10 = u64(0x38);
    registers.r9 = u64(0x40);
    registers.r8 = u64(0x48);
    registers.rax = u64(0x50);
    registers.rcx = u64(0x58);
    registers.rdx = u64(0x60);
    registers.rsi = u64(0x68);
    registers.rdi = u64(0x70);
    registers.rip = u64(0x80);
    registers.cs = segment(0x88);
    registers.rflags = u64(0x90);
    registers.rsp = u64(0x98);
    registers.ss = segment(0xa0);
    registers.es = segment(0xa8);
    registers.ds = segment(0xb0);
    registers.fs = segment(0xb8);
    registers.gs = segment(0xc0);
}

/// Only long mode has addresses beyond 32 bits in these registers.
fn is_long_mode(registers: &Registers) -> bool {
    let wide = registers.rip | registers.rsp | registers.gs.base | registers.kernel_gs_base;
    registers.cr0 & CR0_PG != 0 && registers.cr4 & CR4_PAE != 0 && wide >> 32 != 0
}
