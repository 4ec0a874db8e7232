//! Memory that a process has for its own data.

use crate::guest::Guest;
use crate::paging::PteFlags;
use crate::process::vad::{Backing, RegionSpec};

/// Size of the region that the data lies in.
const SIZE: u64 = 0x10_0000;
/// Where it lies: below the executable of 32-bit code, and in the middle of nowhere.
const START_32: u64 = 0x12_0000;
const START_64: u64 = 0x24_a000_0000;

/// Makes the region of a process that has none yet.
pub(crate) fn build(guest: &mut Guest, process: u64) {
    let start = match guest.processes[&process].is_wow64 {
        true => START_32,
        false => START_64,
    };
    guest.add_region(
        process,
        &RegionSpec {
            start,
            size: SIZE,
            protection: 4,
            committed: true,
            commit_charge: SIZE >> 12,
            backing: Backing::Private,
        },
    );
    let state = guest.processes.entry(process);
    state.and_modify(|state| state.heap = start..start + SIZE);
}

impl Guest {
    /// Gives out mapped, zeroed memory of a process, aligned to 16 bytes.
    ///
    /// # Panics
    /// When the process has no user space of its own or its memory is used up.
    pub fn allocate_user(&mut self, process: u64, size: u64) -> u64 {
        let Some(state) = self.processes.get_mut(&process) else {
            panic!("{process:#x} is no process");
        };
        let va = state.heap.start.next_multiple_of(16);
        assert!(va + size <= state.heap.end, "no user memory left");
        state.heap.start = va + size;
        let flags = PteFlags::USER_DATA | PteFlags::NO_EXECUTE;
        let page = va & !0xfff;
        self.map_user(process, page, va + size - page, flags);
        va
    }

    /// As [`Guest::allocate_user`], at the start of a page.
    pub fn allocate_user_pages(&mut self, process: u64, size: u64) -> u64 {
        let state = self.processes.entry(process);
        state.and_modify(|state| state.heap.start = state.heap.start.next_multiple_of(0x1000));
        self.allocate_user(process, size.next_multiple_of(0x1000))
    }
}
