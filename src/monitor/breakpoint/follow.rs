//! Keeping breakpoints where their pages are.

use super::{BreakpointManager, book::AnchorId};
use crate::{
    core::{Pa, Va},
    log::{self, Level},
    monitor::{ground::Ground, page_tables::PageChange},
};

impl BreakpointManager {
    /// Follows a page that moved, came or went, in the one address space where it did.
    ///
    /// What cannot be activated now is tried again by [`BreakpointManager::settle`].
    pub fn follow(&mut self, ground: &mut Ground, change: &PageChange) {
        let machine = ground.machine.clone();
        let anchors = self.book.on_page(&change.page);
        // Without the pause a write of another processor could miss the copy.
        let _paused = machine.pause();
        for id in anchors {
            if let Some(at) = self.book.anchor(&id).and_then(|anchor| anchor.at) {
                self.unpatch(ground, at, &id);
                self.book.place(&id, None);
            }
            self.failed.remove(&id);
            if let Some(page) = change.after {
                self.activate_now(ground, id, page);
            }
        }
    }

    /// Tries again what the back end refused earlier.
    pub fn settle(&mut self, ground: &mut Ground) {
        for page in self.patches.settle(&ground.machine) {
            // The rights' own `settle` follows.
            let _ = self.unprotect(ground, page);
        }
        let _ = ground.rights.settle(&ground.machine);
        for id in std::mem::take(&mut self.failed) {
            let page = ground.resolved(id.page());
            if let Some(page) = page {
                self.activate_now(ground, id, page);
            }
        }
    }

    /// Addresses whose pages came in since the last call, for the log.
    pub fn take_arrived(&mut self) -> Vec<Va> {
        std::mem::take(&mut self.arrived)
    }

    fn activate_now(&mut self, ground: &mut Ground, id: AnchorId, page: Pa) {
        match self.activate(ground, &id, page) {
            // Told when no lock is held.
            Ok(_) if log::enabled(Level::Debug) => self.arrived.push(id.site.va),
            Ok(_) => {}
            Err(_) => drop(self.failed.insert(id)),
        }
    }
}
