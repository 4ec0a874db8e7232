//! Symbols of modules that may not be there yet: looked for again whenever one may have come.
//!
//! A hook on `module!symbol` is looked for in a process when it is inserted, when the process
//! is created, and when an image was mapped into it. Where a page that has to be read on the
//! way is not in memory, its page tables are watched, and the search goes on when it comes in.

use std::collections::HashMap;

use super::{
    ground::Ground,
    live::Place,
    page_tables::{PageChange, WatchedPage},
    slots::HookId,
};
use crate::{
    core::{Pa, Va},
    error::Result,
};

/// Looks for one symbol in processes.
pub trait Search: Send + Sync {
    /// Looks in the process whose object is at `process`.
    fn look_in(&self, process: Va) -> Result<Sighting>;
}

/// What a search found in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// The symbol.
    At(Place),
    /// A page that is not in memory: when it comes in, one can see more.
    Behind(Place),
    /// The process has no such module, as yet.
    Absent,
}

/// A hook and a process object.
type Pair = (HookId, Va);

/// How far the searches of all hooks have come.
#[derive(Default)]
pub struct Searches {
    found: HashMap<Pair, Place>,
    waiting: HashMap<Pair, WatchedPage>,
    /// Pairs whose page came in since it was last asked.
    arrived: Vec<Pair>,
}

impl Searches {
    /// Was the symbol of the hook found in the process?
    pub fn is_found(&self, pair: &Pair) -> bool {
        self.found.contains_key(pair)
    }

    /// The symbol was found.
    pub fn found(&mut self, ground: &mut Ground, pair: Pair, place: Place) {
        self.stop_waiting(ground, |other| *other == pair);
        self.found.insert(pair, place);
    }

    /// Waits for a page. Returns true when it is there already.
    ///
    /// Without views no page is seen coming in: the search goes on when the next
    /// image is mapped.
    pub fn wait(&mut self, ground: &mut Ground, pair: Pair, page: WatchedPage) -> Result<bool> {
        if !ground.machine.has_views() || self.waiting.get(&pair) == Some(&page) {
            return Ok(false);
        }
        self.stop_waiting(ground, |other| *other == pair);
        let there = ground.watch(page)?.is_some();
        match there {
            true => ground.unwatch(page)?,
            false => drop(self.waiting.insert(pair, page)),
        }
        Ok(there)
    }

    /// Follows a page that moved, came or went.
    pub fn follow(&mut self, ground: &mut Ground, change: &PageChange) {
        if change.after.is_none() {
            return;
        }
        let awaited = self
            .waiting
            .iter()
            .filter(|(_, page)| **page == change.page);
        let awaited: Vec<_> = awaited.map(|(pair, _)| *pair).collect();
        self.stop_waiting(ground, |pair| awaited.contains(pair));
        self.arrived.extend(awaited);
    }

    /// Pairs whose search goes on: their page came in.
    pub fn take_arrived(&mut self) -> Vec<Pair> {
        std::mem::take(&mut self.arrived)
    }

    /// Forgets a hook that is removed.
    pub fn forget_hook(&mut self, ground: &mut Ground, hook: HookId) {
        self.forget(ground, |(other, _)| *other == hook);
    }

    /// Forgets a process that ended. Returns the roots in which symbols were found.
    pub fn forget_process(&mut self, ground: &mut Ground, process: Va) -> Vec<Pa> {
        let of_process = self.found.iter().filter(|((_, it), _)| *it == process);
        let mut roots: Vec<_> = of_process.map(|(_, place)| place.root).collect();
        roots.sort_unstable();
        roots.dedup();
        self.forget(ground, |(_, other)| *other == process);
        roots
    }

    /// Forgets everything.
    pub fn clear(&mut self, ground: &mut Ground) {
        self.forget(ground, |_| true);
    }

    fn forget(&mut self, ground: &mut Ground, of: impl Fn(&Pair) -> bool) {
        self.stop_waiting(ground, &of);
        self.found.retain(|pair, _| !of(pair));
        self.arrived.retain(|pair| !of(pair));
    }

    fn stop_waiting(&mut self, ground: &mut Ground, of: impl Fn(&Pair) -> bool) {
        self.waiting.retain(|pair, page| {
            let ends = of(pair);
            if ends {
                // Done also when it fails; rights are made good by their `settle`.
                let _ = ground.unwatch(*page);
            }
            !ends
        });
    }
}
