//! Processes that come and go: an iteration puts a spare process into the kernel's list, the
//! next takes it out again.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::{Emit, actor_word, at, count, load_actor, word};
use crate::running::plan::{SPARE_COUNT, SPARE_SIZE};
use crate::running::words::{ActorWord, Word};

/// Where a spare process's record has the address of its entry in the id table, and its words.
const ID_ENTRY: u64 = 8;
const ID_WORDS: [u64; 2] = [16, 24];
/// Time of exit (FILETIME).
const EXIT_TIME: u64 = crate::clock::NOW;

pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    choose(a, context, r)?;
    insert_process(a, context, r)?;
    clean_address_space(a, context, r)
}

/// RSI: the record of the spare process; RDI: the process.
fn choose(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let mut goes = a.create_label();
    a.set_label(&mut r.lifecycle)?;
    load_actor(a, context.plan, rbx)?;
    a.mov(rbx, actor_word(rbx, ActorWord::Iterations))?;
    a.mov(rax, rbx)?;
    a.shr(rax, 1)?;
    a.and(eax, SPARE_COUNT as i32 - 1)?;
    a.imul_3(rax, rax, SPARE_SIZE as i32)?;
    a.mov(rsi, context.plan.spares)?;
    a.add(rsi, rax)?;
    a.mov(rdi, ptr(rsi))?;
    a.test(ebx, 1)?;
    a.jne(goes)?;
    create(a, context)?;
    a.set_label(&mut goes)?;
    exit(a, context)
}

fn create(a: &mut CodeAssembler, context: &Context) -> Emit {
    a.mov(at(rdi, context.plan.fields.exit_time), 0)?;
    a.mov(rdx, at(rsi, ID_ENTRY))?;
    for (entry, word) in [0, 8].into_iter().zip(ID_WORDS) {
        a.mov(rax, at(rsi, word))?;
        a.mov(at(rdx, entry), rax)?;
    }
    a.mov(rcx, rdi)?;
    a.mov(rdx, context.image.parent)?;
    a.mov(rax, context.image.insert_process)?;
    a.call(rax)?;
    a.ret()
}

fn exit(a: &mut CodeAssembler, context: &Context) -> Emit {
    let fields = &context.plan.fields;
    a.mov(rax, EXIT_TIME)?;
    a.mov(at(rdi, fields.exit_time), rax)?;
    a.mov(rcx, rdi)?;
    a.mov(rax, context.image.clean_address_space)?;
    a.call(rax)?;
    a.mov(rax, at(rdi, fields.process_links))?;
    a.mov(rdx, at(rdi, fields.process_links + 8))?;
    a.mov(at(rdx, 0), rax)?;
    a.mov(at(rax, 8), rdx)?;
    a.mov(rdx, at(rsi, ID_ENTRY))?;
    a.mov(at(rdx, 0), 0)?;
    a.mov(at(rdx, 8), 0)?;
    count(a, context.plan, Word::ProcessExits)?;
    a.ret()
}

/// `PspInsertProcess(Process, Parent)`: links the process in at the end of the list.
fn insert_process(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let fields = &context.plan.fields;
    a.set_label(&mut r.insert_process)?;
    count(a, context.plan, Word::ProcessCreates)?;
    a.lea(r8, ptr(rcx + rdx))?;
    a.add(word(rax, Word::InsertArgumentSum), r8)?;
    a.mov(r8, at(rdx, fields.process_id))?;
    a.mov(at(rcx, fields.parent_id), r8)?;
    a.mov(r9, context.image.process_head)?;
    a.mov(r8, at(r9, 8))?;
    a.lea(rcx, ptr(rcx + fields.process_links as i32))?;
    a.mov(at(rcx, 0), r9)?;
    a.mov(at(rcx, 8), r8)?;
    a.mov(at(r8, 0), rcx)?;
    a.mov(at(r9, 8), rcx)?;
    a.xor(eax, eax)?;
    a.ret()
}

/// `MmCleanProcessAddressSpace(Process)`.
fn clean_address_space(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    a.set_label(&mut r.clean_address_space)?;
    a.mov(rax, context.plan.words)?;
    a.add(word(rax, Word::CleanArgumentSum), rcx)?;
    a.xor(eax, eax)?;
    a.ret()
}
