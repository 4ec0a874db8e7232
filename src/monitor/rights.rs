//! Access rights of pages in views, as the sum of what several hooks ask for.
//!
//! One page may hold a patched instruction, a watched page table and a memory
//! hook at once. Each claims the page for itself; the rights in force are what
//! all claims together leave, and what was there before returns with the last.

use std::collections::HashMap;

use super::{machine::Machine, patches::ViewPage};
use crate::{
    core::driver::{MemoryAccess, ViewId},
    error::{Error, Result},
};

/// Why a page's rights are reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Claim {
    /// The view shows a patched copy: it may only be executed.
    Code,
    /// It is a page table: it may only be read, by page walks in any way.
    Table,
    /// These accesses are to be reported.
    Report(MemoryAccess),
}

/// The claims on one page.
struct Page {
    /// Rights before the first claim.
    base: MemoryAccess,
    /// Rights in force, `None` when unknown since a remap or an error.
    applied: Option<MemoryAccess>,
    claims: HashMap<Claim, u32>,
}

/// All claimed pages.
#[derive(Default)]
pub struct PageRights {
    pages: HashMap<ViewPage, Page>,
    /// The rights of some page are not those that its claims ask for.
    unsettled: bool,
}

impl Claim {
    const fn allowed(self) -> MemoryAccess {
        match self {
            Self::Code => MemoryAccess::EXECUTE,
            Self::Table => MemoryAccess::READ,
            Self::Report(access) => MemoryAccess::all().difference(access),
        }
    }
}

impl Page {
    fn new(base: MemoryAccess) -> Self {
        Self {
            base,
            applied: Some(base),
            claims: HashMap::new(),
        }
    }

    fn wanted(&self) -> MemoryAccess {
        if self.claims.is_empty() {
            return self.base;
        }
        let mut rights = self.base.difference(MemoryAccess::IGNORE_PAGE_WALK);
        for claim in self.claims.keys() {
            rights &= claim.allowed();
        }
        // Extended page tables know no writable page that cannot be read.
        if !rights.contains(MemoryAccess::READ) {
            rights.remove(MemoryAccess::WRITE);
        }
        if rights == MemoryAccess::READ && self.claims.contains_key(&Claim::Table) {
            rights |= MemoryAccess::IGNORE_PAGE_WALK;
        }
        rights
    }

    fn apply(&mut self, machine: &Machine, at: ViewPage) -> Result<()> {
        let wanted = self.wanted();
        if self.applied == Some(wanted) {
            return Ok(());
        }
        self.applied = None;
        machine.views()?.set_access(at.view, at.gfn, wanted)?;
        self.applied = Some(wanted);
        Ok(())
    }

    fn add(&mut self, claim: Claim) {
        let count = self.claims.entry(claim).or_default();
        *count = count.saturating_add(1);
    }

    fn subtract(&mut self, claim: Claim) {
        if let Some(count) = self.claims.get_mut(&claim) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.claims.remove(&claim);
            }
        }
    }
}

impl PageRights {
    /// No claims yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a claim; claims of one kind are counted.
    ///
    /// An error leaves the claims as they were.
    pub fn claim(&mut self, machine: &Machine, at: ViewPage, claim: Claim) -> Result<()> {
        let page = match self.pages.get_mut(&at) {
            Some(page) => page,
            None => {
                let base = machine.views()?.access(at.view, at.gfn)?;
                self.pages.entry(at).or_insert(Page::new(base))
            }
        };
        page.add(claim);
        let applied = page.apply(machine, at);
        if applied.is_err() {
            page.subtract(claim);
            // The error that counts is the first one.
            let _ = self.finish(machine, at);
        }
        applied
    }

    /// Takes a claim back.
    ///
    /// The claim is gone also when the back end fails to widen the rights; they
    /// are then widened by the next [`PageRights::settle`].
    pub fn release(&mut self, machine: &Machine, at: ViewPage, claim: Claim) -> Result<()> {
        if let Some(page) = self.pages.get_mut(&at) {
            page.subtract(claim);
        }
        self.finish(machine, at)
    }

    /// Applies the rights of a page, and forgets it when nothing is claimed.
    fn finish(&mut self, machine: &Machine, at: ViewPage) -> Result<()> {
        let Some(page) = self.pages.get_mut(&at) else {
            return Ok(());
        };
        let applied = page.apply(machine, at);
        let vanished = matches!(applied, Err(Error::NotFound { .. }));
        if vanished || applied.is_ok() && page.claims.is_empty() {
            self.pages.remove(&at);
        }
        self.unsettled |= applied.is_err();
        if vanished { Ok(()) } else { applied }
    }

    /// Does anybody hold this claim?
    pub fn is_claimed(&self, at: ViewPage, claim: Claim) -> bool {
        let page = self.pages.get(&at);
        page.is_some_and(|page| page.claims.contains_key(&claim))
    }

    /// Does anybody hold any claim on the page?
    pub fn is_known(&self, at: ViewPage) -> bool {
        self.pages.contains_key(&at)
    }

    /// The view shows another frame now, which reset the rights in force.
    pub fn invalidate(&mut self, at: ViewPage) {
        if let Some(page) = self.pages.get_mut(&at) {
            page.applied = None;
            self.unsettled = true;
        }
    }

    /// Applies what earlier calls failed to apply. Returns the first failure.
    pub fn settle(&mut self, machine: &Machine) -> Result<()> {
        if !std::mem::take(&mut self.unsettled) {
            return Ok(());
        }
        let unsettled = |(at, page): (&ViewPage, &Page)| page.applied.is_none().then_some(*at);
        let pages: Vec<_> = self.pages.iter().filter_map(unsettled).collect();
        let mut result = Ok(());
        for at in pages {
            result = result.and(self.finish(machine, at));
        }
        result
    }

    /// Drops what is recorded of a view that no longer exists.
    pub fn forget_view(&mut self, view: ViewId) {
        self.pages.retain(|page, _| page.view != view);
    }
}
