//! Calling the subscribers of one event, in order, and summing up what they want.

use std::sync::Arc;

use super::{Hook, Role, guarded};
use crate::{
    core::Va,
    error::Error,
    monitor::{
        limit::Admission,
        live::LiveGuest,
        occurrence::{Action, Missing, Occurrence, Outcome, Stopped},
        registration::Handler,
        resident::{HitKey, Waiting, page_fault},
        slots::HookId,
    },
};

/// One subscriber of an event.
pub struct Delivery {
    pub registration: Hook,
    /// Where it was hit, or nowhere.
    pub va: Va,
    pub role: Role,
}

/// What the subscribers want, all together.
#[derive(Default)]
pub struct Verdict {
    pub outcome: Outcome,
    /// A page fault was raised: the instruction will be reached again.
    pub interrupted: bool,
}

/// What one subscriber is told beside the event itself.
#[derive(Clone, Copy, Default)]
struct Notes {
    attempt: u32,
    missed: u64,
    suspended: bool,
    not_resident: bool,
}

impl LiveGuest {
    /// Calls the subscribers; goes on where a page fault interrupted them.
    pub fn deliver(&self, stopped: &Stopped<'_>, deliveries: &[Delivery]) -> Verdict {
        let earlier = self.earlier_attempts(stopped);
        let (mut outcome, mut done, waiting) = match earlier {
            Some(it) => (it.outcome, it.done, Some((it.hook, it.attempts))),
            None => (Outcome::default(), Vec::new(), None),
        };
        for delivery in deliveries {
            let hook = delivery.registration.id;
            if done.contains(&hook) {
                continue;
            }
            let attempts = match waiting {
                Some((waiting, attempts)) if waiting == hook => attempts,
                _ => 0,
            };
            let Some(notes) = self.admit(stopped, delivery, attempts) else {
                continue;
            };
            let missing = self.call(stopped, delivery, &mut outcome, notes);
            let Some(missing) = missing else {
                done.push(hook);
                continue;
            };
            match self.bring_in(stopped, &missing, notes.attempt) {
                Ok(()) => {
                    self.wait_for_page(stopped, hook, notes.attempt, done, outcome);
                    return Verdict {
                        outcome: Outcome::default(),
                        interrupted: true,
                    };
                }
                Err(_) => {
                    let not_resident = true;
                    let notes = Notes {
                        not_resident,
                        ..notes
                    };
                    self.call(stopped, delivery, &mut outcome, notes);
                    done.push(hook);
                }
            }
        }
        Verdict {
            outcome,
            interrupted: false,
        }
    }

    fn earlier_attempts(&self, stopped: &Stopped<'_>) -> Option<Waiting> {
        if self.state().residency.is_empty() {
            return None;
        }
        let key = HitKey::of(stopped).ok()?;
        self.state().residency.take(&key)
    }

    fn wait_for_page(
        &self,
        stopped: &Stopped<'_>,
        hook: HookId,
        attempts: u32,
        done: Vec<HookId>,
        outcome: Outcome,
    ) {
        // `page_fault` has identified the thread: this finds it again.
        if let Ok(key) = HitKey::of(stopped) {
            let waiting = Waiting {
                hook,
                attempts,
                done,
                outcome,
                sequence: stopped.sequence,
            };
            self.state().residency.wait(key, waiting);
        }
    }

    /// Raises a page fault for the page that a callback needs.
    fn bring_in(
        &self,
        stopped: &Stopped<'_>,
        missing: &Missing,
        attempt: u32,
    ) -> crate::Result<()> {
        let irql = self.machine.irql(stopped.event);
        let fault = page_fault(stopped, &*self.guest, missing, attempt, irql)?;
        let control = self.machine.control()?;
        control.inject(stopped.event.vcpu, &fault)
    }

    /// Is this subscriber to be called, and what is it told?
    fn admit(&self, stopped: &Stopped<'_>, delivery: &Delivery, attempts: u32) -> Option<Notes> {
        let hook = &delivery.registration;
        if hook.is_removed() || !hook.concerns(&*self.guest, || stopped.identity()) {
            return None;
        }
        let attempt = attempts.saturating_add(1);
        let notes = Notes {
            attempt,
            ..Notes::default()
        };
        // What was told to begin is told to end, whatever the limit.
        if attempts > 0 || delivery.role == Role::Return {
            return Some(notes);
        }
        match hook.admit() {
            Admission::Report { missed } => Some(Notes { missed, ..notes }),
            Admission::Suspend => {
                let log = self.machine.log();
                log.warning(format_args!("{:?} exceeds its limit: suspended", hook.id));
                Some(Notes {
                    suspended: true,
                    ..notes
                })
            }
            Admission::Swallow => None,
        }
    }

    /// Calls one subscriber. Returns the page that it needs.
    fn call(
        &self,
        stopped: &Stopped<'_>,
        delivery: &Delivery,
        outcome: &mut Outcome,
        notes: Notes,
    ) -> Option<Missing> {
        let hook = Arc::clone(&delivery.registration);
        let mut occurrence = Occurrence::new(stopped, hook.id, delivery.va, notes.attempt, outcome);
        occurrence.missed = notes.missed;
        occurrence.suspended = notes.suspended;
        occurrence.not_resident = notes.not_resident;
        let action = guarded(|| match &hook.handler {
            Handler::Event(callback) => callback(&mut occurrence),
            Handler::Calls(tracker) => self.on_call(&hook, tracker, delivery.role, &mut occurrence),
        });
        match action {
            Ok(Action::Step) => {
                let mut state = self.state();
                state.steps.entry(stopped.event.vcpu).or_default().told = true;
                None
            }
            Ok(action) => self.obey(hook.id, action),
            Err(panic) => {
                self.fail(Error::Internal {
                    reason: panic.into(),
                });
                self.obey(hook.id, Action::Remove)
            }
        }
    }

    /// Does what a callback wants. Returns the page that it needs.
    pub(super) fn obey(&self, hook: HookId, action: Action) -> Option<Missing> {
        match action {
            Action::Continue | Action::Step => {}
            Action::Stop => self.stop(),
            Action::Remove => {
                if let Err(error) = self.remove(hook) {
                    self.fail(error);
                }
            }
            Action::MakeResident(missing) => return Some(missing),
        }
        None
    }
}
