//! A DLL that a process maps and unmaps: its pages, its region, and a word with the address of
//! its function.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::{Assembled, Emit, at, word};
use crate::running::plan::{PLUGIN_SIZE, WINDOW};
use crate::running::user_space::{PLUGIN_CALLS, PLUGIN_FUNCTION};
use crate::running::words::Word;

/// Members of the plugin's record.
pub(in crate::running) const REGION: u64 = 0;
pub(in crate::running) const SLOT: u64 = 8;
pub(in crate::running) const FUNCTION: u64 = 16;
/// Place and value of the page-table entry of each page.
pub(in crate::running) const PAGES: [(u64, u64); 3] = [(32, 40), (48, 56), (64, 72)];
/// Bit of the turn, less one, that unloads.
const UNLOADS: i32 = 2;

/// Its function, in user mode.
pub(in crate::running) fn function(address: u64) -> Emit<Vec<u8>> {
    let mut a = CodeAssembler::new(64)?;
    a.mov(eax, PLUGIN_CALLS as u32)?;
    a.inc(qword_ptr(rax))?;
    a.ret()?;
    Ok(Assembled::new(&mut a, address)?.bytes)
}

/// Takes the turn that the control word asks for, in the process of the actor in RBX: only the
/// first process has the plugin. R9: the turn; R12: the record.
pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let (mut end, mut goes) = (a.create_label(), a.create_label());
    a.set_label(&mut r.plugin)?;
    a.mov(rax, context.plan.actor(0))?;
    a.cmp(rbx, rax)?;
    a.jne(end)?;
    a.xor(r9d, r9d)?;
    a.mov(rax, context.plan.words)?;
    a.xchg(word(rax, Word::PluginTurn), r9)?;
    a.sub(r9, 1)?;
    a.jb(end)?;
    a.push(r12)?;
    a.mov(eax, r9d)?;
    a.and(eax, 1)?;
    a.imul_3(rax, rax, PLUGIN_SIZE as i32)?;
    a.mov(r12, context.plan.plugins)?;
    a.add(r12, rax)?;
    a.test(r9d, UNLOADS)?;
    a.jne(goes)?;
    load(a, context)?;
    a.pop(r12)?;
    a.ret()?;
    a.set_label(&mut goes)?;
    unload(a)?;
    a.pop(r12)?;
    a.set_label(&mut end)?;
    a.ret()
}

fn load(a: &mut CodeAssembler, context: &Context) -> Emit {
    set_pages(a, true)?;
    a.mov(rax, at(r12, SLOT))?;
    a.mov(rdx, at(r12, REGION))?;
    a.mov(ptr(rax), rdx)?;
    a.mov(rax, context.image.image_mapped)?;
    a.call(rax)?;
    a.mov(rax, PLUGIN_FUNCTION)?;
    a.mov(rdx, at(r12, FUNCTION))?;
    a.mov(ptr(rax), rdx)?;
    a.mov(rax, context.plan.words)?;
    a.inc(word(rax, Word::PluginLoads))
}

/// No other thread uses the address space: its translations are flushed here.
fn unload(a: &mut CodeAssembler) -> Emit {
    a.mov(rax, PLUGIN_FUNCTION)?;
    a.mov(qword_ptr(rax), 0)?;
    a.mov(rax, at(r12, SLOT))?;
    a.mov(qword_ptr(rax), 0)?;
    set_pages(a, false)?;
    a.mov(rax, cr3)?;
    a.mov(cr3, rax)
}

/// Writes the page-table entries, in the window on physical memory.
fn set_pages(a: &mut CodeAssembler, present: bool) -> Emit {
    a.mov(r8, WINDOW)?;
    for (place, value) in PAGES {
        a.mov(rax, at(r12, place))?;
        match present {
            true => a.mov(rdx, at(r12, value))?,
            false => a.xor(edx, edx)?,
        }
        a.mov(ptr(r8 + rax), rdx)?;
    }
    Ok(())
}
