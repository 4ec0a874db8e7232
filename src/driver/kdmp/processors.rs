//! Registers of the processors: saved in each `_KPRCB`, and in the dump's header
//! for the one that crashed.

use super::{header::Header, kdbg::Kdbg, space::Space};
use crate::{
    arch::amd64::context::{CONTEXT_AMD64, SPECIAL_AMD64},
    core::{Registers, Va, bytes::u64_at},
    driver::image::SavedRegisters,
};

/// Bytes of `_KSPECIAL_REGISTERS` that all versions of Windows share.
const SPECIAL_SIZE: usize = SPECIAL_AMD64.size();

/// Bytes of a `CONTEXT` up to and including `Rip`; vectors and the rest follow.
const CONTEXT_SIZE: usize = 0x100;

const CR0_PG: u64 = 1 << 31;
const EFER_LME: u64 = 1 << 8;
const EFER_LMA: u64 = 1 << 10;

/// All registers that the dump knows.
pub fn read(header: &Header, kdbg: Option<(&Kdbg, &Space)>) -> SavedRegisters {
    let count = header.processors().max(1);
    let mut saved: Vec<_> = (0..count)
        .map(|number| kdbg.and_then(|(kdbg, space)| processor(header, kdbg, space, number)))
        .collect();
    if let Some(crashed) = crashed(header) {
        place(&mut saved, crashed);
    }
    SavedRegisters(saved)
}

/// What every processor has in common. CR0 and CR4 stay unknown: some of their
/// bits are certain, but the number of paging levels is not.
fn long_mode(header: &Header) -> Registers {
    Registers {
        cr3: header.root().unwrap_or_default().0,
        efer: EFER_LME | EFER_LMA,
        ..Registers::default()
    }
}

/// Registers from `_DUMP_HEADER64.ContextRecord`.
fn crashed(header: &Header) -> Option<Registers> {
    let mut registers = long_mode(header);
    let loaded = CONTEXT_AMD64.load(header.context_record(), &mut registers);
    loaded.map(|_| registers)
}

/// Gives a processor without registers those of the header, unless they are
/// already known from its KPRCB.
fn place(saved: &mut [Option<Registers>], crashed: Registers) {
    let known = |other: &Registers| other.rsp == crashed.rsp && other.rip == crashed.rip;
    if saved.iter().flatten().any(known) {
        return;
    }
    if let Some(free) = saved.iter_mut().find(|registers| registers.is_none()) {
        *free = Some(crashed);
    }
}

/// Registers from the `_KPRCB` of processor `number`.
fn processor(header: &Header, kdbg: &Kdbg, space: &Space, number: u16) -> Option<Registers> {
    let slot = u64::from(number).wrapping_mul(8);
    let prcb = Va(space.u64(kdbg.processor_block()?.wrapping_add(slot))?);
    let mut registers = long_mode(header);
    let special = kdbg.prcb_special_registers().unwrap_or_default();
    if let Some(bytes) = space.bytes(prcb.wrapping_add(special)) {
        load_special(&bytes, &mut registers);
    }
    let frame = saved_context(kdbg, space, prcb)?;
    let mut bytes = [0; CONTEXT_SIZE];
    space.read(frame, &mut bytes)?;
    CONTEXT_AMD64
        .load(&bytes, &mut registers)
        .map(|_| registers)
}

/// Address of a processor's `CONTEXT`: where `_KPRCB.Context` points, else inside
/// `_KPRCB.ProcessorState`.
fn saved_context(kdbg: &Kdbg, space: &Space, prcb: Va) -> Option<Va> {
    let pointer = kdbg
        .prcb_context()
        .and_then(|offset| space.u64(prcb.wrapping_add(offset)))
        .map(Va)
        .filter(|&context| space.bytes::<CONTEXT_SIZE>(context).is_some());
    pointer.or_else(|| Some(prcb.wrapping_add(kdbg.prcb_context_frame()?)))
}

/// Loads a `_KSPECIAL_REGISTERS`, unless the processor was never frozen and has
/// zeros there.
fn load_special(bytes: &[u8; SPECIAL_SIZE], registers: &mut Registers) {
    if u64_at(bytes, 0).is_some_and(|cr0| cr0 & CR0_PG != 0) {
        SPECIAL_AMD64.load(bytes, registers);
    }
}
