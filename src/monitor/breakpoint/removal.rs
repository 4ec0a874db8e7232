//! Taking breakpoints out: one, those of an owner, of a byte, of a view, all.
//!
//! A removal that fails leaves the breakpoint recorded, so that it can be
//! repeated; what was taken out before the failure stays out.

use std::collections::BTreeSet;

use super::{Breakpoint, BreakpointManager, Key, Reach, book::AnchorId};
use crate::{
    core::{Pa, driver::ViewId},
    error::{Error, Result},
    monitor::{ground::Ground, patches::Location, rights::Claim},
};

impl BreakpointManager {
    /// Makes an active anchor pending. An error leaves it to be tried again.
    fn deactivate(&mut self, ground: &mut Ground, id: &AnchorId) -> Result<()> {
        let Some(at) = self.book.anchor(id).and_then(|anchor| anchor.at) else {
            return Ok(());
        };
        let removed = self.patches.remove(&ground.machine, at, id.subscriber());
        if let Err(Error::NotFound { .. }) = removed {
            self.forget_view(ground, at.page.view);
        } else {
            removed?;
        }
        self.book.place(id, None);
        match !self.patches.patched(at.page) && ground.rights.is_claimed(at.page, Claim::Code) {
            true => self.unprotect(ground, at.page),
            false => Ok(()),
        }
    }

    /// A view vanished, and every patch and right in it.
    pub fn forget_view(&mut self, ground: &mut Ground, view: ViewId) {
        self.patches.forget_view(view);
        ground.rights.forget_view(view);
    }

    fn remove_anchor(&mut self, ground: &mut Ground, id: &AnchorId) -> Result<()> {
        self.deactivate(ground, id)?;
        ground.unwatch(id.page())?;
        self.forget(id);
        Ok(())
    }

    /// Removes anchors; after an error those not removed are still there.
    fn remove_all(&mut self, ground: &mut Ground, anchors: &[AnchorId]) -> Result<bool> {
        self.settle(ground);
        for id in anchors {
            self.remove_anchor(ground, id)?;
        }
        Ok(!anchors.is_empty())
    }

    /// Removes one breakpoint, active or pending; a global one by any root.
    ///
    /// Returns false when there was none. After an error call it again.
    pub fn remove(&mut self, ground: &mut Ground, breakpoint: &Breakpoint) -> Result<bool> {
        let id = AnchorId::from(breakpoint);
        let anchors = match self.book.record(&id.site).map(|record| record.reach) {
            Some(Reach::Global) => self.book.of_site(&id.site),
            Some(Reach::Root) if self.book.anchor(&id).is_some() => vec![id],
            _ => return Ok(false),
        };
        self.remove_all(ground, &anchors)
    }

    /// Removes every breakpoint of an owner. Returns false when there was none.
    pub fn remove_key(&mut self, ground: &mut Ground, key: Key) -> Result<bool> {
        let anchors = self.book.of_key(key);
        self.remove_all(ground, &anchors)
    }

    /// Removes what is in the user half of the address space of `root`, which ends.
    ///
    /// Global breakpoints stay in other address spaces.
    pub fn remove_user(&mut self, ground: &mut Ground, root: Pa) -> Result<bool> {
        let mut anchors = self.book.select(|site| site.va.0 >> 63 == 0);
        anchors.retain(|id| id.root == root);
        self.remove_all(ground, &anchors)
    }

    /// Removes every breakpoint that subscribes to the byte at `at`, in every
    /// view, with all other pages of those that are global.
    ///
    /// Returns `None` when there was none, else whether the page has no patch left.
    pub fn remove_at(&mut self, ground: &mut Ground, at: Location) -> Result<Option<bool>> {
        let same_byte = |other: &Location| other.pa() == at.pa();
        let mut anchors = BTreeSet::new();
        for location in self.patches.locations().filter(same_byte) {
            for who in self.patches.subscribers(location) {
                let id = AnchorId::of(location.page.view, who);
                match self.book.record(&id.site).map(|record| record.reach) {
                    Some(Reach::Global) => anchors.extend(self.book.of_site(&id.site)),
                    _ => drop(anchors.insert(id)),
                }
            }
        }
        let anchors: Vec<_> = anchors.into_iter().collect();
        let any = self.remove_all(ground, &anchors)?;
        Ok(any.then(|| !self.patches.patched(at.page)))
    }

    /// Removes every breakpoint of a view. Returns false when there was none.
    pub fn remove_view(&mut self, ground: &mut Ground, view: ViewId) -> Result<bool> {
        let anchors = self.book.select(|site| site.view == view);
        self.remove_all(ground, &anchors)
    }

    /// Removes every breakpoint and gives the frames back.
    ///
    /// All are tried; the first failure is returned. After an error call it again.
    pub fn clear(&mut self, ground: &mut Ground) -> Result<()> {
        self.settle(ground);
        let mut result = Ok(());
        for id in self.book.select(|_| true) {
            result = result.and(self.remove_anchor(ground, &id));
        }
        result?;
        ground.rights.settle(&ground.machine)
    }
}
