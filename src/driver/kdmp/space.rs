//! Virtual memory of a dump while it is being opened.

use crate::{
    arch::amd64::LongMode,
    core::{
        Pa, Translate, Va,
        driver::{PhysicalMemory, VirtualMemory},
    },
};

/// The kernel's address space.
pub enum Space<'a> {
    /// Behind page tables.
    Paged {
        /// Frames.
        memory: &'a dyn PhysicalMemory,
        /// Walks the tables.
        walker: LongMode,
        /// Top-level table.
        root: Pa,
    },
    /// Stored by address.
    Stored(&'a dyn VirtualMemory),
}

impl Space<'_> {
    /// Fills `buffer`, `None` when any byte is absent.
    pub fn read(&self, va: Va, buffer: &mut [u8]) -> Option<()> {
        let (memory, walker, root) = match self {
            Self::Stored(bytes) => return (bytes.read(va, buffer) == buffer.len()).then_some(()),
            Self::Paged {
                memory,
                walker,
                root,
            } => (memory, walker, *root),
        };
        let mut rest = buffer;
        let mut at = va;
        while !rest.is_empty() {
            let length = at.left_in_page().min(rest.len() as u64);
            let (now, later) = rest.split_at_mut_checked(length as usize)?;
            let translation = walker.walk(*memory, root, at).ok()?;
            memory.read(translation.pa, now).ok()?;
            at = at.checked_add(length)?;
            rest = later;
        }
        Some(())
    }

    /// `N` bytes.
    pub fn bytes<const N: usize>(&self, va: Va) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.read(va, &mut bytes)?;
        Some(bytes)
    }

    /// A pointer, or any other 64-bit field.
    pub fn u64(&self, va: Va) -> Option<u64> {
        self.bytes(va).map(u64::from_le_bytes)
    }
}
