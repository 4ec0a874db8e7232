//! Translation of virtual addresses, as the core sees it.

use bitflags::bitflags;

use super::{Pa, Va, driver::PhysicalMemory};
use crate::error::{Fault, FaultKind};

bitflags! {
    /// Effective protection of a mapping: what all levels together allow.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Protection: u8 {
        /// Readable.
        const READ = 1;
        /// Writable.
        const WRITE = 2;
        /// Executable.
        const EXECUTE = 4;
        /// Accessible from user mode.
        const USER = 8;
    }
}

/// What kind of page-table entry named the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A present (hardware) entry.
    Hardware,
    /// A Windows transition entry: the page is in memory, but not mapped.
    Transition,
}

/// A resolved virtual address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Translation {
    /// Physical address of the byte asked for.
    pub pa: Pa,
    /// log2 of the page size: 12, 21 or 30.
    pub page_shift: u8,
    /// Level of the entry that maps the page: 1, 2 or 3.
    pub level: u8,
    /// Effective protection.
    pub protection: Protection,
    /// Kind of entry.
    pub source: Source,
}

/// How Windows encodes page-table entries that are not present.
///
/// Bit positions come from `_MMPTE_SOFTWARE`, the mask from `MiInvalidPteMask`
/// (Windows 7, 8.1) or `MiState.Hardware.InvalidPteMask` (later).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoftwarePte {
    /// Bits to clear in entries whose swizzle bit is 0.
    pub invalid_mask: u64,
    /// Bit that says "not swizzled", `None` where Windows has none.
    pub swizzle_bit: Option<u8>,
    /// First bit of the page file number (4 bits long).
    pub pagefile_low_bit: u8,
    /// First bit of the page file offset in pages (32 bits long).
    pub pagefile_high_bit: u8,
    /// First bit of the address of a prototype entry (the rest of the entry).
    pub prototype_low_bit: u8,
    /// Number of the page file that stands for the compressed store, if there is one.
    pub virtual_store: Option<u8>,
}

/// What an entry says about its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryMeaning {
    /// The page is in memory, in the frame that begins here.
    Memory(Pa),
    /// Another entry, at this kernel address, describes the page.
    Prototype(Va),
    /// The page is elsewhere or nowhere.
    Absent(FaultKind),
}

/// Turns virtual addresses into physical ones; implemented by each paging mode.
pub trait Translate: Send + Sync {
    /// Number of table levels.
    fn levels(&self) -> u8;

    /// Walks the page tables from `root` to the page of `va`.
    ///
    /// A missing table page is a [`Fault`] of the walked address with the kind
    /// that the back end gave, so that tolerant readers can tolerate it.
    fn walk(&self, memory: &dyn PhysicalMemory, root: Pa, va: Va) -> Result<Translation, Fault>;

    /// The entry of the 4 KiB page of `va` as it is stored, present or not.
    ///
    /// Fails as [`Translate::walk`] does where no table holds one.
    fn entry(&self, memory: &dyn PhysicalMemory, root: Pa, va: Va) -> Result<u64, Fault>;

    /// What the entry of a 4 KiB page, or its prototype, says about the page.
    fn meaning(&self, entry: u64) -> EntryMeaning;

    /// Tells how entries that are not present are encoded. The first call wins.
    fn set_software_pte(&self, layout: SoftwarePte);

    /// Next virtual range at or after `from` that the tables map, if any.
    ///
    /// Whole absent sub-trees are skipped, so that a walk costs what is present.
    fn next_mapped(
        &self,
        memory: &dyn PhysicalMemory,
        root: Pa,
        from: Va,
    ) -> Option<(Va, Translation)>;
}
