//! Inserting and removing hooks, from any thread and inside callbacks.

use std::sync::Arc;

use super::{Landmarks, LiveGuest, OWN_KEY, Phase, Place, State, Target};
use crate::{
    core::{
        Pa, Va,
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
        let mut hooks = hooks.into_iter();
        let result = state.insert_all(self, &mut hooks, &mut registrations);
        let attached = idle && state.phase != Phase::Idle;
        drop(state);
        if attached {
            self.report_attached();
        }
        // Each hook has one registration, in the same order.
        let result = result.and_then(|()| self.look_everywhere(&registrations));
        if result.is_err() {
            self.take_back(&registrations);
        }
        result.map(|()| registrations.iter().map(|it| it.id).collect())
    }

    /// Takes hooks out again that could not be inserted all together.
    fn take_back(&self, registrations: &[Arc<Registration>]) {
        let mut state = self.state();
        for registration in registrations {
            registration.mark_removed();
            let _ = state.uninstall(registration.id);
            state.registry.remove(registration.id);
        }
        // Callbacks are called and released with no lock held.
        drop(state);
        for registration in registrations {
            end_calls(registration);
        }
    }

    pub(super) fn report_attached(&self) {
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

pub(super) fn breakpoint(view: ViewId, id: HookId, place: &Place, role: Role) -> Breakpoint {
    Breakpoint {
        view,
        root: place.root,
        va: place.va,
        key: key_of(id),
        tag: role.tag(),
        reach: Reach::Global,
    }
}

/// A place that the engine itself must know of, and what for.
type Landmark = (Option<Va>, Role);

fn landmarks_for(landmarks: &Landmarks, new: &NewHook) -> [Landmark; 6] {
    let calls = matches!(new.handler, Handler::Calls(_));
    let searches = matches!(new.target, Target::Symbol(_));
    let births = match new.options.scope {
        Scope::ProcessTree(_) => true,
        Scope::Process(_) | Scope::Thread(_) => false,
        Scope::All | Scope::ImageName(_) => searches,
    };
    let [mapped, noticed] = landmarks.image_mapped;
    [
        (landmarks.thread_exit.filter(|_| calls), Role::ThreadExit),
        (
            landmarks.process_created.filter(|_| births),
            Role::ProcessCreated,
        ),
        (mapped.filter(|_| searches), Role::ImageMapped),
        (noticed.filter(|_| searches), Role::ImageMapped),
        (
            landmarks.module_listed.filter(|_| searches),
            Role::ModuleListed,
        ),
        (
            landmarks.process_ended.filter(|_| searches),
            Role::ProcessEnded,
        ),
    ]
}

impl State {
    fn insert_all(
        &mut self,
        live: &LiveGuest,
        hooks: &mut impl Iterator<Item = NewHook>,
        registrations: &mut Vec<Arc<Registration>>,
    ) -> Result<(), (usize, Error)> {
        let view = self.attach().map_err(|error| (0, error))?;
        let mut code = Vec::new();
        let mut owners = Vec::new();
        for (index, hook) in hooks.enumerate() {
            let landmarks = landmarks_for(&live.landmarks, &hook);
            let search = match &hook.target {
                Target::Symbol(search) => Some(Arc::clone(search)),
                _ => None,
            };
            let make = |id| {
                let new = Registration::new(id, hook.options, hook.handler);
                Arc::new(new.with_search(search))
            };
            let id = self.registry.insert(make);
            registrations.extend(self.registry.get(id).map(Arc::clone));
            // From here on the callback is released by whoever holds the registrations.
            self.insert_landmarks(view, live.landmarks.kernel_root, landmarks)
                .map_err(|error| (index, error))?;
            let installed = match hook.target {
                Target::Code(places) => {
                    let entry = |place| breakpoint(view, id, place, Role::Entry);
                    code.extend(places.iter().map(entry));
                    owners.resize(code.len(), index);
                    Ok(())
                }
                // Looked for when the landmarks are in place.
                Target::Symbol(_) => Ok(()),
                Target::Memory(range) => {
                    let key = key_of(id);
                    self.memory.insert(&mut self.ground, view, key, &range)
                }
                Target::Processor(monitor) => self.subscribe(id, monitor),
                Target::Denied(view) => self.own.listen(view, id),
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
    fn insert_landmarks(&mut self, view: ViewId, root: Pa, wanted: [Landmark; 6]) -> Result<()> {
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
        self.searches.forget_hook(&mut self.ground, id);
        self.own.forget_hook(id);
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
