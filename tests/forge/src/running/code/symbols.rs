//! The functions at addresses that the layout's symbols give. Their bodies are elsewhere: not
//! every function of a layout has room for one.

use iced_x86::code_asm::*;

use super::{Assembled, Emit, at, region};
use crate::running::code::kernel::Addresses;
use crate::running::plan::Plan;

/// Bytes on the stack between the return address into a function and that into its caller.
pub(super) const FRAME: u64 = 0x40;
/// Where a body finds its fifth argument: behind its own return address, the frame of the
/// function, the function's return address and the home of four arguments.
pub(super) const FIFTH_ARGUMENT: u64 = 8 + (FRAME - 8) + 8 + 0x20;

/// A function that calls its body and returns what it returns: `push rbx` comes first, and the
/// body may use RBX.
pub(in crate::running) fn function(address: u64, body: u64) -> Emit<Vec<u8>> {
    let mut a = CodeAssembler::new(64)?;
    a.push(rbx)?;
    a.sub(rsp, FRAME as i32 - 16)?;
    a.mov(rax, body)?;
    a.call(rax)?;
    a.add(rsp, FRAME as i32 - 16)?;
    a.pop(rbx)?;
    a.ret()?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}

/// `DbgBreakPoint`, as it is everywhere.
pub(in crate::running) fn debug_break() -> Vec<u8> {
    vec![0xcc, 0xc3]
}

/// A function of which only the call counts.
pub(in crate::running) fn nothing() -> Vec<u8> {
    vec![0x31, 0xc0, 0xc3]
}

/// The entry of an exception or interrupt: pushes an error code where the processor has pushed
/// none, and the vector.
pub(in crate::running) fn trap(address: u64, vector: u32, common: u64) -> Emit<Vec<u8>> {
    let mut a = CodeAssembler::new(64)?;
    super::gates::push_vector(&mut a, vector)?;
    a.jmp(common)?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}

/// `KiSystemCall64`: the kernel's GS and stack, then [`system_service_user`].
pub(in crate::running) fn system_call(plan: &Plan, address: u64, user: u64) -> Emit<Vec<u8>> {
    let mut a = CodeAssembler::new(64)?;
    a.swapgs()?;
    a.mov(region(plan.fields.user_stack), rsp)?;
    a.mov(rsp, region(plan.fields.kernel_stack))?;
    a.jmp(user)?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}

/// `KiSystemCall64Shadow`: before the stack, the kernel's page tables.
pub(in crate::running) fn system_call_shadow(
    plan: &Plan,
    address: u64,
    user: u64,
) -> Emit<Vec<u8>> {
    let mut a = CodeAssembler::new(64)?;
    a.swapgs()?;
    a.mov(region(plan.fields.user_stack), rsp)?;
    a.mov(rsp, region(plan.fields.kernel_root))?;
    a.mov(cr3, rsp)?;
    a.mov(rsp, region(plan.fields.kernel_stack_shadow))?;
    a.jmp(user)?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}

/// `KiSystemServiceUser`: builds the `_KTRAP_FRAME` at the top of the thread's stack, whose
/// address RBP holds from here on, and goes to the dispatcher.
pub(in crate::running) fn system_service_user(
    plan: &Plan,
    address: u64,
    dispatch: u64,
) -> Emit<Vec<u8>> {
    let frame = &plan.fields.trap_frame;
    let mut a = CodeAssembler::new(64)?;
    a.sub(rsp, frame.size as i32)?;
    a.mov(at(rsp, frame.rip), rcx)?;
    a.mov(dword_ptr(rsp + frame.flags as i32), r11d)?;
    for (offset, register) in [
        (frame.rbp, rbp),
        (frame.rbx, rbx),
        (frame.rdi, rdi),
        (frame.rsi, rsi),
    ] {
        a.mov(at(rsp, offset), register)?;
    }
    a.mov(rcx, region(plan.fields.user_stack))?;
    a.mov(at(rsp, frame.rsp), rcx)?;
    a.mov(word_ptr(rsp + frame.cs as i32), 0x33)?;
    a.mov(word_ptr(rsp + frame.ss as i32), 0x2b)?;
    a.mov(byte_ptr(rsp + frame.previous_mode as i32), 1)?;
    a.mov(rbp, rsp)?;
    a.sti()?;
    a.mov(rcx, r10)?;
    a.mov(r11, dispatch)?;
    a.jmp(r11)?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}

/// `KiSystemServiceCopyEnd`: calls the service, whose address is in R10.
pub(in crate::running) fn copy_end(address: u64, exit: u64) -> Emit<Vec<u8>> {
    let mut a = CodeAssembler::new(64)?;
    a.call(r10)?;
    a.jmp(exit)?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}

/// `KiSystemServiceExit`: back to user mode with what the service returned in RAX.
pub(in crate::running) fn service_exit(
    plan: &Plan,
    address: u64,
    addresses: &Addresses,
) -> Emit<Vec<u8>> {
    let frame = &plan.fields.trap_frame;
    let mut a = CodeAssembler::new(64)?;
    a.cli()?;
    a.mov(rdx, region(plan.fields.current_thread))?;
    a.mov(rdx, at(rdx, plan.fields.thread_process))?;
    a.mov(rdx, at(rdx, plan.fields.user_root))?;
    a.mov(rcx, at(rbp, frame.rip))?;
    a.mov(r11d, dword_ptr(rbp + frame.flags as i32))?;
    a.mov(r10, at(rbp, frame.rsp))?;
    a.mov(rbx, at(rbp, frame.rbx))?;
    a.mov(rdi, at(rbp, frame.rdi))?;
    a.mov(rsi, at(rbp, frame.rsi))?;
    a.mov(rbp, at(rbp, frame.rbp))?;
    a.mov(r8, addresses.leave)?;
    a.jmp(r8)?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}
