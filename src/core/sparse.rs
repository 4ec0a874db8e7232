//! Reading a large span with holes.

use super::{Memory, PAGE_SIZE, Space, Va};
use crate::error::{Fault, FaultKind};

/// What became of one 4 KiB page of a sparse read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageState {
    /// All bytes are the guest's.
    Present,
    /// The bytes are zeros because of this.
    Absent(FaultKind),
}

impl Memory {
    /// Fills `buffer`; absent pages (and absent ends of pages) read as zeros.
    ///
    /// `states` takes one entry for each page that the span touches, in order;
    /// a shorter one takes the first. Returns the number of bytes that are the
    /// guest's.
    pub fn read_sparse(
        &self,
        space: Space,
        address: u64,
        buffer: &mut [u8],
        states: &mut [PageState],
    ) -> usize {
        let mut states = states.iter_mut();
        let mut rest = buffer;
        let mut at = address;
        let mut present = 0_usize;
        while !rest.is_empty() {
            let length = rest.len().min(Va(at).left_in_page() as usize);
            let Some((piece, tail)) = rest.split_at_mut_checked(length) else {
                break;
            };
            let fault = self.read_or_zero(space, at, piece);
            if let Some(state) = states.next() {
                *state = fault.map_or(PageState::Present, |fault| PageState::Absent(fault.kind));
            }
            present = present.saturating_add(if fault.is_none() { length } else { 0 });
            at = at.wrapping_add(length as u64);
            rest = tail;
        }
        present
    }

    /// Reads within one page; what is absent becomes zeros.
    fn read_or_zero(&self, space: Space, address: u64, piece: &mut [u8]) -> Option<Fault> {
        let partial = self.read(space, address, piece).err()?;
        if let Some(absent) = piece.get_mut(partial.done..) {
            absent.fill(0);
        }
        Some(partial.fault)
    }
}

/// Pages that a span of `length` bytes from `address` on touches.
pub const fn pages_touched(address: u64, length: u64) -> u64 {
    if length == 0 {
        return 0;
    }
    let offset = address & (PAGE_SIZE - 1);
    length.saturating_add(offset).div_ceil(PAGE_SIZE)
}
