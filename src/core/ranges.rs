//! What a space holds, from its page tables.

use super::{Gfn, Memory, Pa, Protection, Source, Space, Translation, Va};
use crate::error::Result;

/// Consecutive addresses that map consecutive bytes with one protection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// First address.
    pub address: u64,
    /// Length in bytes.
    pub length: u64,
    /// Physical address of the first byte; `None` in images that store memory
    /// by virtual address.
    pub pa: Option<Pa>,
    /// What all levels of the page tables together allow.
    pub protection: Protection,
    /// Kind of page-table entries.
    pub source: Source,
}

/// The present ranges of a space, in order of their addresses.
///
/// Costs what is present: absent sub-trees are skipped whole.
pub struct Ranges<'a> {
    memory: &'a Memory,
    space: Space,
    next: Option<u64>,
    end: u64,
}

/// Pages joined to one range at most: a bound on one step over hostile tables.
const MAX_JOINED: u32 = 1 << 20;

impl Memory {
    /// The present ranges of `space` from `start` to `end` (inclusive).
    pub fn ranges(&self, space: Space, start: u64, end: u64) -> Ranges<'_> {
        Ranges {
            memory: self,
            space,
            next: (start <= end).then_some(start),
            end,
        }
    }
}

impl Ranges<'_> {
    fn clip(&self, start: u64, length: u64) -> Option<(u64, u64)> {
        let room = self.end.checked_sub(start)?.saturating_add(1);
        Some((start, length.min(room)))
    }

    fn stored(&mut self, from: u64) -> Option<Range> {
        let driver = self.memory.driver();
        let run = match self.space {
            Space::Physical => driver.physical()?.next_run(Pa(from).gfn())?,
            Space::Virtual { .. } => driver.by_address()?.next_run(Va(from))?,
        };
        let end = run.start.checked_add(run.length.checked_sub(1)?)?;
        self.next = end.checked_add(1);
        let start = run.start.max(from);
        let (address, length) = self.clip(start, end.checked_sub(start)?.checked_add(1)?)?;
        Some(Range {
            address,
            length,
            pa: (self.space == Space::Physical).then_some(Pa(address)),
            protection: Protection::READ,
            source: Source::Hardware,
        })
    }

    fn mapped(&mut self, root: Pa, from: u64) -> Option<Range> {
        let (first, translation) = self.next_page(root, Va(from))?;
        let mut range = Range {
            address: first.0,
            length: left_in(&translation, first),
            pa: Some(translation.pa),
            protection: translation.protection,
            source: translation.source,
        };
        for _ in 0..MAX_JOINED {
            self.next = range.address.checked_add(range.length);
            let Some(next) = self.next.filter(|&next| next <= self.end) else {
                break;
            };
            match self.next_page(root, Va(next)) {
                Some((va, more)) if va.0 == next && continues(&range, &more) => {
                    range.length = range.length.saturating_add(left_in(&more, va));
                }
                other => {
                    self.next = other.map(|(va, _)| va.0);
                    break;
                }
            }
        }
        let (address, length) = self.clip(range.address, range.length)?;
        Some(Range {
            address,
            length,
            ..range
        })
    }

    fn next_page(&self, root: Pa, from: Va) -> Option<(Va, Translation)> {
        let physical = self.memory.physical().ok()?;
        self.memory.translator()?.next_mapped(physical, root, from)
    }
}

/// Bytes from `va` to the end of its page, large or small.
fn left_in(translation: &Translation, va: Va) -> u64 {
    let size = 1_u64.wrapping_shl(translation.page_shift.into());
    size.wrapping_sub(va.0 & size.wrapping_sub(1))
}

fn continues(range: &Range, next: &Translation) -> bool {
    let expected = range.pa.and_then(|pa| pa.checked_add(range.length));
    expected == Some(next.pa) && range.protection == next.protection && range.source == next.source
}

impl Iterator for Ranges<'_> {
    type Item = Range;

    fn next(&mut self) -> Option<Range> {
        let from = self.next.take().filter(|&from| from <= self.end)?;
        match self.space {
            Space::Virtual { root } if self.memory.driver().physical().is_some() => {
                self.mapped(root, from)
            }
            _ => self.stored(from),
        }
    }
}

impl Memory {
    /// Physical bytes that the back end holds.
    pub fn present_bytes(&self) -> Result<u64> {
        let physical = self.physical()?;
        let mut next = Gfn(0);
        let mut total = 0_u64;
        while let Some(run) = physical.next_run(next) {
            total = total.saturating_add(run.length);
            let after = Pa(run.start.saturating_add(run.length)).gfn();
            if after <= next {
                break;
            }
            next = after;
        }
        Ok(total)
    }
}
