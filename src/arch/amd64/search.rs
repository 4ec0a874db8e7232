//! Finding what page tables map, in the order of addresses.
//!
//! Tables may share sub-trees, by design of a hostile guest or by damage: four
//! pages that name each other span 2^48 bytes without mapping one. So a table
//! that was found to map nothing is remembered, and the search costs what the
//! distinct tables hold, not what their tree unfolds to.

use std::collections::HashSet;

use super::{
    paging::{ENTRIES, LongMode, Step, entry_address, index_shift},
    pte::Pte,
};
use crate::core::{Pa, Protection, Translation, Va, driver::PhysicalMemory};

/// Tables without a mapping that one search crosses; a guest that had more
/// would spend 256 MiB on nothing.
const MAX_BARREN: usize = 1 << 16;

/// One search.
pub struct Search<'a> {
    mode: &'a LongMode,
    memory: &'a dyn PhysicalMemory,
    /// Tables that map nothing, with their levels.
    barren: HashSet<(Pa, u8)>,
}

/// A table on the way down.
struct Table {
    pa: Pa,
    level: u8,
    protection: Protection,
}

impl<'a> Search<'a> {
    pub fn new(mode: &'a LongMode, memory: &'a dyn PhysicalMemory) -> Self {
        Self {
            mode,
            memory,
            barren: HashSet::new(),
        }
    }

    /// First mapped address at or after `from`, a canonical one, in its half of
    /// the address space.
    pub fn first(&mut self, root: Pa, from: Va) -> Option<(Va, Translation)> {
        let top = Table {
            pa: root,
            level: self.mode.levels(),
            protection: Protection::all(),
        };
        // The upper entries of the top table belong to the other half.
        let half = match from.0 >> 63 {
            0 => ENTRIES / 2,
            _ => ENTRIES,
        };
        self.first_in(&top, from, half)
    }

    /// First mapping at or after `from` among the entries of `table` below `end`.
    fn first_in(&mut self, table: &Table, from: Va, end: u64) -> Option<(Va, Translation)> {
        let shift = index_shift(table.level);
        let span = 1_u64.wrapping_shl(shift);
        let mut va = from;
        for _ in from.0.wrapping_shr(shift) % ENTRIES..end {
            if let Some(found) = self.entry(table, va) {
                return Some(found);
            }
            va = Va(va.0 & !span.wrapping_sub(1)).wrapping_add(span);
        }
        None
    }

    /// First mapping at or after `va` below the entry of `va`.
    fn entry(&mut self, table: &Table, va: Va) -> Option<(Va, Translation)> {
        let entry = self.memory.entry(entry_address(table.pa, va, table.level));
        let step = Step {
            pte: Pte(entry.ok()?),
            level: table.level,
            protection: table.protection,
        };
        match self.mode.step(va, &step).ok()? {
            Ok(translation) => Some((va, translation)),
            Err(pa) => self.below(
                &Table {
                    pa,
                    level: table.level.checked_sub(1)?,
                    protection: step.protection_below(),
                },
                va,
            ),
        }
    }

    fn below(&mut self, table: &Table, va: Va) -> Option<(Va, Translation)> {
        let key = (table.pa, table.level);
        if self.barren.contains(&key) || self.barren.len() >= MAX_BARREN {
            return None;
        }
        let found = self.first_in(table, va, ENTRIES);
        let span = 1_u64.wrapping_shl(index_shift(table.level).wrapping_add(9));
        let whole = va.0 & span.wrapping_sub(1) == 0;
        if found.is_none() && whole {
            self.barren.insert(key);
        }
        found
    }
}
