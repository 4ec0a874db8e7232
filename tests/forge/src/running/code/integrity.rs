//! The integrity checker: it sums pages of code again and again, as kernel patch protection
//! does, and calls the guest's own INT3.

use iced_x86::code_asm::*;

use super::kernel::{Context, Routines};
use super::{Emit, count, word};
use crate::running::words::Word;

/// Words in a page.
const PAGE_WORDS: i32 = 512;

/// One round over all watched pages is an iteration. R12: the page's record; one of zero ends them.
pub(super) fn emit(a: &mut CodeAssembler, context: &Context, r: &mut Routines) -> Emit {
    let plan = context.plan;
    let (mut page, mut add, mut same) = (a.create_label(), a.create_label(), a.create_label());
    a.set_label(&mut r.integrity)?;
    a.mov(r12, plan.watched)?;
    a.set_label(&mut page)?;
    a.mov(rsi, ptr(r12))?;
    a.mov(ecx, PAGE_WORDS)?;
    a.xor(edx, edx)?;
    a.set_label(&mut add)?;
    a.rol(rdx, 1)?;
    a.add(rdx, ptr(rsi))?;
    a.add(rsi, 8)?;
    a.dec(ecx)?;
    a.jne(add)?;
    a.cmp(rdx, ptr(r12 + 8))?;
    a.je(same)?;
    count(a, plan, Word::IntegrityDifferences)?;
    a.mov(rdx, ptr(r12))?;
    a.mov(word(rax, Word::DifferentPage), rdx)?;
    a.set_label(&mut same)?;
    a.add(r12, 16)?;
    a.cmp(qword_ptr(r12), 0)?;
    a.jne(page)?;
    count(a, plan, Word::IntegrityRounds)?;
    a.mov(rax, context.image.debug_break)?;
    a.call(rax)?;
    a.ret()
}

/// The sum of a page as the checker computes it.
pub(in crate::running) fn sum(page: &[u8]) -> u64 {
    page.chunks_exact(8).fold(0, |sum: u64, word| {
        let word = word.try_into().map(u64::from_le_bytes).unwrap_or_default();
        sum.rotate_left(1).wrapping_add(word)
    })
}
