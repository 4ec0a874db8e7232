//! The thread that pages hooked code out, and what brings it in again elsewhere.
//!
//! An iteration is one of seven steps: the driver's code page goes out by its page table, page
//! directory, page-directory-pointer table and top-level entry; then the large page of the
//! kernel image that holds `NtWriteFile` is split, one page of it goes out, and it is joined
//! again. Each step first touches what the one before took out.

use iced_x86::code_asm::*;

use super::gates::FLUSH_VECTOR;
use super::kernel::{Context, Routines};
use super::start::APIC_COMMAND;
use super::{Emit, actor_word, count, load_actor, load_processor, processor_word, word};
use crate::running::moving::{IMAGE_LEVEL, Moving};
use crate::running::plan::{APIC, DRIVER, DRIVER_FUNCTION, WINDOW};
use crate::running::words::{ActorWord, ProcessorWord, STEP, Word};

/// Steps of a round.
const STEPS: i32 = 7;
/// Words in a frame, and its size.
const FRAME_WORDS: i32 = 512;
const FRAME_SIZE: i32 = 0x1000;
/// Present, writable, accessed, dirty: of tables and of the driver's page.
const VALID: i32 = 0x63;
/// The same of the image's pages, which are global.
const VALID_GLOBAL: i32 = 0x163;
/// Global-page enable in CR4: clearing it flushes every translation.
const GLOBAL_PAGES: i32 = 0x80;
/// To all processors but this one, fixed delivery.
const TO_OTHERS: i32 = 0x000c_4000;

/// A level of the driver's translation: the words of the frame that holds its entry, of the
/// frame below that moves, and the counter.
struct Level {
    number: i32,
    table: Option<Word>,
    below: Word,
    spare: Word,
    outs: Word,
}

const LEVELS: [Level; 4] = [
    Level {
        number: 1,
        table: Some(Word::DriverTable),
        below: Word::DriverPage,
        spare: Word::SparePage,
        outs: Word::PageTableOuts,
    },
    Level {
        number: 2,
        table: Some(Word::DriverDirectory),
        below: Word::DriverTable,
        spare: Word::SpareTable,
        outs: Word::DirectoryOuts,
    },
    Level {
        number: 3,
        table: Some(Word::DriverPointers),
        below: Word::DriverDirectory,
        spare: Word::SpareDirectory,
        outs: Word::PointersOuts,
    },
    Level {
        number: 4,
        table: None,
        below: Word::DriverPointers,
        spare: Word::SparePointers,
        outs: Word::TopOuts,
    },
];

pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    choose(a, context, r)?;
    page_in(a, context, r)?;
    lock(a, r)?;
    answer_flush(a, context, r)?;
    flush_all(a, context, r)
}

/// The actor's function. R14: the window on physical memory; R15: the words.
fn choose(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    a.set_label(&mut r.pager)?;
    a.mov(r15, context.plan.words)?;
    a.mov(r14, WINDOW)?;
    for touched in [DRIVER + DRIVER_FUNCTION, context.image.moved_page] {
        a.mov(rax, touched)?;
        a.mov(al, byte_ptr(rax))?;
    }
    load_actor(a, context.plan, rbx)?;
    a.mov(rax, actor_word(rbx, ActorWord::Iterations))?;
    a.xor(edx, edx)?;
    a.mov(ecx, STEPS)?;
    a.div(rcx)?;
    a.mov(ebx, edx)?;
    a.call(r.lock)?;
    let mut end = a.create_label();
    for level in &LEVELS {
        let mut other = a.create_label();
        a.cmp(ebx, level.number - 1)?;
        a.jne(other)?;
        take_out(a, context, r, level)?;
        a.jmp(end)?;
        a.set_label(&mut other)?;
    }
    let (mut not_split, mut not_out) = (a.create_label(), a.create_label());
    a.cmp(ebx, 4)?;
    a.jne(not_split)?;
    split(a, context, r)?;
    a.jmp(end)?;
    a.set_label(&mut not_split)?;
    a.cmp(ebx, 5)?;
    a.jne(not_out)?;
    take_image_page_out(a, context, r)?;
    a.jmp(end)?;
    a.set_label(&mut not_out)?;
    join(a, context, r)?;
    a.set_label(&mut end)?;
    a.inc(word(r15, Word::PagerTurn))?;
    a.ret()
}

/// Takes the driver's page out by the entry of a level: the frame below that entry moves, and
/// the code page with it.
fn take_out(a: &mut CodeAssembler, context: &Context, r: &Routines, level: &Level) -> Emit {
    match level.table {
        Some(table) => clear_entry(a, table, level.number)?,
        None => clear_top_entries(a, context, r, level.number)?,
    }
    a.call(r.flush_all)?;
    move_frame(a, level.below, level.spare)?;
    if level.number > 1 {
        move_frame(a, Word::DriverPage, Word::SparePage)?;
        a.mov(rax, word(r15, Word::DriverTable))?;
        a.add(rax, Moving::entry_offset(1) as i32)?;
        a.mov(rcx, word(r15, Word::DriverPage))?;
        a.or(rcx, VALID)?;
        a.mov(ptr(r14 + rax), rcx)?;
    }
    a.mov(rax, word(r15, level.below))?;
    a.or(rax, VALID)?;
    a.mov(word(r15, Word::PendingValue), rax)?;
    a.mov(word(r15, Word::PendingLevel), level.number)?;
    a.inc(word(r15, level.outs))
}

/// Clears the entry of a level in its table.
fn clear_entry(a: &mut CodeAssembler, table: Word, level: i32) -> Emit {
    a.mov(rax, word(r15, table))?;
    a.add(rax, Moving::entry_offset(level as u32) as i32)?;
    a.mov(word(r15, Word::PendingEntry), rax)?;
    a.btr(qword_ptr(r14 + rax), 0)
}

/// Clears the top-level entry in every root. The other processors stand meanwhile, as they do
/// when a kernel changes what all its roots share: there is no one write that changes all.
fn clear_top_entries(a: &mut CodeAssembler, context: &Context, r: &Routines, level: i32) -> Emit {
    load_processor(a, context.plan, rax)?;
    a.mov(word(r15, Word::Frozen), rax)?;
    a.call(r.flush_all)?;
    a.xor(edx, edx)?;
    let roots = context.plan.roots_reversed();
    write_roots(a, roots, Moving::entry_offset(level as u32) as i32)?;
    a.mov(word(r15, Word::Frozen), 0)
}

/// Writes RDX as an entry of every root in a list that zero ends. Uses RAX and RSI.
fn write_roots(a: &mut CodeAssembler, roots: u64, offset: i32) -> Emit {
    let mut each = a.create_label();
    a.mov(rsi, roots)?;
    a.lodsq()?;
    a.set_label(&mut each)?;
    a.mov(ptr(r14 + rax + offset), rdx)?;
    a.lodsq()?;
    a.test(rax, rax)?;
    a.jne(each)
}

/// Copies a frame to its spare one and exchanges the two.
fn move_frame(a: &mut CodeAssembler, frame: Word, spare: Word) -> Emit {
    a.mov(rsi, word(r15, frame))?;
    a.mov(rdi, word(r15, spare))?;
    a.mov(word(r15, frame), rdi)?;
    a.mov(word(r15, spare), rsi)?;
    copy_frame(a)
}

/// Copies the frame RSI to the frame RDI. Uses RCX, RSI and RDI.
fn copy_frame(a: &mut CodeAssembler) -> Emit {
    a.add(rsi, r14)?;
    a.add(rdi, r14)?;
    a.mov(ecx, FRAME_WORDS)?;
    a.rep().movsq()
}

/// Maps the image's large page by a page table.
fn split(a: &mut CodeAssembler, context: &Context, r: &Routines) -> Emit {
    let moving = &context.image.moving;
    let mut each = a.create_label();
    a.mov(rax, WINDOW + moving.image_table)?;
    a.mov(rdx, moving.large_page | VALID_GLOBAL as u64)?;
    a.mov(ecx, FRAME_WORDS)?;
    a.set_label(&mut each)?;
    a.mov(ptr(rax), rdx)?;
    a.add(rdx, FRAME_SIZE)?;
    a.add(rax, 8)?;
    a.dec(ecx)?;
    a.jne(each)?;
    set_image_entry(a, moving, moving.image_table | VALID as u64)?;
    a.call(r.flush_all)?;
    a.inc(word(r15, Word::Splits))
}

fn set_image_entry(a: &mut CodeAssembler, moving: &Moving, value: u64) -> Emit {
    a.mov(rax, WINDOW + moving.image_entry)?;
    a.mov(rdx, value)?;
    a.mov(ptr(rax), rdx)
}

/// Takes the page of the image out; it comes in from a copy.
fn take_image_page_out(a: &mut CodeAssembler, context: &Context, r: &Routines) -> Emit {
    let moving = &context.image.moving;
    a.mov(rax, moving.image_page_entry())?;
    a.mov(word(r15, Word::PendingEntry), rax)?;
    a.btr(qword_ptr(r14 + rax), 0)?;
    a.call(r.flush_all)?;
    a.mov(rsi, moving.image_page)?;
    a.mov(rdi, moving.image_copy)?;
    copy_frame(a)?;
    a.mov(rax, moving.image_copy | VALID_GLOBAL as u64)?;
    a.mov(word(r15, Word::PendingValue), rax)?;
    a.mov(word(r15, Word::PendingLevel), IMAGE_LEVEL)?;
    a.inc(word(r15, Word::ImageOuts))
}

/// Copies the page back to its place and maps the large page again.
fn join(a: &mut CodeAssembler, context: &Context, r: &Routines) -> Emit {
    let moving = &context.image.moving;
    a.mov(rsi, moving.image_copy)?;
    a.mov(rdi, moving.image_page)?;
    copy_frame(a)?;
    set_image_entry(a, moving, moving.large_entry)?;
    a.call(r.flush_all)?;
    a.inc(word(r15, Word::Joins))
}

/// Brings in what is out, if anything is. The lock is held; R14 and R15 as in [`choose`].
fn page_in(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let (mut one, mut end, mut nothing) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.page_in)?;
    a.mov(rbx, word(r15, Word::PendingLevel))?;
    a.test(rbx, rbx)?;
    a.je(nothing)?;
    a.mov(rdx, word(r15, Word::PendingValue))?;
    a.cmp(ebx, 4)?;
    a.jne(one)?;
    write_roots(a, context.plan.roots, Moving::entry_offset(4) as i32)?;
    a.jmp(end)?;
    a.set_label(&mut one)?;
    a.mov(rax, word(r15, Word::PendingEntry))?;
    a.mov(ptr(r14 + rax), rdx)?;
    a.set_label(&mut end)?;
    a.mov(word(r15, Word::PendingLevel), 0)?;
    a.inc(word(r15, Word::PageIns))?;
    a.ret()?;
    a.set_label(&mut nothing)?;
    count(a, context.plan, Word::SpuriousFaults)?;
    a.ret()
}

/// Takes the lock on page tables. Who waits with interrupts off answers requests to flush,
/// lest who holds the lock wait for ever. In turn, lest a busy processor starve the others.
/// R15: the words.
fn lock(a: &mut CodeAssembler, r: &mut Routines) -> Emit {
    let (mut look, mut taken) = (a.create_label(), a.create_label());
    a.set_label(&mut r.lock)?;
    a.mov(eax, 1)?;
    a.lock().xadd(word(r15, Word::PagerTickets), rax)?;
    a.set_label(&mut look)?;
    a.cmp(word(r15, Word::PagerTurn), rax)?;
    a.je(taken)?;
    a.push(rax)?;
    a.call(r.answer_flush)?;
    a.pop(rax)?;
    a.pause()?;
    a.jmp(look)?;
    a.set_label(&mut taken)?;
    a.ret()
}

/// Flushes every translation of this processor if another asked for it since the last time,
/// and stands as long as that one wants it to. Uses RAX, RCX, RDX and R8.
fn answer_flush(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let (mut end, mut stand) = (a.create_label(), a.create_label());
    a.set_label(&mut r.answer_flush)?;
    a.mov(rax, context.plan.words)?;
    a.mov(r8, word(rax, Word::Generation))?;
    load_processor(a, context.plan, rcx)?;
    a.cmp(processor_word(rcx, ProcessorWord::Flushed), r8)?;
    a.je(end)?;
    a.mov(rdx, cr4)?;
    a.mov(rax, rdx)?;
    a.and(rax, !GLOBAL_PAGES)?;
    a.mov(cr4, rax)?;
    a.mov(cr4, rdx)?;
    a.mov(processor_word(rcx, ProcessorWord::Flushed), r8)?;
    a.mov(rax, context.plan.words)?;
    a.set_label(&mut stand)?;
    a.pause()?;
    a.mov(rdx, word(rax, Word::Frozen))?;
    a.test(rdx, rdx)?;
    a.je(end)?;
    a.cmp(rdx, rcx)?;
    a.jne(stand)?;
    a.set_label(&mut end)?;
    a.ret()
}

/// Flushes every translation of all processors and waits until they have. Uses all registers
/// that a function need not keep, and RSI.
fn flush_all(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let plan = context.plan;
    let (mut each, mut wait, mut done) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.flush_all)?;
    a.mov(rax, plan.words)?;
    a.lock().inc(word(rax, Word::Generation))?;
    a.mov(rsi, APIC)?;
    a.mov(
        dword_ptr(rsi + APIC_COMMAND),
        TO_OTHERS | FLUSH_VECTOR as i32,
    )?;
    a.call(r.answer_flush)?;
    a.mov(rax, plan.words)?;
    a.mov(r8, word(rax, Word::Generation))?;
    a.mov(r9, word(rax, Word::Online))?;
    a.mov(eax, plan.processor_count as i32)?;
    a.cmp(r9, rax)?;
    a.cmova(r9, rax)?;
    a.mov(rsi, plan.processors)?;
    a.set_label(&mut each)?;
    a.sub(r9, 1)?;
    a.jb(done)?;
    a.set_label(&mut wait)?;
    a.pause()?;
    a.cmp(processor_word(rsi, ProcessorWord::Flushed), r8)?;
    a.jb(wait)?;
    a.add(rsi, STEP as i32)?;
    a.jmp(each)?;
    a.set_label(&mut done)?;
    a.ret()
}
