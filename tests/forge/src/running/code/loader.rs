//! A driver that comes and goes: an iteration loads it, the next unloads it, each time it is
//! at the other of two addresses.
//!
//! The order is that of Windows: the image is mapped, its entry goes into the list of modules,
//! the driver runs for the first time. When it goes, nobody is in it any more; of its pages and
//! its entry, either goes first.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::{Emit, actor_word, at, count, load_actor, word};
use crate::running::plan::{LATE, LATE_SIZE, WINDOW};
use crate::running::words::{ActorWord, Word};

/// Members of the driver's record.
pub(in crate::running) const ENTRY: u64 = 0;
pub(in crate::running) const FUNCTION: u64 = 8;
/// Place and value of the page-table entry of each page.
pub(in crate::running) const PAGES: [(u64, u64); 2] = [(16, 24), (32, 40)];

pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    choose(a, context, r)?;
    list_module(a, context, r)?;
    late(a, context, r)
}

/// The actor's function. RSI: the record; RDI: which it is; R14: the window on physical
/// memory; R15: the words.
fn choose(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let mut goes = a.create_label();
    a.set_label(&mut r.loader)?;
    a.mov(r15, context.plan.words)?;
    a.mov(r14, WINDOW)?;
    load_actor(a, context.plan, rbx)?;
    a.mov(rbx, actor_word(rbx, ActorWord::Iterations))?;
    a.mov(rdi, rbx)?;
    a.shr(rdi, 1)?;
    a.and(edi, LATE.len() as i32 - 1)?;
    a.imul_3(rax, rdi, LATE_SIZE as i32)?;
    a.mov(rsi, context.plan.late)?;
    a.add(rsi, rax)?;
    a.test(ebx, 1)?;
    a.jne(goes)?;
    load(a, context)?;
    a.set_label(&mut goes)?;
    unload(a, context, r)
}

fn load(a: &mut CodeAssembler, context: &Context) -> Emit {
    for (place, value) in PAGES {
        a.mov(rax, at(rsi, place))?;
        a.mov(rdx, at(rsi, value))?;
        a.mov(ptr(r14 + rax), rdx)?;
    }
    list(a, context, true)?;
    a.call(at(rsi, FUNCTION))?;
    a.mov(rax, at(rsi, FUNCTION))?;
    a.mov(word(r15, Word::LateFunction), rax)?;
    a.ret()
}

fn unload(a: &mut CodeAssembler, context: &Context, r: &Routines) -> Emit {
    let (mut busy, mut free) = (a.create_label(), a.create_label());
    let (mut entry_first, mut end) = (a.create_label(), a.create_label());
    a.xor(eax, eax)?;
    a.xchg(word(r15, Word::LateFunction), rax)?;
    a.set_label(&mut busy)?;
    a.cmp(word(r15, Word::LateUsers), 0)?;
    a.je(free)?;
    a.call(r.answer_flush)?;
    a.pause()?;
    a.jmp(busy)?;
    a.set_label(&mut free)?;
    a.test(edi, edi)?;
    a.jne(entry_first)?;
    unmap(a, r)?;
    list(a, context, false)?;
    a.jmp(end)?;
    a.set_label(&mut entry_first)?;
    list(a, context, false)?;
    unmap(a, r)?;
    a.set_label(&mut end)?;
    a.ret()
}

/// `MiProcessLoaderEntry(entry, comes)`.
fn list(a: &mut CodeAssembler, context: &Context, comes: bool) -> Emit {
    a.mov(rcx, at(rsi, ENTRY))?;
    a.mov(edx, i32::from(comes))?;
    a.mov(rax, context.image.list_module)?;
    a.call(rax)
}

fn unmap(a: &mut CodeAssembler, r: &Routines) -> Emit {
    a.push(rsi)?;
    a.call(r.lock)?;
    a.mov(rsi, ptr(rsp))?;
    for (place, _) in PAGES {
        a.mov(rax, at(rsi, place))?;
        a.mov(qword_ptr(r14 + rax), 0)?;
    }
    a.call(r.flush_all)?;
    a.inc(word(r15, Word::PagerTurn))?;
    a.pop(rsi)
}

/// `MiProcessLoaderEntry(Entry, Insert)`: links the entry in at the end of the list, or out.
fn list_module(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let mut goes = a.create_label();
    a.set_label(&mut r.list_module)?;
    a.test(dl, dl)?;
    a.je(goes)?;
    a.mov(rax, context.image.module_head)?;
    a.mov(r8, at(rax, 8))?;
    a.mov(at(rcx, 0), rax)?;
    a.mov(at(rcx, 8), r8)?;
    a.mov(at(r8, 0), rcx)?;
    a.mov(at(rax, 8), rcx)?;
    count(a, context.plan, Word::DriverLoads)?;
    a.ret()?;
    a.set_label(&mut goes)?;
    a.mov(rax, at(rcx, 0))?;
    a.mov(r8, at(rcx, 8))?;
    a.mov(at(r8, 0), rax)?;
    a.mov(at(rax, 8), r8)?;
    count(a, context.plan, Word::DriverUnloads)?;
    a.ret()
}

/// The late driver's function.
fn late(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    a.set_label(&mut r.late)?;
    load_actor(a, context.plan, rbx)?;
    a.inc(actor_word(rbx, ActorWord::LateCalls))?;
    a.xor(eax, eax)?;
    a.ret()
}

/// Calls the late driver's function if it is loaded. Uses RAX and what a function may use.
pub(super) fn call_late(a: &mut CodeAssembler, context: &Context) -> Emit {
    let mut none = a.create_label();
    a.mov(rax, context.plan.words)?;
    a.lock().inc(word(rax, Word::LateUsers))?;
    a.mov(r8, word(rax, Word::LateFunction))?;
    a.test(r8, r8)?;
    a.je(none)?;
    a.call(r8)?;
    a.mov(rax, context.plan.words)?;
    a.set_label(&mut none)?;
    a.lock().dec(word(rax, Word::LateUsers))
}
