//! Ways between user mode and the kernel that both page tables map.

use iced_x86::code_asm::*;

use super::{Assembled, Emit, at, region};
use crate::running::plan::Plan;

/// Vectors of exceptions.
pub(in crate::running) const EXCEPTIONS: u32 = 32;
/// Vector of the interrupt by which processors ask each other to flush (`KiIpiInterrupt`).
pub(in crate::running) const FLUSH_VECTOR: u32 = 0xe1;
/// Vector of the local APIC's timer.
pub(in crate::running) const TIMER_VECTOR: u32 = 0xd1;
/// Vector of spurious interrupts of the local APIC.
pub(in crate::running) const SPURIOUS_VECTOR: u32 = 0xff;
/// Breakpoint exception.
pub(super) const BREAKPOINT: u32 = 3;
/// Page-fault exception.
pub(super) const PAGE_FAULT: u32 = 14;
/// Exceptions for which the processor pushes an error code.
const WITH_ERROR_CODE: [u32; 10] = [8, 10, 11, 12, 13, 14, 17, 21, 29, 30];

/// General registers in the order of pushing.
const SAVED: [AsmRegister64; 15] = [
    rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15,
];
/// Where a trap's stack frame has the vector, and what lies above it.
pub(super) const VECTOR: u64 = 15 * 8;
pub(super) const ERROR: u64 = VECTOR + 8;
pub(super) const RIP: u64 = VECTOR + 16;
pub(super) const CS: u64 = VECTOR + 24;

/// The code of the gates.
pub(in crate::running) struct Gates {
    pub bytes: Vec<u8>,
    /// What every trap goes through after its vector is pushed.
    pub common: u64,
    /// Entry of each vector that has one here.
    pub entries: Vec<(u32, u64)>,
}

/// Assembles the gates: first the way to user mode, so that its address is that of the page.
pub(in crate::running) fn assemble(plan: &Plan, handler: u64) -> Emit<Gates> {
    let mut a = CodeAssembler::new(64)?;
    leave(&mut a, plan)?;
    let mut common = a.create_label();
    a.set_label(&mut common)?;
    save_and_handle(&mut a, plan, handler)?;
    let mut labels = Vec::new();
    for vector in (0..EXCEPTIONS).chain([TIMER_VECTOR, FLUSH_VECTOR, SPURIOUS_VECTOR]) {
        let mut label = a.create_label();
        a.set_label(&mut label)?;
        push_vector(&mut a, vector)?;
        a.jmp(common)?;
        labels.push((vector, label));
    }
    let code = Assembled::new(&mut a, plan.gates)?;
    let entries = labels
        .iter()
        .map(|(vector, label)| Ok((*vector, code.address(label)?)))
        .collect::<Emit<_>>()?;
    Ok(Gates {
        common: code.address(&common)?,
        entries,
        bytes: code.bytes,
    })
}

/// To user mode: RCX holds the address, R11 the flags, R10 the stack, RDX the root.
fn leave(a: &mut CodeAssembler, plan: &Plan) -> Emit {
    a.mov(rsp, r10)?;
    if plan.kva_shadow {
        a.mov(cr3, rdx)?;
    }
    a.swapgs()?;
    a.sysretq()
}

/// Completes what the processor has pushed to error code and vector.
pub(super) fn push_vector(a: &mut CodeAssembler, vector: u32) -> Emit {
    if !WITH_ERROR_CODE.contains(&vector) {
        a.push(0)?;
    }
    a.push(vector as i32)
}

/// Saves the registers, changes to the kernel's GS and page tables if user mode was
/// interrupted, calls the handler with the frame in RCX, and goes back.
fn save_and_handle(a: &mut CodeAssembler, plan: &Plan, handler: u64) -> Emit {
    for register in SAVED {
        a.push(register)?;
    }
    let mut in_kernel = a.create_label();
    a.test(byte_ptr(rsp + CS as i32), 3)?;
    a.je(in_kernel)?;
    a.swapgs()?;
    if plan.kva_shadow {
        a.mov(rax, region(plan.fields.kernel_root))?;
        a.mov(cr3, rax)?;
    }
    a.set_label(&mut in_kernel)?;
    a.cld()?;
    a.mov(rcx, rsp)?;
    a.mov(rax, handler)?;
    a.call(rax)?;
    let mut to_kernel = a.create_label();
    a.test(byte_ptr(rsp + CS as i32), 3)?;
    a.je(to_kernel)?;
    if plan.kva_shadow {
        a.mov(rax, region(plan.fields.current_thread))?;
        a.mov(rax, at(rax, plan.fields.thread_process))?;
        a.mov(rax, at(rax, plan.fields.user_root))?;
        a.mov(cr3, rax)?;
    }
    a.swapgs()?;
    a.set_label(&mut to_kernel)?;
    for register in SAVED.into_iter().rev() {
        a.pop(register)?;
    }
    a.add(rsp, 16)?;
    a.iretq()
}
