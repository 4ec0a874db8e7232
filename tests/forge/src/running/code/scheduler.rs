//! Each processor looks for an actor that may run, runs one iteration of it and looks again.

use iced_x86::code_asm::*;

use super::gates::TIMER_VECTOR;
use super::kernel::{Context, Routines};
use super::start::{KERNEL_GS_BASE, write_register};
use super::{Emit, actor_word, at, load_actor, load_processor, processor_word, region, word};
use crate::running::plan::APIC;
use crate::running::user_space::ABSENT_PAGES;
use crate::running::words::{ActorWord, ProcessorWord, QUIET, RUNNING, STEP, Word};

/// `KTHREAD.State`: ready and running.
const READY: i32 = 1;
const RUNS: i32 = 2;
/// Flags in user mode: interrupts on.
const USER_FLAGS: i32 = 0x202;
/// Bits of an entry that hold the frame.
const FRAME: u64 = 0x000f_ffff_ffff_f000;
/// Registers of the local APIC's timer, and its divider for every tick.
const APIC_TIMER: i32 = 0x320;
const APIC_TIMER_COUNT: i32 = 0x380;
const APIC_TIMER_DIVIDER: i32 = 0x3e0;
const DIVIDE_BY_1: i32 = 0xb;
/// Ticks that a processor sleeps when no actor may run: a fraction of a millisecond.
const IDLE_TICKS: i32 = 100_000;
/// Registers that a function must keep.
const KEPT: [AsmRegister64; 8] = [rbx, rbp, rsi, rdi, r12, r13, r14, r15];

pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    idle(a, context, r)?;
    sleep(a, r)?;
    run_actor(a, context, r)?;
    done(a, context, r)
}

/// R12: index of the actor looked at; R13: actors looked at in vain; R15: the words.
fn idle(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let plan = context.plan;
    let (mut look, mut next, mut vain, mut in_range) = four(a);
    a.set_label(&mut r.idle)?;
    a.mov(r15, plan.words)?;
    a.xor(r12d, r12d)?;
    a.sti()?;
    a.set_label(&mut look)?;
    a.call(r.answer_flush)?;
    a.xor(r13d, r13d)?;
    a.set_label(&mut next)?;
    a.inc(r12)?;
    a.cmp(r12, plan.actor_count as i32)?;
    a.jb(in_range)?;
    a.xor(r12d, r12d)?;
    a.set_label(&mut in_range)?;
    a.imul_3(rbx, r12, STEP as i32)?;
    a.mov(rax, plan.actors)?;
    a.add(rbx, rax)?;
    may_run(a, vain)?;
    take(a, vain)?;
    a.mov(word(r15, Word::State), RUNNING as i32)?;
    a.mov(rcx, rbx)?;
    a.call(r.run_actor)?;
    pace(a, r)?;
    a.jmp(look)?;
    a.set_label(&mut vain)?;
    a.inc(r13)?;
    a.cmp(r13, plan.actor_count as i32)?;
    a.jb(next)?;
    tell_quiet(a, context, r)?;
    a.mov(ecx, IDLE_TICKS)?;
    a.call(r.sleep)?;
    a.jmp(look)
}

fn four(a: &mut CodeAssembler) -> (CodeLabel, CodeLabel, CodeLabel, CodeLabel) {
    (
        a.create_label(),
        a.create_label(),
        a.create_label(),
        a.create_label(),
    )
}

/// Goes to `vain` unless the actor's kind is on and the actor has iterations left.
fn may_run(a: &mut CodeAssembler, vain: CodeLabel) -> Emit {
    let mut without_end = a.create_label();
    a.mov(rax, actor_word(rbx, ActorWord::Kind))?;
    a.test(word(r15, Word::Actors), rax)?;
    a.je(vain)?;
    a.mov(rax, word(r15, Word::Limit))?;
    a.test(rax, rax)?;
    a.je(without_end)?;
    a.cmp(actor_word(rbx, ActorWord::Iterations), rax)?;
    a.jae(vain)?;
    a.set_label(&mut without_end)?;
    a.nop()
}

/// Takes the actor for this processor or goes to `vain`. Another may have finished its last
/// iteration since the check: it is made again.
fn take(a: &mut CodeAssembler, vain: CodeLabel) -> Emit {
    let (mut put_back, mut taken) = (a.create_label(), a.create_label());
    a.mov(eax, 1)?;
    a.xchg(actor_word(rbx, ActorWord::Busy), rax)?;
    a.test(rax, rax)?;
    a.jne(vain)?;
    may_run(a, put_back)?;
    a.jmp(taken)?;
    a.set_label(&mut put_back)?;
    a.mov(actor_word(rbx, ActorWord::Busy), 0)?;
    a.jmp(vain)?;
    a.set_label(&mut taken)?;
    a.nop()
}

/// Sleeps between two iterations, if the control word says so.
fn pace(a: &mut CodeAssembler, r: &Routines) -> Emit {
    let mut none = a.create_label();
    a.mov(rcx, word(r15, Word::Pace))?;
    a.test(ecx, ecx)?;
    a.je(none)?;
    a.call(r.sleep)?;
    a.set_label(&mut none)?;
    a.nop()
}

/// Halts until the local APIC's timer has counted ECX down or another interrupt comes. Uses RDX.
fn sleep(a: &mut CodeAssembler, r: &mut Routines) -> Emit {
    a.set_label(&mut r.sleep)?;
    a.mov(rdx, APIC)?;
    a.cli()?;
    a.mov(dword_ptr(rdx + APIC_TIMER_DIVIDER), DIVIDE_BY_1)?;
    a.mov(dword_ptr(rdx + APIC_TIMER), TIMER_VECTOR as i32)?;
    a.mov(dword_ptr(rdx + APIC_TIMER_COUNT), ecx)?;
    a.sti()?;
    a.hlt()?;
    a.ret()
}

/// Says that nothing runs, when no actor is busy and none may run. Uses RBX, RSI and others.
fn tell_quiet(a: &mut CodeAssembler, context: &Context, r: &Routines) -> Emit {
    let (mut each, mut rests, mut end, mut text) = four(a);
    a.mov(rbx, context.plan.actors)?;
    a.mov(ecx, context.plan.actor_count as i32)?;
    a.set_label(&mut each)?;
    a.cmp(actor_word(rbx, ActorWord::Busy), 0)?;
    a.jne(end)?;
    may_run(a, rests)?;
    a.jmp(end)?;
    a.set_label(&mut rests)?;
    a.add(rbx, STEP as i32)?;
    a.dec(ecx)?;
    a.jne(each)?;
    a.mov(eax, RUNNING as i32)?;
    a.mov(ecx, QUIET as i32)?;
    a.lock().cmpxchg(word(r15, Word::State), rcx)?;
    a.jne(end)?;
    a.lea(rsi, ptr(text))?;
    a.call(r.print)?;
    a.jmp(end)?;
    a.set_label(&mut text)?;
    a.db(b"quiet\n\0")?;
    a.set_label(&mut end)?;
    a.nop()
}

/// Runs one iteration of the actor in RCX; its end is [`done`].
fn run_actor(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let fields = &context.plan.fields;
    let mut in_user_mode = a.create_label();
    a.set_label(&mut r.run_actor)?;
    for register in KEPT {
        a.push(register)?;
    }
    a.cli()?;
    a.mov(rbx, rcx)?;
    load_processor(a, context.plan, rdi)?;
    a.mov(processor_word(rdi, ProcessorWord::SavedStack), rsp)?;
    a.mov(rax, actor_word(rbx, ActorWord::Thread))?;
    a.mov(byte_ptr(rax + fields.thread_state as i32), RUNS)?;
    a.mov(region(fields.current_thread), rax)?;
    a.mov(rax, actor_word(rbx, ActorWord::Root))?;
    a.mov(region(fields.kernel_root), rax)?;
    a.mov(cr3, rax)?;
    a.mov(rsp, actor_word(rbx, ActorWord::Stack))?;
    a.mov(region(fields.kernel_stack), rsp)?;
    a.mov(region(fields.kernel_stack_shadow), rsp)?;
    a.cmp(actor_word(rbx, ActorWord::Function), 0)?;
    a.je(in_user_mode)?;
    a.sti()?;
    a.sub(rsp, 0x28)?;
    a.call(actor_word(rbx, ActorWord::Function))?;
    a.jmp(r.done)?;
    a.set_label(&mut in_user_mode)?;
    a.mov(rax, actor_word(rbx, ActorWord::Teb))?;
    write_register(a, KERNEL_GS_BASE)?;
    a.mov(rcx, actor_word(rbx, ActorWord::UserEntry))?;
    a.mov(r10, actor_word(rbx, ActorWord::UserStack))?;
    a.mov(rdx, actor_word(rbx, ActorWord::UserRoot))?;
    a.mov(r11d, USER_FLAGS)?;
    a.mov(rax, context.plan.gates)?;
    a.jmp(rax)
}

/// The end of an iteration, from anywhere in the kernel: what is on the thread's stack is
/// forgotten. Back in the idle thread, the actor is free for the next processor.
fn done(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let (plan, fields) = (context.plan, &context.plan.fields);
    let mut not_user = a.create_label();
    a.set_label(&mut r.done)?;
    a.cli()?;
    load_actor(a, plan, rbx)?;
    a.cmp(actor_word(rbx, ActorWord::Function), 0)?;
    a.jne(not_user)?;
    trim(a, context)?;
    a.set_label(&mut not_user)?;
    a.mov(rax, actor_word(rbx, ActorWord::Thread))?;
    a.mov(byte_ptr(rax + fields.thread_state as i32), READY)?;
    a.mov(rax, region(fields.idle_thread))?;
    a.mov(region(fields.current_thread), rax)?;
    a.mov(rdi, at(rax, fields.thread_owner))?;
    a.mov(rax, plan.system_root)?;
    a.mov(region(fields.kernel_root), rax)?;
    a.mov(cr3, rax)?;
    a.mov(rsp, processor_word(rdi, ProcessorWord::SavedStack))?;
    a.inc(actor_word(rbx, ActorWord::Iterations))?;
    a.mov(actor_word(rbx, ActorWord::Busy), 0)?;
    a.sti()?;
    for register in KEPT.into_iter().rev() {
        a.pop(register)?;
    }
    a.ret()
}

/// Puts the pages that come in by faults on the standby list again. No other thread uses the
/// address space, and the change of root that follows flushes it.
fn trim(a: &mut CodeAssembler, context: &Context) -> Emit {
    a.mov(rcx, FRAME)?;
    a.mov(rdx, context.image.transition)?;
    for page in ABSENT_PAGES {
        a.mov(rax, context.plan.page_table_entry(page))?;
        a.mov(r8, ptr(rax))?;
        a.and(r8, rcx)?;
        a.or(r8, rdx)?;
        a.mov(ptr(rax), r8)?;
    }
    Ok(())
}
