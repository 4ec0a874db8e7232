//! Page-table monitor: tells when a watched virtual page moves, comes or goes.
//!
//! Every table on the way to a watched page is write-protected in the view.
//! A write is let through for one instruction; then the entries that it may
//! have touched are compared with what their dependents last saw.

mod entries;
mod walk;

use std::collections::{BTreeSet, HashMap};

use self::{
    entries::{Entries, EntryKey},
    walk::{Chain, Walker, read_entry},
};
use super::{machine::Machine, patches::ViewPage, rights::PageRights};
use crate::{
    arch::amd64::{LongMode, Pte},
    core::{Pa, Va, driver::ViewId},
    error::Result,
};

/// A virtual page whose mapping is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchedPage {
    /// View in which its tables are protected.
    pub view: ViewId,
    /// Root of its address space.
    pub root: Pa,
    /// First byte of the 4 KiB page.
    pub page: Va,
}

/// The mapping of a watched page changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageChange {
    /// Which page.
    pub page: WatchedPage,
    /// Where it was: it was paged out there.
    pub before: Option<Pa>,
    /// Where it is: it was paged in there.
    pub after: Option<Pa>,
}

struct Watch {
    references: u32,
    chain: Chain,
}

/// The monitor: watched pages, their entries, and what was written since.
pub struct PageTables {
    mode: LongMode,
    watches: HashMap<WatchedPage, Watch>,
    entries: Entries,
    /// Entries that each processor may have written to.
    dirty: HashMap<u16, BTreeSet<EntryKey>>,
}

impl WatchedPage {
    /// The page of `va` in the address space of `root`.
    pub const fn new(view: ViewId, root: Pa, va: Va) -> Self {
        let page = va.page();
        Self { view, root, page }
    }
}

impl PageTables {
    /// A monitor of tables in this paging mode.
    pub fn new(mode: LongMode) -> Self {
        Self {
            mode,
            watches: HashMap::new(),
            entries: Entries::default(),
            dirty: HashMap::new(),
        }
    }

    fn walk(&self, machine: &Machine, rights: &mut PageRights, page: WatchedPage) -> Result<Chain> {
        self.walker(machine, rights, page.view)
            .walk(page.root, page.page)
    }

    fn walker<'a>(
        &'a self,
        machine: &'a Machine,
        rights: &'a mut PageRights,
        view: ViewId,
    ) -> Walker<'a> {
        let mode = &self.mode;
        Walker {
            machine,
            rights,
            mode,
            view,
        }
    }

    /// Watches a page, counted. Returns where it is, `None` while it is absent.
    ///
    /// An error leaves it unwatched.
    pub fn watch(
        &mut self,
        machine: &Machine,
        rights: &mut PageRights,
        page: WatchedPage,
    ) -> Result<Option<Pa>> {
        if let Some(watch) = self.watches.get_mut(&page) {
            watch.references = watch.references.saturating_add(1);
            return Ok(watch.chain.target);
        }
        let chain = self.walk(machine, rights, page)?;
        let target = chain.target;
        self.entries.add(page, &chain);
        let references = 1;
        self.watches.insert(page, Watch { references, chain });
        Ok(target)
    }

    /// Undoes one [`PageTables::watch`].
    ///
    /// The page is no longer watched also when the back end fails to restore the
    /// rights of a table; [`PageRights::settle`] does that later.
    pub fn unwatch(
        &mut self,
        machine: &Machine,
        rights: &mut PageRights,
        page: WatchedPage,
    ) -> Result<()> {
        let Some(watch) = self.watches.get_mut(&page) else {
            return Ok(());
        };
        watch.references = watch.references.saturating_sub(1);
        if watch.references > 0 {
            return Ok(());
        }
        let Some(Watch { chain, .. }) = self.watches.remove(&page) else {
            return Ok(());
        };
        self.entries.subtract(page, &chain);
        self.walker(machine, rights, page.view).release(&chain)
    }

    /// Where a watched page is; `None` when it is absent or not watched.
    pub fn resolved(&self, page: WatchedPage) -> Option<Pa> {
        self.watches.get(&page)?.chain.target
    }

    /// Does the page hold entries that are watched?
    pub fn is_table(&self, rights: &PageRights, page: ViewPage) -> bool {
        rights.is_claimed(page, super::rights::Claim::Table)
    }

    /// Notes that processor `vcpu` is about to write at `pa`.
    ///
    /// Returns whether any watched entry may be touched.
    pub fn mark_dirty(&mut self, view: ViewId, pa: Pa, vcpu: u16) -> bool {
        let touched = self.entries.touched_by(view, pa);
        let any = !touched.is_empty();
        if any {
            self.dirty.entry(vcpu).or_default().extend(touched);
        }
        any
    }

    /// Compares what processor `vcpu` may have written, and appends what changed.
    ///
    /// After an error the entries not done yet stay marked: call again.
    pub fn process(
        &mut self,
        machine: &Machine,
        rights: &mut PageRights,
        vcpu: u16,
        changes: &mut Vec<PageChange>,
    ) -> Result<()> {
        let Some(marked) = self.dirty.remove(&vcpu) else {
            return Ok(());
        };
        let result = self.process_marked(machine, rights, &marked, changes);
        if result.is_err() {
            self.dirty.entry(vcpu).or_default().extend(marked);
        }
        result
    }

    fn process_marked(
        &mut self,
        machine: &Machine,
        rights: &mut PageRights,
        marked: &BTreeSet<EntryKey>,
        changes: &mut Vec<PageChange>,
    ) -> Result<()> {
        let mut moved = BTreeSet::new();
        for key in marked {
            moved.extend(self.led_elsewhere(machine, key)?);
        }
        for page in moved {
            changes.extend(self.walk_again(machine, rights, page)?);
        }
        Ok(())
    }

    /// The pages that an entry leads elsewhere now than when they last looked.
    fn led_elsewhere(&self, machine: &Machine, key: &EntryKey) -> Result<Vec<WatchedPage>> {
        let Some(dependents) = self.entries.dependents(key) else {
            return Ok(Vec::new());
        };
        let now = read_entry(machine, key.1)?.unwrap_or(Pte(0));
        let elsewhere = |&&(page, level): &&(WatchedPage, u8)| {
            let links = self.watches.get(&page).map(|watch| &watch.chain.links);
            links.into_iter().flatten().any(|link| {
                link.level == level && link.address == key.1 && link.leads_elsewhere(now)
            })
        };
        let pages = dependents.iter().filter(elsewhere);
        Ok(pages.map(|(page, _)| *page).collect())
    }

    /// Follows the entries of a page anew. Protects the new way before it lets
    /// go of the old one.
    fn walk_again(
        &mut self,
        machine: &Machine,
        rights: &mut PageRights,
        page: WatchedPage,
    ) -> Result<Option<PageChange>> {
        let chain = self.walk(machine, rights, page)?;
        let Some(watch) = self.watches.get_mut(&page) else {
            self.walker(machine, rights, page.view).release(&chain)?;
            return Ok(None);
        };
        let old = std::mem::replace(&mut watch.chain, chain.clone());
        self.entries.subtract(page, &old);
        self.entries.add(page, &chain);
        // What the back end fails to restore now is restored by `PageRights::settle`.
        let _ = self.walker(machine, rights, page.view).release(&old);
        let (before, after) = (old.target, chain.target);
        Ok((before != after).then_some(PageChange {
            page,
            before,
            after,
        }))
    }
}
