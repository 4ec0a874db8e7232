//! Inserts, removes and moves breakpoints, keeping records and guest in step.

use std::collections::BTreeSet;

use super::{
    Breakpoint, Key, Reach,
    book::{AnchorId, Book},
};
use crate::{
    core::{Pa, Va, driver::ViewId},
    error::{Error, Result},
    monitor::{
        ground::Ground,
        patches::{Installed, Location, Patches, Removed, StepOver, ViewPage},
        rights::Claim,
    },
};

/// What an insertion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// The breakpoint is in the guest.
    Active,
    /// Its page is absent: it becomes active when the page comes in.
    Pending,
    /// It was there already; nothing changed.
    Unchanged,
}

/// A breakpoint that was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The owner.
    pub key: Key,
    /// Address that it was inserted at.
    pub va: Va,
    /// The owner's value.
    pub tag: u64,
}

/// All breakpoints of a guest.
pub struct BreakpointManager {
    pub(super) book: Book,
    pub(super) patches: Patches,
    /// Anchors whose page is present and which the back end failed to activate.
    pub(super) failed: BTreeSet<AnchorId>,
    /// Where pages came in, for the log.
    pub(super) arrived: Vec<Va>,
}

impl BreakpointManager {
    /// No breakpoints yet.
    pub fn new(patches: Patches) -> Self {
        Self {
            book: Book::default(),
            patches,
            failed: BTreeSet::new(),
            arrived: Vec::new(),
        }
    }

    /// How many breakpoints of an owner with this tag are active, and how many pending.
    pub fn count(&self, key: Key, tag: u64) -> (usize, usize) {
        let ids = self.book.of_key(key);
        let anchors = ids.iter().filter_map(|id| self.book.anchor(id));
        let anchors: Vec<_> = anchors.filter(|anchor| anchor.tag == tag).collect();
        let active = anchors.iter().filter(|anchor| anchor.at.is_some()).count();
        (active, anchors.len().saturating_sub(active))
    }

    /// Can the guest see the breakpoints by reading its code?
    pub fn visible(&self) -> bool {
        self.patches.visible()
    }

    /// Inserts a breakpoint while no processor runs.
    ///
    /// An error leaves everything as it was.
    pub fn insert(&mut self, ground: &mut Ground, breakpoint: &Breakpoint) -> Result<Inserted> {
        self.check_reach(breakpoint)?;
        self.settle(ground);
        let machine = ground.machine.clone();
        let _paused = machine.pause()?;
        self.insert_paused(ground, breakpoint)
    }

    /// Inserts breakpoints in one pause: all of them, or none.
    ///
    /// Fails with the index of the breakpoint that could not be inserted.
    pub fn insert_many(
        &mut self,
        ground: &mut Ground,
        breakpoints: &[Breakpoint],
    ) -> Result<Vec<Inserted>, (usize, Error)> {
        self.settle(ground);
        let machine = ground.machine.clone();
        let _paused = machine.pause().map_err(|error| (0, error))?;
        let mut done = Vec::with_capacity(breakpoints.len());
        for (index, breakpoint) in breakpoints.iter().enumerate() {
            match self.insert_paused(ground, breakpoint) {
                Ok(inserted) => done.push(inserted),
                Err(error) => {
                    self.undo(ground, breakpoints.iter().zip(&done));
                    return Err((index, error));
                }
            }
        }
        Ok(done)
    }

    fn undo<'a>(
        &mut self,
        ground: &mut Ground,
        done: impl Iterator<Item = (&'a Breakpoint, &'a Inserted)>,
    ) {
        for (breakpoint, inserted) in done {
            if *inserted != Inserted::Unchanged {
                self.abandon(ground, &AnchorId::from(breakpoint));
            }
        }
    }

    fn check_reach(&self, breakpoint: &Breakpoint) -> Result<()> {
        let record = self.book.record(&AnchorId::from(breakpoint).site);
        match record {
            Some(record) if record.reach != breakpoint.reach => Err(Error::invalid_argument(
                "scope",
                "the same owner has a breakpoint of another scope at this address",
            )),
            _ => Ok(()),
        }
    }

    fn insert_paused(&mut self, ground: &mut Ground, breakpoint: &Breakpoint) -> Result<Inserted> {
        self.check_reach(breakpoint)?;
        let id = AnchorId::from(breakpoint);
        if let Some(anchor) = self.book.anchor(&id) {
            let idle = anchor.at.is_none() && self.failed.contains(&id);
            return match ground.resolved(id.page()) {
                Some(page) if idle => self.activate(ground, &id, page),
                _ => Ok(Inserted::Unchanged),
            };
        }
        let target = ground.watch(breakpoint.page())?;
        self.book.add(breakpoint);
        let activated = match target {
            Some(page) => self.activate(ground, &id, page),
            None => Ok(Inserted::Pending),
        };
        if activated.is_err() {
            self.abandon(ground, &id);
        }
        activated
    }

    /// Patches first, then protects the page: a remap resets its rights.
    pub(super) fn activate(
        &mut self,
        ground: &mut Ground,
        id: &AnchorId,
        page: Pa,
    ) -> Result<Inserted> {
        let at = Location::new(id.site.view, page.wrapping_add(id.site.va.page_offset()));
        let shared = self.already_there(id, at);
        let installed = self.patches.insert(&ground.machine, at, id.subscriber())?;
        if let Err(error) = self.protect(ground, at.page, installed) {
            self.unpatch(ground, at, id);
            return Err(error);
        }
        self.book.place(id, Some(at));
        self.failed.remove(id);
        Ok(match shared {
            true => Inserted::Unchanged,
            false => Inserted::Active,
        })
    }

    /// A global breakpoint that reaches the same byte through another root already.
    fn already_there(&self, id: &AnchorId, at: Location) -> bool {
        let record = self.book.record(&id.site);
        record.is_some_and(|record| {
            record.reach == Reach::Global && record.anchors.iter().any(|a| a.at == Some(at))
        })
    }

    fn protect(&self, ground: &mut Ground, page: ViewPage, installed: Installed) -> Result<()> {
        if self.visible() {
            return Ok(());
        }
        if installed == Installed::FirstOfPage {
            ground.rights.invalidate(page);
        }
        match ground.rights.is_claimed(page, Claim::Code) && installed != Installed::FirstOfPage {
            true => Ok(()),
            false => ground.rights.claim(&ground.machine, page, Claim::Code),
        }
    }

    /// The page's last patch is gone: its own rights return.
    pub(super) fn unprotect(&self, ground: &mut Ground, page: ViewPage) -> Result<()> {
        if self.visible() {
            return Ok(());
        }
        ground.rights.invalidate(page);
        ground.rights.release(&ground.machine, page, Claim::Code)
    }

    /// Takes a subscription back whatever the back end says.
    pub(super) fn unpatch(&mut self, ground: &mut Ground, at: Location, id: &AnchorId) {
        let who = id.subscriber();
        if self.patches.abandon(&ground.machine, at, who) == Removed::LastOfPage {
            // What fails is made good by `settle`.
            let _ = self.unprotect(ground, at.page);
        }
    }

    /// Removes one breakpoint from its address space, whatever the back end says; a
    /// global one stays in others. Its page is gone, or about to go.
    pub fn leave(&mut self, ground: &mut Ground, breakpoint: &Breakpoint) {
        let id = AnchorId::from(breakpoint);
        if self.book.anchor(&id).is_none() {
            return;
        }
        let machine = ground.machine.clone();
        // Without the pause another processor could be between patch and rights.
        let _paused = machine.pause();
        self.abandon(ground, &id);
    }

    /// Drops an anchor whatever the back end says.
    fn abandon(&mut self, ground: &mut Ground, id: &AnchorId) {
        if let Some(at) = self.book.anchor(id).and_then(|anchor| anchor.at) {
            self.unpatch(ground, at, id);
        }
        // What fails is made good by `settle`.
        let _ = ground.unwatch(id.page());
        self.forget(id);
    }

    pub(super) fn forget(&mut self, id: &AnchorId) {
        self.failed.remove(id);
        self.book.drop(id);
    }

    /// Gives the frames of former patches back, once nothing is patched.
    pub fn free(&mut self, ground: &Ground) -> Result<()> {
        self.patches.free(&ground.machine)
    }

    /// Is the byte patched by this library?
    pub fn contains(&self, at: Location) -> bool {
        self.patches.contains(at)
    }

    /// Does the view show a patched copy of the page?
    pub fn patched(&self, page: ViewPage) -> bool {
        self.patches.patched(page)
    }

    /// Is an active breakpoint at this address of this address space?
    pub fn contains_address(&self, view: ViewId, root: Pa, va: Va) -> bool {
        let here = |id: &AnchorId| {
            self.book
                .anchor(id)
                .is_some_and(|anchor| anchor.at.is_some())
        };
        let anchors = self.book.select(|site| site.view == view && site.va == va);
        anchors.iter().filter(|id| id.root == root).any(here)
    }

    /// Is a breakpoint in the guest, its page being in memory?
    pub fn is_active(&self, breakpoint: &Breakpoint) -> bool {
        let anchor = self.book.anchor(&AnchorId::from(breakpoint));
        anchor.is_some_and(|anchor| anchor.at.is_some())
    }

    /// Is nothing inserted?
    pub fn is_empty(&self) -> bool {
        self.book.is_empty()
    }

    /// The breakpoints that a hit at `at` in the address space of `root`
    /// concerns, in order of insertion, each once.
    pub fn hits(&self, at: Location, root: Pa) -> Vec<Hit> {
        let mut hits: Vec<(u64, Hit)> = Vec::new();
        for who in self.patches.subscribers(at) {
            let id = AnchorId::of(at.page.view, who);
            let Some((record, anchor)) = self.book.record(&id.site).zip(self.book.anchor(&id))
            else {
                continue;
            };
            let hit = Hit {
                key: who.key,
                va: who.va,
                tag: anchor.tag,
            };
            let concerned = record.reach == Reach::Global || who.root == root;
            if concerned && !hits.iter().any(|(_, other)| *other == hit) {
                hits.push((anchor.order, hit));
            }
        }
        hits.sort_unstable_by_key(|(order, _)| *order);
        hits.into_iter().map(|(_, hit)| hit).collect()
    }

    /// Has one processor execute the guest's own instruction at a patch.
    pub fn step_over(&mut self, ground: &Ground, at: Location) -> Result<StepOver> {
        self.patches.step_over(&ground.machine, at)
    }

    /// Ends a step over a lifted patch.
    pub fn stepped(&mut self, ground: &Ground, at: Location) -> Result<()> {
        self.patches.stepped(&ground.machine, at)
    }

    /// Brings a patched page up to date after the guest wrote to it.
    pub fn refresh(&mut self, ground: &Ground, page: ViewPage) -> Result<()> {
        self.patches.refresh(&ground.machine, page)
    }

    /// The byte that readers of guest memory are to see at a patched location;
    /// `None` where the frame itself holds it.
    pub fn original(&self, at: Location) -> Option<u8> {
        self.patches.original(at)
    }
}
