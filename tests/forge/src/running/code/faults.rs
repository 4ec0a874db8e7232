//! The handler of exceptions and interrupts. It uses no processor structures until it knows
//! that they are mapped.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::{Emit, actor_word, at, count, gates, load_actor, word};
use crate::running::plan::{APIC, DRIVER, WINDOW};
use crate::running::words::{ActorWord, PANICKED, Word};

/// End-of-interrupt register of the local APIC.
const APIC_END: i32 = 0xb0;
/// Bits of a page-table entry.
const PRESENT: i32 = 1;
const LARGE: i32 = 0x80;
const TRANSITION_BIT: u32 = 11;
const PROTOTYPE_BIT: u32 = 10;
/// Present, writable, user, accessed, dirty; no instructions.
const VALID: u64 = 1 << 63 | 0x67;
/// Frame numbers that this machine can have.
const FRAME: u64 = 0x0000_0fff_ffff_f000;

pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let (mut panic, mut breakpoint, mut fault, mut interrupt) = (
        a.create_label(),
        a.create_label(),
        a.create_label(),
        a.create_label(),
    );
    a.set_label(&mut r.handler)?;
    a.mov(rax, at(rcx, gates::VECTOR))?;
    for (vector, routine) in [
        (gates::PAGE_FAULT, fault),
        (gates::BREAKPOINT, breakpoint),
        (gates::FLUSH_VECTOR, interrupt),
        (gates::TIMER_VECTOR, interrupt),
    ] {
        a.cmp(eax, vector as i32)?;
        a.je(routine)?;
    }
    a.cmp(eax, gates::SPURIOUS_VECTOR as i32)?;
    a.jne(panic)?;
    a.ret()?;
    a.set_label(&mut interrupt)?;
    end_interrupt(a, r)?;
    a.set_label(&mut breakpoint)?;
    handle_breakpoint(a, context)?;
    a.set_label(&mut fault)?;
    handle_fault(a, context, r, panic)?;
    a.set_label(&mut panic)?;
    give_up(a, context, r)
}

fn end_interrupt(a: &mut CodeAssembler, r: &Routines) -> Emit {
    a.call(r.answer_flush)?;
    a.mov(rax, APIC)?;
    a.mov(dword_ptr(rax + APIC_END), 0)?;
    a.ret()
}

/// Counts the guest's own INT3. One that the guest did not place is counted apart, and the
/// instruction tried again.
fn handle_breakpoint(a: &mut CodeAssembler, context: &Context) -> Emit {
    let mut own = a.create_label();
    a.mov(rdx, at(rcx, gates::RIP))?;
    a.dec(rdx)?;
    for site in context
        .image
        .user_breaks
        .iter()
        .chain([&context.image.debug_break])
    {
        a.mov(rax, *site)?;
        a.cmp(rdx, rax)?;
        a.je(own)?;
    }
    a.mov(at(rcx, gates::RIP), rdx)?;
    count(a, context.plan, Word::StrayBreakpoints)?;
    a.mov(word(rax, Word::StrayAddress), rdx)?;
    a.ret()?;
    a.set_label(&mut own)?;
    load_actor(a, context.plan, rax)?;
    a.inc(actor_word(rax, ActorWord::Breakpoints))?;
    a.ret()
}

/// RSI: the address. Code that the pager took out comes in by the pager; other pages come in
/// from the standby list; all else is the end.
fn handle_fault(a: &mut CodeAssembler, context: &Context, r: &Routines, panic: CodeLabel) -> Emit {
    let (mut moved, mut spurious) = (a.create_label(), a.create_label());
    a.mov(rsi, cr2)?;
    for (shift, area) in [(39, DRIVER), (21, context.image.moved_page)] {
        a.mov(rax, rsi)?;
        a.shr(rax, shift)?;
        a.mov(rdx, area >> shift)?;
        a.cmp(rax, rdx)?;
        a.je(moved)?;
    }
    walk(a, context, spurious, panic)?;
    from_standby(a, context, panic)?;
    a.set_label(&mut spurious)?;
    count(a, context.plan, Word::SpuriousFaults)?;
    a.ret()?;
    a.set_label(&mut moved)?;
    a.mov(r15, context.plan.words)?;
    a.mov(r14, WINDOW)?;
    a.call(r.lock)?;
    a.call(r.page_in)?;
    a.inc(word(r15, Word::PagerTurn))?;
    a.ret()
}

/// Follows the self-map down to the page-table entry for RSI: R8 its address, RDX its value.
fn walk(a: &mut CodeAssembler, context: &Context, found: CodeLabel, panic: CodeLabel) -> Emit {
    for level in (1..=4u32).rev() {
        a.mov(r8, rsi)?;
        a.shl(r8, 16)?;
        a.shr(r8, (16 + 9 * level) as i32)?;
        a.and(r8, -8)?;
        a.mov(rax, context.plan.self_map(level))?;
        a.add(r8, rax)?;
        a.mov(rdx, ptr(r8))?;
        if level > 1 {
            a.test(edx, PRESENT)?;
            a.je(panic)?;
            a.test(edx, LARGE)?;
            a.jne(found)?;
        }
    }
    a.test(edx, PRESENT)?;
    a.jne(found)
}

/// Makes a transition entry (R8 its address, RDX its value) a valid one.
fn from_standby(a: &mut CodeAssembler, context: &Context, panic: CodeLabel) -> Emit {
    a.bt(edx, TRANSITION_BIT)?;
    a.jae(panic)?;
    a.bt(edx, PROTOTYPE_BIT)?;
    a.jb(panic)?;
    a.mov(rax, FRAME)?;
    a.and(rdx, rax)?;
    a.mov(rax, VALID)?;
    a.or(rdx, rax)?;
    a.mov(ptr(r8), rdx)?;
    load_actor(a, context.plan, rax)?;
    a.inc(actor_word(rax, ActorWord::Faults))?;
    a.ret()
}

/// Writes down what happened and stops the processor.
fn give_up(a: &mut CodeAssembler, context: &Context, r: &Routines) -> Emit {
    let (mut text, mut halt) = (a.create_label(), a.create_label());
    a.mov(r15, context.plan.words)?;
    for (told, offset) in [
        (Word::PanicVector, gates::VECTOR),
        (Word::PanicError, gates::ERROR),
        (Word::PanicAddress, gates::RIP),
    ] {
        a.mov(rax, at(rcx, offset))?;
        a.mov(word(r15, told), rax)?;
    }
    a.mov(rax, cr2)?;
    a.mov(word(r15, Word::PanicFault), rax)?;
    a.mov(word(r15, Word::State), PANICKED as i32)?;
    a.mov(word(r15, Word::Actors), 0)?;
    a.lea(rsi, ptr(text))?;
    a.call(r.print)?;
    a.set_label(&mut halt)?;
    a.cli()?;
    a.hlt()?;
    a.jmp(halt)?;
    a.set_label(&mut text)?;
    a.db(b"panic\n\0")
}
