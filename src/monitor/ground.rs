//! What every kind of hook stands on: the guest, its pages' rights, its page tables.

use super::{
    machine::Machine,
    page_tables::{PageChange, PageTables, WatchedPage},
    rights::PageRights,
};
use crate::{
    arch::amd64::LongMode,
    core::{Pa, Source, Translate, driver::ViewId},
    error::Result,
};

/// How the mapping of hooked pages is known.
enum Paging {
    /// Tables are watched in a view.
    Watched(PageTables),
    /// Back ends without views: looked up once, changes go unseen.
    LookedUp(LongMode),
}

/// The guest and what is changed in it.
pub struct Ground {
    /// The guest.
    pub machine: Machine,
    /// Access rights of pages in views.
    pub rights: PageRights,
    paging: Paging,
}

impl Ground {
    /// The guest as it is, with paging of this mode.
    pub fn new(machine: Machine, mode: LongMode) -> Self {
        let paging = match machine.has_views() {
            true => Paging::Watched(PageTables::new(mode)),
            false => Paging::LookedUp(mode),
        };
        Self {
            machine,
            rights: PageRights::new(),
            paging,
        }
    }

    /// Watches a virtual page, counted. Returns where it is, `None` while absent.
    ///
    /// A Windows transition page is absent: the processor cannot execute it.
    pub fn watch(&mut self, page: WatchedPage) -> Result<Option<Pa>> {
        let mode = match &mut self.paging {
            Paging::Watched(tables) => {
                return tables.watch(&self.machine, &mut self.rights, page);
            }
            Paging::LookedUp(mode) => mode,
        };
        let translation = mode.walk(self.machine.physical()?, page.root, page.page);
        let mapped = translation
            .ok()
            .filter(|found| found.source == Source::Hardware);
        Ok(mapped.map(|found| found.pa))
    }

    /// Undoes one [`Ground::watch`]; done also when it fails (see [`PageTables::unwatch`]).
    pub fn unwatch(&mut self, page: WatchedPage) -> Result<()> {
        match &mut self.paging {
            Paging::Watched(tables) => tables.unwatch(&self.machine, &mut self.rights, page),
            Paging::LookedUp(_) => Ok(()),
        }
    }

    /// Where a watched page is, if it is known to be present.
    pub fn resolved(&self, page: WatchedPage) -> Option<Pa> {
        match &self.paging {
            Paging::Watched(tables) => tables.resolved(page),
            Paging::LookedUp(_) => None,
        }
    }

    /// Notes a write that processor `vcpu` is about to make to a page table;
    /// false when it touches nothing that is watched.
    pub fn mark_dirty(&mut self, view: ViewId, pa: Pa, vcpu: u16) -> bool {
        match &mut self.paging {
            Paging::Watched(tables) => tables.mark_dirty(view, pa, vcpu),
            Paging::LookedUp(_) => false,
        }
    }

    /// What the marked writes of processor `vcpu` changed, now that they are made.
    ///
    /// `changes` is filled also when the call fails half-way; call it again then.
    pub fn process_dirty(&mut self, vcpu: u16, changes: &mut Vec<PageChange>) -> Result<()> {
        match &mut self.paging {
            Paging::Watched(tables) => {
                tables.process(&self.machine, &mut self.rights, vcpu, changes)
            }
            Paging::LookedUp(_) => Ok(()),
        }
    }
}
