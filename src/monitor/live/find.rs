//! Finding the symbols of hooks in processes, whenever they may have come.

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
        search::{Lack, MAX_PROCESSES, Search, Sighting},
        slots::HookId,
    },
};

/// Pages that come in while one symbol is looked for; more are waited for.
const MAX_PAGES: usize = 64;

/// A symbol that was found for a hook.
struct Find {
    hook: HookId,
    process: Va,
    place: Place,
}

impl LiveGuest {
    /// Looks for the symbols of new hooks in every process, and patches them in one pause.
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
            for process in &processes {
                let find = self.look(hook, *process).map_err(|error| (index, error))?;
                finds.extend(find);
                owners.resize(finds.len(), index);
            }
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
        for (id, process) in arrived {
            let hook = self.state().registration(id);
            self.look_for(hook.as_slice(), process);
        }
    }

    fn look_in(&self, process: Va) {
        let state = self.state();
        let hooks: Vec<_> = state.registry.iter().map(Arc::clone).collect();
        drop(state);
        self.look_for(&hooks, process);
    }

    fn look_for(&self, hooks: &[Arc<Registration>], process: Va) {
        let mut finds = Vec::new();
        for hook in hooks {
            match self.look(hook, process) {
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

    /// Looks for the symbol of one hook in one process.
    fn look(&self, hook: &Registration, process: Va) -> Result<Option<Find>> {
        let Some(search) = hook.search() else {
            return Ok(None);
        };
        let pair = (hook.id, process);
        if hook.is_removed() || self.state().searches.is_found(&pair) {
            return Ok(None);
        }
        let concerned = |filter: &ScopeFilter| filter.takes_in(&*self.guest, process);
        if !concerned(hook.filter()) || !self.has_room(search, pair) {
            return Ok(None);
        }
        let place = self.look_behind(search, pair)?;
        Ok(place.map(|place| Find {
            hook: hook.id,
            process,
            place,
        }))
    }

    fn look_behind(&self, search: &dyn Search, pair: (HookId, Va)) -> Result<Option<Place>> {
        for _ in 0..MAX_PAGES {
            let Place { root, va } = match search.look_in(pair.1)? {
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
    fn has_room(&self, search: &dyn Search, pair: (HookId, Va)) -> bool {
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

    /// Notes why a symbol is not in a process; tells what waiting will not mend.
    fn note_lack(&self, search: &dyn Search, (hook, process): (HookId, Va), lack: Lack) {
        let nearer = self.state().searches.lacks(hook, lack);
        let what = match lack {
            Lack::Symbol => "its module has no such symbol",
            Lack::Symbols => "its module has no such export, and its symbols were not found",
            Lack::Module | Lack::Page => return,
        };
        if nearer {
            self.machine.log().warning(format_args!(
                "{hook:?}: {} is pending: {what} (process {:#x})",
                search.name(),
                process.0
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
            find.hook, find.place.va.0
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
        let alive = |find: &&Find| self.registry.get(find.hook).is_some();
        let finds: Vec<_> = finds.iter().filter(alive).collect();
        let entry = |find: &&Find| breakpoint(view, find.hook, &find.place, Role::Entry);
        let code: Vec<_> = finds.iter().map(entry).collect();
        self.breakpoints.insert_many(&mut self.ground, &code)?;
        for find in finds {
            let pair = (find.hook, find.process);
            self.searches.found(&mut self.ground, pair, find.place);
        }
        Ok(())
    }
}
