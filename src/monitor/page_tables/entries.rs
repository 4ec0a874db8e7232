//! Watched page-table entries and the pages that depend on each.

use std::collections::{BTreeMap, BTreeSet};

use super::{WatchedPage, walk::Chain};
use crate::{
    arch::amd64::ENTRY_SIZE,
    core::{PAGE_SIZE, Pa, driver::ViewId},
};

/// Longest write of one instruction, in bytes (AVX-512).
const WIDEST_WRITE: u64 = 64;

/// An entry in a view.
pub type EntryKey = (ViewId, Pa);

/// The pages whose walk reads an entry, each at one or (in a self-map) more levels.
pub type Dependents = BTreeSet<(WatchedPage, u8)>;

/// All watched entries. What each dependent last saw is in its own chain.
#[derive(Default)]
pub struct Entries(BTreeMap<EntryKey, Dependents>);

impl Entries {
    /// The dependents of the entry at `key`.
    pub fn dependents(&self, key: &EntryKey) -> Option<&Dependents> {
        self.0.get(key)
    }

    /// Records that `page` depends on the entries of a walk.
    pub fn add(&mut self, page: WatchedPage, chain: &Chain) {
        for link in &chain.links {
            let dependents = self.0.entry((page.view, link.address)).or_default();
            dependents.insert((page, link.level));
        }
    }

    /// Records that `page` no longer depends on the entries of a walk.
    pub fn subtract(&mut self, page: WatchedPage, chain: &Chain) {
        for link in &chain.links {
            let key = (page.view, link.address);
            let Some(dependents) = self.0.get_mut(&key) else {
                continue;
            };
            dependents.remove(&(page, link.level));
            if dependents.is_empty() {
                self.0.remove(&key);
            }
        }
    }

    fn range(&self, view: ViewId, from: u64, to: u64) -> impl Iterator<Item = EntryKey> {
        let range = (view, Pa(from))..(view, Pa(to));
        self.0.range(range).map(|(key, _)| *key)
    }

    /// The entries that a write at `pa`, of unknown width, may have touched.
    ///
    /// A write over the end of a page reports one half only, and the other half
    /// may lie in any page.
    pub fn touched_by(&self, view: ViewId, pa: Pa) -> BTreeSet<EntryKey> {
        let first = pa.0 & !ENTRY_SIZE.wrapping_sub(1);
        let end = pa.page().0.saturating_add(PAGE_SIZE);
        let last = pa.0.saturating_add(WIDEST_WRITE);
        let mut touched: BTreeSet<_> = self.range(view, first, last.min(end)).collect();
        if last > end {
            touched.extend(self.by_offset(view, |offset| offset < WIDEST_WRITE));
        }
        if pa.page_offset() == 0 {
            let tail = PAGE_SIZE.wrapping_sub(WIDEST_WRITE);
            touched.extend(self.by_offset(view, |offset| offset >= tail));
        }
        touched
    }

    fn by_offset(
        &self,
        view: ViewId,
        accept: impl Fn(u64) -> bool,
    ) -> impl Iterator<Item = EntryKey> {
        self.range(view, 0, u64::MAX)
            .filter(move |(_, pa)| accept(pa.page_offset()))
    }
}
