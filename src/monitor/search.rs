//! Symbols of modules that may not be there yet: looked for again whenever one may have come.
//!
//! A hook on `module!symbol` is looked for in a process when it is inserted, when the process
//! is created, and when an image was mapped into it. Where a page that has to be read on the
//! way is not in memory, its page tables are watched, and the search goes on when it comes in.
//!
//! Processes are what the guest says they are: each hook follows [`MAX_PROCESSES`] at most.

use std::collections::{BTreeSet, HashMap};

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

/// Processes in which one hook is in place or waits for a page; more are left alone.
pub const MAX_PROCESSES: usize = 4096;

/// Looks for one symbol in processes.
pub trait Search: Send + Sync {
    /// Looks in the process whose object is at `process`.
    fn look_in(&self, process: Va) -> Result<Sighting>;

    /// The symbol, for people.
    fn name(&self) -> &str;
}

/// What a search found in a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// The symbol.
    At(Place),
    /// A page that is not in memory: when it comes in, one can see more.
    Behind(Place),
    /// Why there is nothing to be found, as yet.
    Not(Lack),
}

/// Why a symbol was not found in a process, from the farthest to the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// The process has no such module.
    Module,
    /// A page on the way is not in memory.
    Page,
    /// There are no symbols of the module, and it has no such export.
    Symbols,
    /// The module's symbols are known, and this one is not among them.
    Symbol,
}

/// A hook and a process object.
type Pair = (HookId, Va);

/// How far the search of one hook has come.
#[derive(Default)]
struct Progress {
    found: HashMap<Va, Place>,
    waiting: HashMap<Va, WatchedPage>,
    /// The nearest that it came without finding its symbol.
    lack: Option<Lack>,
    /// Processes that were too many.
    refused: u64,
}

/// What is known about the search of one hook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchState {
    /// Processes in which the symbol was found, and that live.
    pub found: usize,
    /// Processes in which a page is waited for.
    pub waiting: usize,
    /// The nearest that the search came in any process without finding its symbol.
    pub lack: Option<Lack>,
    /// Processes that were left alone for being too many.
    pub refused: u64,
}

/// How far the searches of all hooks have come.
#[derive(Default)]
pub struct Searches {
    hooks: HashMap<HookId, Progress>,
    /// Pairs whose page came in since it was last asked.
    arrived: Vec<Pair>,
}

impl Progress {
    fn len(&self) -> usize {
        self.found.len().saturating_add(self.waiting.len())
    }

    fn stop_waiting(&mut self, ground: &mut Ground, of: impl Fn(Va, &WatchedPage) -> bool) {
        self.waiting.retain(|process, page| {
            let ends = of(*process, page);
            if ends {
                // Done also when it fails; rights are made good by their `settle`.
                let _ = ground.unwatch(*page);
            }
            !ends
        });
    }
}

impl Searches {
    /// Was the symbol of the hook found in the process?
    pub fn is_found(&self, (hook, process): &Pair) -> bool {
        let progress = self.hooks.get(hook);
        progress.is_some_and(|it| it.found.contains_key(process))
    }

    /// Would this process be one too many for the hook?
    pub fn is_full_for(&self, (hook, process): &Pair) -> bool {
        self.hooks.get(hook).is_some_and(|it| {
            it.len() >= MAX_PROCESSES
                && !it.found.contains_key(process)
                && !it.waiting.contains_key(process)
        })
    }

    /// Notes a process that is left alone. True for the hook's first one.
    pub fn refuse(&mut self, hook: HookId) -> bool {
        let progress = self.hooks.entry(hook).or_default();
        progress.refused = progress.refused.saturating_add(1);
        progress.refused == 1
    }

    /// Every process that some hook knows of.
    pub fn processes(&self) -> BTreeSet<Va> {
        let known = |it: &Progress| -> Vec<Va> {
            it.found.keys().chain(it.waiting.keys()).copied().collect()
        };
        self.hooks.values().flat_map(known).collect()
    }

    /// The symbol was found.
    pub fn found(&mut self, ground: &mut Ground, (hook, process): Pair, place: Place) {
        let progress = self.hooks.entry(hook).or_default();
        progress.stop_waiting(ground, |other, _| other == process);
        progress.found.insert(process, place);
    }

    /// The symbol was not found. True when the search came nearer than ever before.
    pub fn lacks(&mut self, hook: HookId, lack: Lack) -> bool {
        let progress = self.hooks.entry(hook).or_default();
        let nearer = progress.lack < Some(lack);
        if nearer {
            progress.lack = Some(lack);
        }
        nearer
    }

    /// What is known about the search of a hook.
    pub fn state(&self, hook: HookId) -> SearchState {
        self.hooks
            .get(&hook)
            .map_or_else(SearchState::default, |it| SearchState {
                found: it.found.len(),
                waiting: it.waiting.len(),
                lack: it.lack,
                refused: it.refused,
            })
    }

    /// Waits for a page. Returns true when it is there already.
    ///
    /// Without views no page is seen coming in: the search goes on when the next
    /// image is mapped.
    pub fn wait(
        &mut self,
        ground: &mut Ground,
        (hook, process): Pair,
        page: WatchedPage,
    ) -> Result<bool> {
        let progress = self.hooks.entry(hook).or_default();
        if !ground.machine.has_views() || progress.waiting.get(&process) == Some(&page) {
            return Ok(false);
        }
        progress.stop_waiting(ground, |other, _| other == process);
        let there = ground.watch(page)?.is_some();
        match there {
            true => ground.unwatch(page)?,
            false => drop(progress.waiting.insert(process, page)),
        }
        Ok(there)
    }

    /// Follows a page that moved, came or went.
    pub fn follow(&mut self, ground: &mut Ground, change: &PageChange) {
        if change.after.is_none() {
            return;
        }
        for (hook, progress) in &mut self.hooks {
            let waiting = progress.waiting.iter();
            let awaited = waiting.filter(|(_, page)| **page == change.page);
            self.arrived
                .extend(awaited.map(|(process, _)| (*hook, *process)));
            progress.stop_waiting(ground, |_, page| *page == change.page);
        }
    }

    /// Pairs whose search goes on: their page came in.
    pub fn take_arrived(&mut self) -> Vec<Pair> {
        std::mem::take(&mut self.arrived)
    }

    /// Forgets a hook that is removed.
    pub fn forget_hook(&mut self, ground: &mut Ground, hook: HookId) {
        if let Some(mut progress) = self.hooks.remove(&hook) {
            progress.stop_waiting(ground, |_, _| true);
        }
        self.arrived.retain(|(other, _)| *other != hook);
    }

    /// Forgets a process that ended. Returns the roots in which symbols were found.
    pub fn forget_process(&mut self, ground: &mut Ground, process: Va) -> BTreeSet<Pa> {
        let mut roots = BTreeSet::new();
        for progress in self.hooks.values_mut() {
            progress.stop_waiting(ground, |other, _| other == process);
            roots.extend(progress.found.remove(&process).map(|place| place.root));
        }
        self.arrived.retain(|(_, other)| *other != process);
        roots
    }

    /// Forgets everything.
    pub fn clear(&mut self, ground: &mut Ground) {
        for progress in self.hooks.values_mut() {
            progress.stop_waiting(ground, |_, _| true);
        }
        self.hooks.clear();
        self.arrived.clear();
    }
}
