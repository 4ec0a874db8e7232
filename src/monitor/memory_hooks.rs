//! Hooks on memory accesses: ranges of bytes, without a change to any code.

use std::collections::HashMap;

use super::{
    breakpoint::Key,
    ground::Ground,
    page_tables::{PageChange, WatchedPage},
    patches::ViewPage,
    rights::Claim,
};
use crate::{
    core::{
        PAGE_SIZE, Pa, Space, Va,
        driver::{MemoryAccess, ViewId},
    },
    error::{Error, Result},
};

/// Longest range, in bytes: each page of it costs a record.
const MAX_LENGTH: u64 = 1 << 30;

/// Bytes whose accesses are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryRange {
    /// Where the addresses are.
    pub space: Space,
    /// First byte.
    pub start: u64,
    /// Number of bytes, at least 1.
    pub length: u64,
    /// The accesses to report.
    pub access: MemoryAccess,
}

/// The part of a range that lies in one page.
#[derive(Debug, Clone, Copy)]
struct Piece {
    key: Key,
    /// Virtual page that it follows, `None` for physical ranges.
    page: Option<WatchedPage>,
    /// First and last offset inside the page.
    first: u64,
    last: u64,
    access: MemoryAccess,
    /// Frame that is claimed for it, `None` while the page is absent.
    at: Option<ViewPage>,
}

/// All memory hooks.
#[derive(Default)]
pub struct MemoryHooks {
    /// By a number that is never used again.
    pieces: HashMap<u64, Piece>,
    /// Pieces by the frame that is claimed for them.
    claimed: HashMap<ViewPage, Vec<u64>>,
    next: u64,
}

impl MemoryRange {
    fn check(&self) -> Result<u64> {
        if self.length == 0 || self.length > MAX_LENGTH {
            return Err(Error::invalid_argument("length", "not 1 byte to 1 GiB"));
        }
        let known = MemoryAccess::READ | MemoryAccess::WRITE | MemoryAccess::EXECUTE;
        if self.access.is_empty() || !known.contains(self.access) {
            return Err(Error::invalid_argument(
                "access",
                "not read, write or execute",
            ));
        }
        let last = self.start.checked_add(self.length.wrapping_sub(1));
        last.ok_or_else(|| Error::invalid_argument("length", "beyond the address space"))
    }

    /// The part of the range in the page at `page`.
    fn piece(&self, key: Key, view: ViewId, page: u64, last: u64) -> Piece {
        let end = page.saturating_add(PAGE_SIZE.wrapping_sub(1));
        Piece {
            key,
            page: match self.space {
                Space::Physical => None,
                Space::Virtual { root } => Some(WatchedPage::new(view, root, Va(page))),
            },
            first: self.start.max(page).wrapping_sub(page),
            last: last.min(end).wrapping_sub(page),
            access: self.access,
            at: None,
        }
    }
}

impl Piece {
    const fn claim(&self) -> Claim {
        Claim::Report(self.access)
    }
}

impl MemoryHooks {
    /// Adds a hook; all of it or, when it fails, nothing.
    pub fn insert(
        &mut self,
        ground: &mut Ground,
        view: ViewId,
        key: Key,
        range: &MemoryRange,
    ) -> Result<()> {
        let last = range.check()?;
        let machine = ground.machine.clone();
        machine.views()?;
        let _paused = machine.pause()?;
        let pages = range.length.div_ceil(PAGE_SIZE).saturating_add(1);
        let start = Va(range.start).page().0;
        let pages = (0..pages).filter_map(|n| start.checked_add(n.checked_mul(PAGE_SIZE)?));
        for page in pages.take_while(|page| *page <= last) {
            let piece = range.piece(key, view, page, last);
            if let Err(error) = self.add(ground, view, Pa(page), piece) {
                // What fails here is made good by the rights' `settle`.
                let _ = self.remove_key(ground, key);
                return Err(error);
            }
        }
        Ok(())
    }

    fn add(&mut self, ground: &mut Ground, view: ViewId, page: Pa, piece: Piece) -> Result<()> {
        let target = match piece.page {
            Some(virtual_page) => ground.watch(virtual_page)?,
            None => Some(page),
        };
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.pieces.insert(number, piece);
        match target {
            Some(pa) => self.claim(ground, number, view, pa),
            None => Ok(()),
        }
    }

    fn claim(&mut self, ground: &mut Ground, number: u64, view: ViewId, pa: Pa) -> Result<()> {
        let gfn = pa.gfn();
        let at = ViewPage { view, gfn };
        let Some(piece) = self.pieces.get_mut(&number) else {
            return Ok(());
        };
        ground.rights.claim(&ground.machine, at, piece.claim())?;
        piece.at = Some(at);
        self.claimed.entry(at).or_default().push(number);
        Ok(())
    }

    fn release(&mut self, ground: &mut Ground, number: u64) -> Result<()> {
        let Some(piece) = self.pieces.get_mut(&number) else {
            return Ok(());
        };
        let Some(at) = piece.at.take() else {
            return Ok(());
        };
        let claim = piece.claim();
        if let Some(numbers) = self.claimed.get_mut(&at) {
            numbers.retain(|other| *other != number);
            if numbers.is_empty() {
                self.claimed.remove(&at);
            }
        }
        ground.rights.release(&ground.machine, at, claim)
    }

    fn remove_where(&mut self, ground: &mut Ground, of: impl Fn(&Piece) -> bool) -> Result<bool> {
        let selected = self.pieces.iter().filter(|(_, piece)| of(piece));
        let numbers: Vec<_> = selected.map(|(number, _)| *number).collect();
        let mut result = Ok(());
        for number in &numbers {
            result = result.and(self.release(ground, *number));
            let piece = self.pieces.remove(number);
            if let Some(page) = piece.and_then(|piece| piece.page) {
                result = result.and(ground.unwatch(page));
            }
        }
        result.map(|()| !numbers.is_empty())
    }

    /// Removes the hooks of an owner. Returns false when there was none.
    ///
    /// They are gone also when it fails; rights that could not be restored are
    /// restored by [`super::PageRights::settle`].
    pub fn remove_key(&mut self, ground: &mut Ground, key: Key) -> Result<bool> {
        self.remove_where(ground, |piece| piece.key == key)
    }

    /// Removes all hooks.
    pub fn clear(&mut self, ground: &mut Ground) -> Result<()> {
        self.remove_where(ground, |_| true).map(drop)
    }

    /// How many pages of a hook are watched, and how many are absent.
    pub fn count(&self, key: Key) -> (usize, usize) {
        let pieces = self.pieces.values().filter(|piece| piece.key == key);
        let (all, watched) = pieces.fold((0_usize, 0_usize), |(all, watched), piece| {
            let there = usize::from(piece.at.is_some());
            (all.saturating_add(1), watched.saturating_add(there))
        });
        (watched, all.saturating_sub(watched))
    }

    /// Follows a page that moved, came or went.
    pub fn follow(&mut self, ground: &mut Ground, change: &PageChange) {
        let on_page = |piece: &Piece| piece.page == Some(change.page);
        let selected = self.pieces.iter().filter(|(_, piece)| on_page(piece));
        let numbers: Vec<_> = selected.map(|(number, _)| *number).collect();
        for number in numbers {
            // What fails here is made good by the rights' `settle`.
            let _ = self.release(ground, number);
            if let Some(pa) = change.after {
                let _ = self.claim(ground, number, change.page.view, pa);
            }
        }
    }

    /// The owners whose hooks an access at `pa` concerns.
    pub fn hits(&self, view: ViewId, pa: Pa, access: MemoryAccess) -> Vec<Key> {
        let gfn = pa.gfn();
        let numbers = self.claimed.get(&ViewPage { view, gfn });
        let offset = pa.page_offset();
        let mut numbers: Vec<_> = numbers.into_iter().flatten().collect();
        numbers.sort_unstable();
        let mut keys = Vec::new();
        for piece in numbers.into_iter().filter_map(|n| self.pieces.get(n)) {
            let concerned =
                piece.access.intersects(access) && (piece.first..=piece.last).contains(&offset);
            if concerned && !keys.contains(&piece.key) {
                keys.push(piece.key);
            }
        }
        keys
    }
}
