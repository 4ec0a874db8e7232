//! The protection of a region (`MM_*`).

/// What may be done with the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BasicProtection {
    /// Nothing.
    NoAccess,
    /// Read.
    Read,
    /// Execute.
    Execute,
    /// Read and execute.
    ReadExecute,
    /// Read and write.
    ReadWrite,
    /// Read; a write makes a private copy.
    WriteCopy,
    /// Read, write and execute.
    ReadWriteExecute,
    /// Read and execute; a write makes a private copy.
    WriteCopyExecute,
}

const GUARD: u8 = 0x10;
const NO_CACHE: u8 = 0x08;
const MODIFIERS: u8 = GUARD | NO_CACHE;

/// The five bits of `_MMVAD_FLAGS.Protection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegionProtection(pub u8);

impl RegionProtection {
    /// What may be done with the pages (the low three bits).
    pub const fn basic(self) -> BasicProtection {
        match self.0 & 7 {
            1 => BasicProtection::Read,
            2 => BasicProtection::Execute,
            3 => BasicProtection::ReadExecute,
            4 => BasicProtection::ReadWrite,
            5 => BasicProtection::WriteCopy,
            6 => BasicProtection::ReadWriteExecute,
            7 => BasicProtection::WriteCopyExecute,
            _ => BasicProtection::NoAccess,
        }
    }

    /// The first access raises an exception.
    pub const fn is_guard(self) -> bool {
        self.0 & MODIFIERS == GUARD && self.0 & 7 != 0
    }

    /// Accesses bypass the cache.
    pub const fn is_no_cache(self) -> bool {
        self.0 & MODIFIERS == NO_CACHE
    }

    /// Writes are combined.
    pub const fn is_write_combine(self) -> bool {
        self.0 & MODIFIERS == MODIFIERS && self.0 & 7 != 0
    }

    /// `MM_NOACCESS` (0x18), `MM_DECOMMIT` (0x10) or 0: no page may be touched.
    pub const fn denies_all(self) -> bool {
        matches!(self.0 & 0x1f, 0 | 0x10 | 0x18)
    }

    /// May a write go through, to the page or to a private copy of it?
    pub const fn allows_write(self) -> bool {
        self.0 & 7 >= 4
    }
}
