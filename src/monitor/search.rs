//! Symbols of modules that may not be there yet: looked for again whenever one may have come.
//!
//! A hook on `module!symbol` is looked for in a process when it is inserted, when the process
//! is created, and when an image was mapped into it; in the kernel when it is inserted, and in
//! each module that is put into the kernel's list. Where a page that has to be read on the
//! way is not in memory, its page tables are watched, and the search goes on when it comes in.
//!
//! What was found is given up when its module is taken out of the kernel's list, or when an
//! image was mapped and the place, whose page is gone, turns out to be the symbol's no more.
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

/// Whose modules a symbol is looked for in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Realm {
    /// The kernel's.
    Kernel,
    /// Those of the process whose object is here.
    Process(Va),
}

/// Looks for one symbol in the kernel and in processes.
pub trait Search: Send + Sync {
    /// Looks in the process whose object is at `process`.
    fn look_in(&self, process: Va) -> Result<Sighting>;

    /// Looks in the modules of the kernel's list.
    fn look_in_kernel(&self) -> Result<Sighting>;

    /// Looks in the kernel's module whose loader entry is at `entry`: it is not in the
    /// list yet.
    fn look_in_module(&self, entry: Va) -> Result<Sighting>;

    /// Does the kernel's module whose loader entry is at `entry` hold this address?
    fn is_in_module(&self, entry: Va, va: Va) -> Result<bool>;

    /// The symbol, for people.
    fn name(&self) -> &str;
}

/// What a search found in a realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sighting {
    /// The symbol.
    At(Place),
    /// A page that is not in memory: when it comes in, one can see more.
    Behind(Place),
    /// Why there is nothing to be found, as yet.
    Not(Lack),
}

/// Why a symbol was not found in a realm, from the farthest to the nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// There is no such module.
    Module,
    /// A page on the way is not in memory.
    Page,
    /// There are no symbols of the module, and it has no such export.
    Symbols,
    /// The module's symbols are known, and this one is not among them.
    Symbol,
}

/// A hook, and where it is looked for.
pub type Pair = (HookId, Realm);

/// How far the search of one hook has come.
#[derive(Default)]
struct Progress {
    found: HashMap<Realm, Place>,
    waiting: HashMap<Realm, WatchedPage>,
    /// The nearest that it came without finding its symbol.
    lack: Option<Lack>,
    /// Processes that were too many.
    refused: u64,
}

/// What is known about the search of one hook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchState {
    /// Processes in which the symbol was found, and that live; the kernel counts as one.
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

    fn stop_waiting(&mut self, ground: &mut Ground, of: impl Fn(Realm, &WatchedPage) -> bool) {
        self.waiting.retain(|realm, page| {
            let ends = of(*realm, page);
            if ends {
                // Done also when it fails; rights are made good by their `settle`.
                let _ = ground.unwatch(*page);
            }
            !ends
        });
    }
}

impl Searches {
    /// Where the symbol of the hook was found.
    pub fn place(&self, (hook, realm): &Pair) -> Option<Place> {
        self.hooks.get(hook)?.found.get(realm).copied()
    }

    /// Where the symbol of the hook was found, or the page behind which it may be.
    pub fn trail(&self, pair @ (hook, realm): &Pair) -> Option<Va> {
        let waiting = || self.hooks.get(hook)?.waiting.get(realm);
        let place = self.place(pair).map(|place| place.va);
        place.or_else(|| waiting().map(|page| page.page))
    }

    /// Would this process be one too many for the hook?
    pub fn is_full_for(&self, (hook, realm): &Pair) -> bool {
        self.hooks.get(hook).is_some_and(|it| {
            it.len() >= MAX_PROCESSES
                && !it.found.contains_key(realm)
                && !it.waiting.contains_key(realm)
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
        let known = |it: &Progress| -> Vec<Realm> {
            it.found.keys().chain(it.waiting.keys()).copied().collect()
        };
        let process = |realm| match realm {
            Realm::Process(process) => Some(process),
            Realm::Kernel => None,
        };
        let realms = self.hooks.values().flat_map(known);
        realms.filter_map(process).collect()
    }

    /// The symbol was found.
    pub fn found(&mut self, ground: &mut Ground, (hook, realm): Pair, place: Place) {
        let progress = self.hooks.entry(hook).or_default();
        progress.stop_waiting(ground, |other, _| other == realm);
        progress.found.insert(realm, place);
    }

    /// The symbol is no more where it was found, nor behind the page that was waited for.
    pub fn lose(&mut self, ground: &mut Ground, (hook, realm): Pair) {
        if let Some(progress) = self.hooks.get_mut(&hook) {
            progress.stop_waiting(ground, |other, _| other == realm);
            progress.found.remove(&realm);
            // The page was the module's that is gone.
            progress.lack = progress.lack.filter(|lack| *lack != Lack::Page);
        }
        self.arrived.retain(|pair| *pair != (hook, realm));
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
        (hook, realm): Pair,
        page: WatchedPage,
    ) -> Result<bool> {
        let progress = self.hooks.entry(hook).or_default();
        if !ground.machine.has_views() || progress.waiting.get(&realm) == Some(&page) {
            return Ok(false);
        }
        progress.stop_waiting(ground, |other, _| other == realm);
        let there = ground.watch(page)?.is_some();
        match there {
            true => ground.unwatch(page)?,
            false => drop(progress.waiting.insert(realm, page)),
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
                .extend(awaited.map(|(realm, _)| (*hook, *realm)));
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
        let realm = Realm::Process(process);
        let mut roots = BTreeSet::new();
        for progress in self.hooks.values_mut() {
            progress.stop_waiting(ground, |other, _| other == realm);
            roots.extend(progress.found.remove(&realm).map(|place| place.root));
        }
        self.arrived.retain(|(_, other)| *other != realm);
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
