//! Reads that are known ahead: their cache misses overlap.

use super::{Memory, Pa, Space, Va, memory::Partial};

/// A read that [`Memory::anticipate`] prepared: where its bytes are, as far as
/// that could be told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anticipated(Option<Pa>);

impl Memory {
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
