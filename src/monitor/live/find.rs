//! Finding the symbols of hooks in the kernel and in processes, whenever they may have come.

use std::{collections::BTreeSet, sync::Arc};

use super::{LiveGuest, Place, State, insert::breakpoint};
use crate::{
    core::Va,
    error::{Error, Result},
    monitor::{
        dispatch::Role,
        guest::Identity,
        page_tables::WatchedPage,
        registration::Registration,
        scope::ScopeFilter,
        search::{Lack, MAX_PROCESSES, Pair, Realm, Search, Sighting},
        slots::HookId,
    },
};

/// Pages that come in while one symbol is looked for; more are waited for.
const MAX_PAGES: usize = 64;

/// A symbol that was found for a hook.
struct Find {
    pair: Pair,
    place: Place,
}

/// Looks once.
fn look_once(search: &dyn Search, realm: Realm) -> Result<Sighting> {
    match realm {
        Realm::Kernel => search.look_in_kernel(),
        Realm::Process(process) => search.look_in(process),
    }
}

impl LiveGuest {
    /// Looks for the symbols of new hooks in the kernel and, what it has not, in every
    /// process, and patches them in one pause.
    ///
    /// What appears meanwhile passes a landmark: nothing is missed in between.
    pub(super) fn look_everywhere(
        &self,
        hooks: &[Arc<Registration>],
    ) -> Result<(), (usize, Error)> {
        let searching = hooks.iter().position(|hook| hook.search().is_some());
        let Some(first) = searching else {
            return Ok(());
        };
        let processes = self.guest.processes().map_err(|error| (first, error))?;
        let mut finds = Vec::new();
        let mut owners = Vec::new();
        for (index, hook) in hooks.iter().enumerate() {
            let failed = |error| (index, error);
            let in_kernel = self.look(hook, Realm::Kernel).map_err(failed)?;
            let others: &[Va] = if in_kernel.is_some() { &[] } else { &processes };
            finds.extend(in_kernel);
            for process in others {
                let find = self.look(hook, Realm::Process(*process));
                finds.extend(find.map_err(failed)?);
            }
            owners.resize(finds.len(), index);
        }
        let hooked = self.state().hook_finds(&finds);
        hooked.map_err(|(find, error)| (owners.get(find).copied().unwrap_or(first), error))
    }

    /// A process begins: its program and its system library are mapped already.
    pub(in crate::monitor) fn look_in_newborn(&self, process: Va) {
        // An earlier process at the same address is gone.
        self.forget_process(process);
        self.look_in(process);
    }

    /// An image was mapped into the address space that a thread uses.
    pub(in crate::monitor) fn look_in_mapping(&self, identity: Result<Identity>) {
        if let Ok(identity) = identity {
            self.look_in(identity.attached);
        }
    }

    /// Goes on where a page was waited for that has come in.
    pub(in crate::monitor) fn look_again(&self) {
        let arrived = self.state().searches.take_arrived();
        for (id, realm) in arrived {
            let hook = self.state().registration(id);
            self.look_for(hook.as_slice(), |hook| self.look(hook, realm));
        }
    }

    fn look_in(&self, process: Va) {
        let realm = Realm::Process(process);
        self.look_for(&self.hooks(), |hook| self.look(hook, realm));
    }

    /// A module is about to be put into the kernel's list, or to be taken out of it.
    pub(in crate::monitor) fn module_listed(&self, entry: Va, comes: bool) {
        let hooks = self.hooks();
        if comes {
            return self.look_for(&hooks, |hook| self.look_in_module(hook, entry));
        }
        for hook in &hooks {
            if let Err(error) = self.leave_module(hook, entry) {
                let log = self.machine.log();
                log.warning(format_args!("a hook in a module that goes: {error}"));
            }
        }
    }

    fn hooks(&self) -> Vec<Arc<Registration>> {
        self.state().registry.iter().map(Arc::clone).collect()
    }

    fn look_for(
        &self,
        hooks: &[Arc<Registration>],
        look: impl Fn(&Registration) -> Result<Option<Find>>,
    ) {
        let mut finds = Vec::new();
        for hook in hooks {
            match look(hook) {
                Ok(find) => finds.extend(find),
                Err(error) => self.report_unfound(&error),
            }
        }
        // A hook that fails does not take others with it; the next image is another try.
        for find in finds {
            let hooked = self.state().hook_finds(std::slice::from_ref(&find));
            match hooked {
                Ok(()) => self.report_found(&find),
                Err((_, error)) => self.report_unfound(&error),
            }
        }
    }

    /// Looks for the symbol of one hook in one realm.
    fn look(&self, hook: &Registration, realm: Realm) -> Result<Option<Find>> {
        let Some(search) = hook.search() else {
            return Ok(None);
        };
        let pair = (hook.id, realm);
        let state = self.state();
        let (here, in_kernel) = (
            state.searches.place(&pair),
            state.searches.place(&(hook.id, Realm::Kernel)),
        );
        let is_gone = here.is_some_and(|place| !state.is_active(hook.id, &place));
        drop(state);
        if hook.is_removed() {
            return Ok(None);
        }
        match here {
            Some(place) if is_gone => return self.look_whether_moved(search, pair, &place),
            Some(_) => return Ok(None),
            // The kernel's modules take their names from those of processes.
            None if in_kernel.is_some() => return Ok(None),
            None => {}
        }
        let concerned = |filter: &ScopeFilter| match realm {
            Realm::Kernel => true,
            Realm::Process(process) => filter.takes_in(&*self.guest, process),
        };
        if !concerned(hook.filter()) || !self.has_room(search, pair) {
            return Ok(None);
        }
        let place = self.look_behind(search, pair, || look_once(search, realm))?;
        Ok(place.map(|place| Find { pair, place }))
    }

    /// Looks for the symbol of one hook in a module that the kernel's list has not yet.
    fn look_in_module(&self, hook: &Registration, entry: Va) -> Result<Option<Find>> {
        let pair = (hook.id, Realm::Kernel);
        let search = hook.search().filter(|_| !hook.is_removed());
        let Some(search) = search.filter(|_| self.state().searches.place(&pair).is_none()) else {
            return Ok(None);
        };
        let place = self.look_behind(search, pair, || search.look_in_module(entry))?;
        Ok(place.map(|place| Find { pair, place }))
    }

    /// A place whose page is gone may be another module's by now.
    fn look_whether_moved(
        &self,
        search: &dyn Search,
        pair: Pair,
        place: &Place,
    ) -> Result<Option<Find>> {
        let found = match look_once(search, pair.1)? {
            Sighting::At(found) if found == *place => return Ok(None),
            // What it was found by is not in memory now.
            Sighting::Behind(_) => return Ok(None),
            Sighting::At(found) => Some(found),
            Sighting::Not(_) => None,
        };
        self.state().leave(pair)?;
        Ok(found.map(|place| Find { pair, place }))
    }

    /// A module of the kernel goes, and a hook that is in it, or waits for a page of it.
    fn leave_module(&self, hook: &Registration, entry: Va) -> Result<()> {
        let pair = (hook.id, Realm::Kernel);
        let trail = self.state().searches.trail(&pair);
        let Some((search, va)) = hook.search().zip(trail) else {
            return Ok(());
        };
        match search.is_in_module(entry, va)? {
            true => self.state().leave(pair),
            false => Ok(()),
        }
    }

    fn look_behind(
        &self,
        search: &dyn Search,
        pair: Pair,
        look: impl Fn() -> Result<Sighting>,
    ) -> Result<Option<Place>> {
        for _ in 0..MAX_PAGES {
            let Place { root, va } = match look()? {
                Sighting::At(place) => return Ok(Some(place)),
                Sighting::Not(lack) => {
                    self.note_lack(search, pair, lack);
                    return Ok(None);
                }
                Sighting::Behind(place) => place,
            };
            self.note_lack(search, pair, Lack::Page);
            let mut state = self.state();
            let page = WatchedPage::new(state.attach()?, root, va);
            let State {
                searches, ground, ..
            } = &mut *state;
            if !searches.wait(ground, pair, page)? {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// May the hook follow this process, too? Those that are gone without having
    /// been seen to end make room.
    fn has_room(&self, search: &dyn Search, pair: Pair) -> bool {
        if !self.state().searches.is_full_for(&pair) {
            return true;
        }
        self.forget_gone();
        let mut state = self.state();
        if !state.searches.is_full_for(&pair) {
            return true;
        }
        let first = state.searches.refuse(pair.0);
        drop(state);
        if first {
            self.machine.log().warning(format_args!(
                "{:?}: {} is not looked for in more than {MAX_PROCESSES} processes",
                pair.0,
                search.name()
            ));
        }
        false
    }

    /// Forgets processes that are in the kernel's list no more.
    fn forget_gone(&self) {
        let Ok(living) = self.guest.processes() else {
            return;
        };
        let living: BTreeSet<_> = living.into_iter().collect();
        let known = self.state().searches.processes();
        for process in known.difference(&living) {
            self.forget_process(*process);
        }
    }

    /// Notes why a symbol is not in a realm; tells what waiting will not mend.
    fn note_lack(&self, search: &dyn Search, (hook, realm): Pair, lack: Lack) {
        let nearer = self.state().searches.lacks(hook, lack);
        let what = match lack {
            Lack::Symbol => "its module has no such symbol",
            Lack::Symbols => "its module has no such export, and its symbols were not found",
            Lack::Module | Lack::Page => return,
        };
        if nearer {
            self.machine.log().warning(format_args!(
                "{hook:?}: {} is pending: {what} ({realm:x?})",
                search.name()
            ));
        }
    }

    /// A process ends: nothing is hooked in it any more, and its page tables become
    /// other memory.
    pub(in crate::monitor) fn forget_process(&self, process: Va) {
        let mut state = self.state();
        let State {
            searches,
            ground,
            breakpoints,
            ..
        } = &mut *state;
        let mut failed = Ok(());
        let mut trackers = Vec::new();
        for root in searches.forget_process(ground, process) {
            failed = failed.and(breakpoints.remove_user(ground, root).map(drop));
            trackers.push(root);
        }
        let hooks: Vec<_> = state.registry.iter().map(Arc::clone).collect();
        drop(state);
        for root in trackers {
            hooks.iter().for_each(|hook| hook.forget_root(root));
        }
        if let Err(error) = failed {
            let log = self.machine.log();
            log.warning(format_args!("hooks in a process that ended: {error}"));
        }
    }

    fn report_found(&self, find: &Find) {
        self.machine.log().debug(format_args!(
            "{:?} is hooked at {:#x}: its module was loaded",
            find.pair.0, find.place.va.0
        ));
    }

    fn report_unfound(&self, error: &Error) {
        let log = self.machine.log();
        log.warning(format_args!("a symbol was not hooked: {error}"));
    }
}

impl State {
    /// Hooks what was found: all of it or, with the index of the one that failed, nothing.
    fn hook_finds(&mut self, finds: &[Find]) -> Result<(), (usize, Error)> {
        let view = self.attach().map_err(|error| (0, error))?;
        // Its hook may have been removed meanwhile.
        let alive = |find: &&Find| self.registry.get(find.pair.0).is_some();
        let finds: Vec<_> = finds.iter().filter(alive).collect();
        let entry = |find: &&Find| breakpoint(view, find.pair.0, &find.place, Role::Entry);
        let code: Vec<_> = finds.iter().map(entry).collect();
        self.breakpoints.insert_many(&mut self.ground, &code)?;
        for find in finds {
            self.searches.found(&mut self.ground, find.pair, find.place);
        }
        Ok(())
    }

    /// Is the place of a symbol in memory, and hooked?
    fn is_active(&self, hook: HookId, place: &Place) -> bool {
        let here = breakpoint(self.view(), hook, place, Role::Entry);
        self.breakpoints.is_active(&here)
    }

    /// Takes a hook out of the place where its symbol was found in a realm.
    fn leave(&mut self, pair: Pair) -> Result<()> {
        let view = self.attach()?;
        if let Some(place) = self.searches.place(&pair) {
            let here = breakpoint(view, pair.0, &place, Role::Entry);
            self.breakpoints.leave(&mut self.ground, &here);
        }
        self.searches.lose(&mut self.ground, pair);
        Ok(())
    }
}
