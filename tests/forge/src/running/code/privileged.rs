//! Instructions that a hypervisor can be told of.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::{Emit, actor_word, load_actor, word};
use crate::running::words::{ActorWord, Word};

/// A model-specific register that 64-bit code does not use: SYSENTER_EIP.
const REGISTER: i32 = 0x176;
/// The leaf of CPUID.
const LEAF: i32 = 0;
/// A port that nobody has (Xen lets 0x80 through).
const PORT: i32 = 0x84;
/// `hvm_op(HVMOP_guest_request_vm_event)` of Xen.
const HVM_OP: i32 = 34;
const GUEST_REQUEST: i32 = 24;

/// The actor's function: one of each. R12: the actor.
pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let mut none = a.create_label();
    a.set_label(&mut r.privileged)?;
    load_actor(a, context.plan, r12)?;
    a.mov(rax, actor_word(r12, ActorWord::Iterations))?;
    a.inc(eax)?;
    a.xor(edx, edx)?;
    a.mov(ecx, REGISTER)?;
    a.wrmsr()?;
    a.inc(actor_word(r12, ActorWord::MsrWrites))?;
    a.mov(eax, LEAF)?;
    a.mov(rcx, actor_word(r12, ActorWord::Iterations))?;
    a.cpuid()?;
    a.inc(actor_word(r12, ActorWord::CpuIds))?;
    a.mov(rax, actor_word(r12, ActorWord::Iterations))?;
    a.out(PORT, al)?;
    a.inc(actor_word(r12, ActorWord::Outs))?;
    a.mov(rax, context.plan.words)?;
    a.cmp(word(rax, Word::Hypercalls), 0)?;
    a.je(none)?;
    a.mov(eax, HVM_OP)?;
    a.mov(edi, GUEST_REQUEST)?;
    a.xor(esi, esi)?;
    a.vmcall()?;
    a.inc(actor_word(r12, ActorWord::Vmcalls))?;
    a.set_label(&mut none)?;
    a.ret()
}
