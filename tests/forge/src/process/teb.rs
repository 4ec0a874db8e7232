//! Thread environment blocks, native and 32-bit.

use crate::expected::ExpectedTeb;
use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging::PteFlags;
use crate::process::user_space::{TEB_COUNT, TEB_STEP};
use crate::user::wide::Width;

/// Size of a user-mode stack.
const STACK_SIZE: u64 = 0x10_0000;

/// Offset of the 32-bit TEB from the native one.
pub(crate) fn teb32_offset(guest: &Guest) -> u64 {
    guest.profile.size_of("_TEB").next_multiple_of(PAGE_SIZE)
}

/// A user-mode stack pointer to go with a TEB.
pub(crate) fn stack_pointer(teb: u64) -> u64 {
    teb - 0x1000_0000 + 0xf58
}

/// Places the TEBs of a new thread: what they hold, the native one first; nothing without user
/// space.
pub(crate) fn place(guest: &mut Guest, process: u64, tid: u32) -> Vec<ExpectedTeb> {
    let Some(state) = guest.processes.get_mut(&process) else {
        return Vec::new();
    };
    let teb = state.next_teb;
    if teb == 0 {
        return Vec::new();
    }
    let last = state.peb + 0x2000 + (TEB_COUNT - 1) * TEB_STEP;
    state.next_teb = (teb + TEB_STEP).min(last);
    let peb = state.peb;
    let mut tebs = vec![values(Width::Amd64, teb, peb, tid)];
    if state.is_wow64 {
        let teb32 = teb + teb32_offset(guest);
        tebs.push(values(Width::X86, teb32, peb - PAGE_SIZE, tid));
    }
    for teb in &tebs {
        write(guest, process, tid, teb);
    }
    tebs
}

/// What a TEB holds: numbers that differ from thread to thread and from width to width.
fn values(width: Width, address: u64, peb: u64, tid: u32) -> ExpectedTeb {
    let stack_base = stack_pointer(address) / PAGE_SIZE * PAGE_SIZE + PAGE_SIZE;
    ExpectedTeb {
        width,
        address,
        peb,
        last_error: tid + width.pointer() as u32,
        last_status: 0xc000_0000 | tid,
        stack_base,
        stack_limit: stack_base - STACK_SIZE,
        tls_slots: vec![(0, u64::from(tid) << 4), (63, address + 0x40)],
    }
}

fn write(guest: &mut Guest, process: u64, tid: u32, teb: &ExpectedTeb) {
    let flags = PteFlags::USER_DATA | PteFlags::NO_EXECUTE;
    guest.map_user(process, teb.address, 0x2000, flags);
    let mut record = guest.record(match teb.width {
        Width::X86 => "_TEB32",
        Width::Amd64 => "_TEB",
    });
    record
        .set("NtTib.Self", teb.address)
        .set("NtTib.StackBase", teb.stack_base)
        .set("NtTib.StackLimit", teb.stack_limit)
        .set("ProcessEnvironmentBlock", teb.peb)
        .set(
            "ClientId.UniqueProcess",
            guest.processes[&process].pid.into(),
        )
        .set("ClientId.UniqueThread", tid.into())
        .set("LastErrorValue", teb.last_error.into())
        .set("LastStatusValue", teb.last_status.into());
    for (index, value) in &teb.tls_slots {
        record.set(&format!("TlsSlots[{index}]"), *value);
    }
    guest.write_user(process, teb.address, record.bytes());
}
