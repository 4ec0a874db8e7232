//! Reads that are known ahead: their cache misses overlap, or, where each read is
//! a call of the back end, frames that several of them touch are read once.

use super::{Gfn, Memory, PAGE_SIZE, Pa, Space, Va, driver::PhysicalMemory, memory::Partial};

/// A read that [`Memory::anticipate`] prepared: where its bytes are, as far as
/// that could be told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anticipated(Option<Pa>);

impl Anticipated {
    /// The frame of the first byte, as far as that could be told.
    pub fn frame(self) -> Option<Gfn> {
        self.0.map(Pa::gfn)
    }
}

/// The bytes of a frame that several prepared reads touch.
pub struct SharedFrame {
    gfn: Option<Gfn>,
    bytes: [u8; PAGE_SIZE as usize],
}

impl SharedFrame {
    /// No frame yet.
    pub const EMPTY: Self = Self {
        gfn: None,
        bytes: [0; PAGE_SIZE as usize],
    };

    /// Fills `buffer`; false, with the buffer as it was, when the frame does not
    /// have all of the bytes.
    pub fn copy(&self, anticipated: Anticipated, buffer: &mut [u8]) -> bool {
        let Some(pa) = anticipated.0.filter(|pa| Some(pa.gfn()) == self.gfn) else {
            return false;
        };
        let bytes = self.bytes.get(pa.page_offset() as usize..);
        match bytes.and_then(|bytes| bytes.get(..buffer.len())) {
            Some(bytes) => {
                buffer.copy_from_slice(bytes);
                true
            }
            None => false,
        }
    }
}

impl Memory {
    /// Are there frames that each read reaches without calling the back end?
    pub fn has_pinned_runs(&self) -> bool {
        self.frames().is_some_and(|frames| frames.has_runs())
    }

    /// Reads the frame of a prepared read for itself and others. Where that fails
    /// each has to be read by itself, and tells why.
    pub fn share_frame(&self, anticipated: Anticipated, shared: &mut SharedFrame) {
        shared.gfn = None;
        if let Some((gfn, frames)) = anticipated.frame().zip(self.frames())
            && frames.read(gfn.pa(), &mut shared.bytes).is_ok()
        {
            shared.gfn = Some(gfn);
        }
    }

    /// Prepares a read: translates its address and has the processor fetch what
    /// is there. To be called for several reads before the first of them.
    pub fn anticipate(&self, space: Space, address: u64, length: usize) -> Anticipated {
        let Some(frames) = self.frames() else {
            return Anticipated(None);
        };
        let length = length as u64;
        let pa = match space {
            Space::Physical => Some(Pa(address)),
            // What crosses pages is not in one place.
            Space::Virtual { .. } if length > Va(address).left_in_page() => None,
            Space::Virtual { root } => {
                let mapping = self.page(frames, root, Va(address)).ok();
                mapping.map(|mapping| mapping.pa(Va(address)))
            }
        };
        if let Some(pa) = pa {
            frames.prefetch(pa, length);
        }
        Anticipated(pa)
    }

    /// As [`Memory::read`], of a read that was prepared.
    pub fn read_anticipated(
        &self,
        anticipated: Anticipated,
        space: Space,
        address: u64,
        buffer: &mut [u8],
    ) -> Result<(), Partial> {
        let pinned = anticipated.0.zip(self.frames());
        if pinned.is_some_and(|(pa, frames)| frames.copy(pa, buffer)) {
            return Ok(());
        }
        self.read(space, address, buffer)
    }
}
