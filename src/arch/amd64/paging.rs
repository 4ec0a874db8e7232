//! Page-table walks.

use once_cell::sync::OnceCell;

use super::{
    pte::{Absent, Pte},
    search::Search,
};
use crate::{
    core::{
        EntryMeaning, PAGE_SIZE, Pa, Protection, Registers, SoftwarePte, Source, Translate,
        Translation, Va, driver::PhysicalMemory,
    },
    error::{Error, Fault, FaultKind, Result},
};

const CR0_PG: u64 = 1 << 31;
const CR4_PAE: u64 = 1 << 5;
const CR4_LA57: u64 = 1 << 12;
const EFER_LME: u64 = 1 << 8;
/// Bytes of one page-table entry.
pub const ENTRY_SIZE: u64 = 8;
/// Entries of one page table.
pub(super) const ENTRIES: u64 = 512;
/// CR3 carries PCID and cache bits beside the frame.
const ROOT: u64 = 0x000f_ffff_ffff_f000;

/// How a processor translates addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagingMode {
    /// Paging is off.
    Off,
    /// 32-bit paging, two levels.
    Legacy,
    /// 32-bit paging with physical address extension, three levels.
    Pae,
    /// 4-level paging.
    FourLevel,
    /// 5-level paging (LA57).
    FiveLevel,
}

impl PagingMode {
    /// The mode that control registers select.
    pub const fn from_registers(registers: &Registers) -> Self {
        let (cr0, cr4, efer) = (registers.cr0, registers.cr4, registers.efer);
        if cr0 & CR0_PG == 0 {
            Self::Off
        } else if cr4 & CR4_PAE == 0 {
            Self::Legacy
        } else if efer & EFER_LME == 0 {
            Self::Pae
        } else if cr4 & CR4_LA57 == 0 {
            Self::FourLevel
        } else {
            Self::FiveLevel
        }
    }

    /// The walker of this mode; modes that no supported guest uses are refused by name.
    pub fn walker(self) -> Result<LongMode> {
        match self {
            Self::FourLevel => Ok(LongMode::new(4)),
            Self::FiveLevel => Ok(LongMode::new(5)),
            Self::Pae => Err(Error::not_supported("PAE paging (a 32-bit guest)")),
            Self::Legacy => Err(Error::not_supported("32-bit paging (a 32-bit guest)")),
            Self::Off => Err(Error::not_supported("a processor with paging turned off")),
        }
    }
}

/// Page-aligned root of a CR3 or `DirectoryTableBase` value.
pub const fn dtb_to_root(dtb: u64) -> Pa {
    Pa(dtb & ROOT)
}

/// The walker of 64-bit mode, with 4 or 5 levels.
pub struct LongMode {
    levels: u8,
    software: OnceCell<SoftwarePte>,
}

/// An entry on the way down.
pub(super) struct Step {
    pub pte: Pte,
    pub level: u8,
    /// What the levels above allow.
    pub protection: Protection,
}

impl Step {
    /// What the levels down to this one allow together.
    pub fn protection_below(&self) -> Protection {
        match self.pte.is_present() {
            true => self.protection & self.pte.protection(),
            // The hardware bits of other entries mean something else.
            false => self.protection,
        }
    }
}

impl LongMode {
    /// A walker of `levels` (4 or 5) levels.
    pub const fn new(levels: u8) -> Self {
        Self {
            levels,
            software: OnceCell::new(),
        }
    }

    /// Number of table levels, 4 or 5.
    pub const fn levels(&self) -> u8 {
        self.levels
    }

    /// Is every bit above the translated ones a copy of the highest translated one?
    pub const fn is_canonical(&self, va: Va) -> bool {
        // 12 offset bits and 9 a level; the shift is 16 or 7.
        let spare = 64_u32.wrapping_sub(index_shift(self.levels).wrapping_add(9));
        (va.0 << spare) as i64 >> spare == va.0 as i64
    }

    fn fault(root: Pa, va: Va, level: u8, kind: FaultKind) -> Fault {
        Fault {
            address: va.0,
            root: Some(root),
            level,
            kind,
        }
    }

    /// Where a present entry or a transition entry leads, `Err` for all others.
    fn target(&self, pte: Pte) -> Result<(Pte, Source), FaultKind> {
        if pte.is_present() {
            return Ok((pte, Source::Hardware));
        }
        match pte.absent(self.software.get()) {
            Absent::Transition(pa) => Ok((Pte(pa.0), Source::Transition)),
            Absent::Prototype(_) => Err(FaultKind::Prototype),
            Absent::Fault(kind) => Err(kind),
        }
    }

    /// What an entry means for the walk: a finished translation or the next table.
    pub(super) fn step(&self, va: Va, step: &Step) -> Result<Result<Translation, Pa>, FaultKind> {
        let (pte, source) = self.target(step.pte)?;
        let large = source == Source::Hardware && step.level > 1 && pte.is_large();
        if large && step.level > 3 {
            return Err(FaultKind::Malformed);
        }
        if !large && step.level > 1 {
            return Ok(Err(pte.table()));
        }
        let page_shift = index_shift(step.level) as u8;
        let inside = va.0 & !u64::MAX.wrapping_shl(page_shift.into());
        Ok(Ok(Translation {
            pa: pte.frame(page_shift).wrapping_add(inside),
            page_shift,
            level: step.level,
            protection: match source {
                Source::Hardware => {
                    step.protection & pte.protection()
                        | Protection::EXECUTE & step.protection & pte.protection()
                }
                // The hardware bits of a transition entry mean something else.
                Source::Transition => Protection::READ,
            },
            source,
        }))
    }
}

/// Lowest address bit that indexes a table of `level`: 12, 21, 30, 39, 48.
pub const fn index_shift(level: u8) -> u32 {
    (level as u32).wrapping_mul(9).wrapping_add(3)
}

/// Where a table of `level` holds the entry of `va`.
pub fn entry_address(table: Pa, va: Va, level: u8) -> Pa {
    let index = va.0.wrapping_shr(index_shift(level)) & (ENTRIES - 1);
    table.wrapping_add(index.wrapping_mul(ENTRY_SIZE))
}

impl Translate for LongMode {
    fn levels(&self) -> u8 {
        self.levels
    }

    fn walk(&self, memory: &dyn PhysicalMemory, root: Pa, va: Va) -> Result<Translation, Fault> {
        if !self.is_canonical(va) {
            return Err(Self::fault(root, va, 0, FaultKind::NonCanonical));
        }
        let mut table = dtb_to_root(root.0);
        let mut protection = Protection::all();
        for level in (1..=self.levels).rev() {
            let entry = memory.entry(entry_address(table, va, level));
            let pte = entry
                .map(Pte)
                .map_err(|fault| Self::fault(root, va, level, fault.kind))?;
            let step = Step {
                pte,
                level,
                protection,
            };
            match self.step(va, &step) {
                Ok(Ok(translation)) => return Ok(translation),
                Ok(Err(next)) => table = next,
                Err(kind) => return Err(Self::fault(root, va, level, kind)),
            }
            protection = step.protection_below();
        }
        Err(Self::fault(root, va, 1, FaultKind::Malformed))
    }

    fn entry(&self, memory: &dyn PhysicalMemory, root: Pa, va: Va) -> Result<u64, Fault> {
        let mut table = dtb_to_root(root.0);
        for level in (2..=self.levels).rev() {
            let fault = |kind| Self::fault(root, va, level, kind);
            let entry = memory.entry(entry_address(table, va, level));
            let entry = entry.map_err(|error| fault(error.kind))?;
            let (pte, source) = self.target(Pte(entry)).map_err(fault)?;
            // A large page has no entry for each of its parts.
            if source == Source::Hardware && pte.is_large() {
                return Err(fault(FaultKind::Malformed));
            }
            table = pte.table();
        }
        let entry = memory.entry(entry_address(table, va, 1));
        entry.map_err(|error| Self::fault(root, va, 1, error.kind))
    }

    fn meaning(&self, entry: u64) -> EntryMeaning {
        let pte = Pte(entry);
        if pte.is_present() {
            return EntryMeaning::Memory(pte.table());
        }
        match pte.absent(self.software.get()) {
            Absent::Transition(pa) => EntryMeaning::Memory(pa),
            Absent::Prototype(va) => EntryMeaning::Prototype(va),
            Absent::Fault(kind) => EntryMeaning::Absent(kind),
        }
    }

    fn set_software_pte(&self, layout: SoftwarePte) {
        // Only the first layout counts; a guest has one kernel.
        let _ = self.software.set(layout);
    }

    fn next_mapped(
        &self,
        memory: &dyn PhysicalMemory,
        root: Pa,
        from: Va,
    ) -> Option<(Va, Translation)> {
        let mut search = Search::new(self, memory);
        let root = dtb_to_root(root.0);
        let upper = self.upper_half();
        let in_lower = from < upper && self.is_canonical(from);
        let lower = in_lower.then(|| search.first(root, from)).flatten();
        lower.or_else(|| search.first(root, upper.max(from)))
    }
}

impl LongMode {
    /// First canonical address above the hole.
    const fn upper_half(&self) -> Va {
        let spare = index_shift(self.levels).wrapping_add(8);
        Va(u64::MAX.wrapping_shl(spare))
    }
}

const _: () = assert!(PAGE_SIZE == ENTRIES * ENTRY_SIZE);
