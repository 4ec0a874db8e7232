//! Inserting and removing hooks, from any thread and inside callbacks.

use std::sync::Arc;

use super::{Landmarks, LiveGuest, OWN_KEY, Phase, Place, State, Target};
use crate::{
    core::{
        Va,
        driver::{Monitor, ViewId},
    },
    error::{Error, Result},
    monitor::{
        breakpoint::{Breakpoint, Reach},
        calls::Site,
        dispatch::{Role, guarded},
        registration::{Handler, HookOptions, Registration, key_of},
        scope::Scope,
        slots::HookId,
    },
};

/// A hook that is to be inserted.
pub struct NewHook {
    /// What it waits for.
    pub target: Target,
    /// Whom it concerns.
    pub options: HookOptions,
    /// What it does; dropped when the hook cannot be inserted.
    pub handler: Handler,
}

impl LiveGuest {
    /// Inserts a hook.
    ///
    /// An error leaves the guest as it was.
    pub fn insert(&self, hook: NewHook) -> Result<HookId> {
        let ids = self.insert_many(vec![hook]).map_err(|(_, error)| error)?;
        ids.first()
            .copied()
            .ok_or_else(|| Error::not_found("the hook"))
    }

    /// Inserts hooks in one pause of the guest: all of them, or none.
    ///
    /// Fails with the index of the hook that could not be inserted.
    pub fn insert_many(&self, hooks: Vec<NewHook>) -> Result<Vec<HookId>, (usize, Error)> {
        let mut registrations = Vec::with_capacity(hooks.len());
        let mut state = self.state();
        let idle = state.phase == Phase::Idle;
        let result = state.insert_all(self, hooks, &mut registrations);
        let attached = idle && state.phase != Phase::Idle;
        if result.is_err() {
            for registration in &registrations {
                let _ = state.uninstall(registration.id);
                state.registry.remove(registration.id);
            }
        }
        // Callbacks are released with no lock held.
        drop(state);
        if attached {
            self.report_attached();
        }
        result.map(|()| registrations.iter().map(|it| it.id).collect())
    }

    fn report_attached(&self) {
        let how = match self.is_visible() {
            true => "breakpoints are in the guest's own code",
            false => "breakpoints are in a view of their own",
        };
        self.machine.log().info(format_args!("attached: {how}"));
    }

    /// Removes a hook. Returns false when there is none of this id any more.
    ///
    /// No callback of it starts from now on; one that is running is not waited
    /// for. Open calls end here. After an error call it again: the guest may
    /// still hold what the hook changed.
    pub fn remove(&self, id: HookId) -> Result<bool> {
        let mut state = self.state();
        let Some(registration) = state.registry.get(id).map(Arc::clone) else {
            return Ok(false);
        };
        registration.mark_removed();
        let uninstalled = state.uninstall(id);
        if uninstalled.is_ok() {
            state.registry.remove(id);
        }
        drop(state);
        end_calls(&registration);
        uninstalled.map(|()| true)
    }

    /// Adds an address to a code hook: a process that appeared, a module that was loaded.
    pub fn extend(&self, id: HookId, place: Place) -> Result<()> {
        let mut state = self.state();
        if state.registry.get(id).is_none() {
            return Err(Error::not_found("the hook"));
        }
        let view = state.attach()?;
        let breakpoint = breakpoint(view, id, &place, Role::Entry);
        let State {
            breakpoints,
            ground,
            ..
        } = &mut *state;
        breakpoints.insert(ground, &breakpoint).map(drop)
    }

    /// Patches the return address of a call.
    pub(in crate::monitor) fn insert_return(&self, id: HookId, site: &Site) -> Result<()> {
        let mut state = self.state();
        let view = state.attach()?;
        let (root, va) = *site;
        let breakpoint = breakpoint(view, id, &Place { root, va }, Role::Return);
        let State {
            breakpoints,
            ground,
            ..
        } = &mut *state;
        breakpoints.insert(ground, &breakpoint).map(drop)
    }

    /// Takes the patch of a return address out again.
    pub(in crate::monitor) fn remove_return(&self, id: HookId, site: &Site) -> Result<()> {
        let mut state = self.state();
        let view = state.attach()?;
        let (root, va) = *site;
        let breakpoint = breakpoint(view, id, &Place { root, va }, Role::Return);
        let State {
            breakpoints,
            ground,
            ..
        } = &mut *state;
        breakpoints.remove(ground, &breakpoint).map(drop)
    }
}

/// Tells a call hook that its open calls are no longer followed.
pub(super) fn end_calls(registration: &Registration) {
    if let Handler::Calls(tracker) = &registration.handler {
        for call in tracker.detach() {
            // Each call is ended, also when the callback of another one panics.
            let _ = guarded(|| tracker.handler().ended(None, &call));
        }
    }
}

fn breakpoint(view: ViewId, id: HookId, place: &Place, role: Role) -> Breakpoint {
    Breakpoint {
        view,
        root: place.root,
        va: place.va,
        key: key_of(id),
        tag: role.tag(),
        reach: Reach::Global,
    }
}

impl State {
    fn insert_all(
        &mut self,
        live: &LiveGuest,
        hooks: Vec<NewHook>,
        registrations: &mut Vec<Arc<Registration>>,
    ) -> Result<(), (usize, Error)> {
        let view = self.attach().map_err(|error| (0, error))?;
        let mut code = Vec::new();
        let mut owners = Vec::new();
        for (index, hook) in hooks.into_iter().enumerate() {
            self.insert_landmarks(live, view, &hook)
                .map_err(|error| (index, error))?;
            let make = |id| Arc::new(Registration::new(id, hook.options, hook.handler));
            let id = self.registry.insert(make);
            registrations.extend(self.registry.get(id).map(Arc::clone));
            let installed = match hook.target {
                Target::Code(places) => {
                    let entry = |place| breakpoint(view, id, place, Role::Entry);
                    code.extend(places.iter().map(entry));
                    owners.resize(code.len(), index);
                    Ok(())
                }
                Target::Memory(range) => {
                    let key = key_of(id);
                    self.memory.insert(&mut self.ground, view, key, &range)
                }
                Target::Processor(monitor) => self.subscribe(id, monitor),
            };
            installed.map_err(|error| (index, error))?;
        }
        let inserted = self.breakpoints.insert_many(&mut self.ground, &code);
        inserted.map(drop).map_err(|(breakpoint, error)| {
            let owner = owners.get(breakpoint).copied();
            (owner.unwrap_or(0), error)
        })
    }

    /// Hooks what the engine itself must know of for a hook.
    fn insert_landmarks(&mut self, live: &LiveGuest, view: ViewId, new: &NewHook) -> Result<()> {
        let calls = matches!(new.handler, Handler::Calls(_));
        let tree = matches!(new.options.scope, Scope::ProcessTree(_));
        let Landmarks {
            kernel_root: root,
            thread_exit,
            process_created,
        } = live.landmarks;
        let wanted = [
            (thread_exit.filter(|_| calls), Role::ThreadExit),
            (process_created.filter(|_| tree), Role::ProcessCreated),
        ];
        for (landmark, role) in wanted {
            let Some(va) = landmark else { continue };
            let landmark = Breakpoint {
                key: OWN_KEY,
                ..breakpoint(view, HookId::from_bits(0), &Place { root, va }, role)
            };
            self.breakpoints.insert(&mut self.ground, &landmark)?;
        }
        Ok(())
    }

    fn subscribe(&mut self, id: HookId, monitor: Monitor) -> Result<()> {
        let subscribers = self.processor.entry(monitor).or_default();
        if subscribers.is_empty() && !super::NEEDED.contains(&monitor) {
            self.ground.machine.events()?.enable(monitor)?;
        }
        subscribers.push(id);
        Ok(())
    }

    /// Takes out everything that a hook put into the guest.
    pub(super) fn uninstall(&mut self, id: HookId) -> Result<()> {
        let key = key_of(id);
        self.breakpoints.remove_key(&mut self.ground, key)?;
        self.memory.remove_key(&mut self.ground, key)?;
        self.unsubscribe(id)
    }

    fn unsubscribe(&mut self, id: HookId) -> Result<()> {
        let subscribed = |(_, subscribers): &(&Monitor, &Vec<HookId>)| subscribers.contains(&id);
        let Some(monitor) = self.processor.iter().find(subscribed).map(|(it, _)| *it) else {
            return Ok(());
        };
        let last = self.processor.get(&monitor).is_some_and(|it| it.len() == 1);
        if last && !super::NEEDED.contains(&monitor) {
            self.ground.machine.events()?.disable(monitor)?;
        }
        if let Some(subscribers) = self.processor.get_mut(&monitor) {
            subscribers.retain(|other| *other != id);
        }
        Ok(())
    }

    /// The registration of a hook.
    pub fn registration(&self, id: HookId) -> Option<Arc<Registration>> {
        self.registry.get(id).map(Arc::clone)
    }
}

/// Address that stands for "no address".
pub(in crate::monitor) const NOWHERE: Va = Va(0);
