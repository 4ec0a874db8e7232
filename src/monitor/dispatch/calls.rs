//! Entries and returns of hooked functions.

use super::{Hook, Role, guarded};
use crate::{
    core::{Pa, Space, Va},
    error::{Error, Result},
    monitor::{
        calls::{CallTracker, EndedCall, Frame, Site},
        guest::Identity,
        live::{LiveGuest, NOWHERE},
        occurrence::{Action, Occurrence, Outcome, Stopped},
        registration::Handler,
    },
};

impl LiveGuest {
    pub(super) fn on_call(
        &self,
        hook: &Hook,
        tracker: &CallTracker,
        role: Role,
        event: &mut Occurrence<'_>,
    ) -> Action {
        let Ok(identity) = event.stopped.identity() else {
            return Action::Continue;
        };
        match role {
            Role::Return => self.on_return(hook, tracker, &identity, event),
            _ => self.on_entry(hook, tracker, &identity, event),
        }
    }

    fn on_entry(
        &self,
        hook: &Hook,
        tracker: &CallTracker,
        identity: &Identity,
        event: &mut Occurrence<'_>,
    ) -> Action {
        let frame = Frame::of(&event.stopped.event.registers);
        for call in tracker.overtaken(&identity.thread, &frame) {
            let action = tracker.handler().ended(Some(event), &call);
            self.obey(hook.id, action);
        }
        let site = match self.return_site(event.stopped, &frame) {
            Ok(site) => site,
            Err(error) => {
                self.fail(error);
                return Action::Continue;
            }
        };
        if !tracker.has_site(&site)
            && let Err(error) = self.insert_return(hook.id, &site)
        {
            self.fail(error);
            return Action::Continue;
        }
        let mut value = 0;
        let action = tracker.handler().entered(event, &mut value);
        if matches!(action, Action::MakeResident(_)) {
            // It is entered once, when the page is there.
            return action;
        }
        tracker.open(identity.thread, frame, site, value);
        if hook.is_removed() {
            // It was removed while its callback ran: nobody else ends this call.
            for call in tracker.detach() {
                tracker.handler().ended(None, &call);
            }
        }
        action
    }

    fn on_return(
        &self,
        hook: &Hook,
        tracker: &CallTracker,
        identity: &Identity,
        event: &mut Occurrence<'_>,
    ) -> Action {
        let frame = Frame::of(&event.stopped.event.registers);
        let mut last = Action::Continue;
        for call in tracker.returned(&identity.thread, &frame) {
            self.obey(hook.id, last);
            last = tracker.handler().ended(Some(event), &call);
        }
        for site in tracker.idle_sites() {
            if let Err(error) = self.remove_return(hook.id, &site) {
                self.fail(error);
            }
        }
        match last {
            // A call ends once: there is nothing to call again for.
            Action::MakeResident(_) => Action::Continue,
            other => other,
        }
    }

    /// A thread passes its end: its open calls will not return.
    pub(super) fn on_thread_exit(&self, stopped: &Stopped<'_>) {
        let Ok(identity) = stopped.identity() else {
            return;
        };
        let state = self.state();
        let hooks: Vec<Hook> = state.registry.iter().map(Hook::clone).collect();
        drop(state);
        for hook in hooks {
            let Handler::Calls(tracker) = &hook.handler else {
                continue;
            };
            for call in tracker.thread_exits(&identity.thread) {
                self.end_one(stopped, &hook, tracker, &call);
            }
        }
    }

    fn end_one(&self, stopped: &Stopped<'_>, hook: &Hook, tracker: &CallTracker, call: &EndedCall) {
        let mut outcome = Outcome::default();
        let mut event = Occurrence::new(stopped, hook.id, NOWHERE, 1, &mut outcome);
        match guarded(|| tracker.handler().ended(Some(&mut event), call)) {
            Ok(action) => drop(self.obey(hook.id, action)),
            Err(panic) => self.fail(Error::Internal {
                reason: panic.into(),
            }),
        }
    }

    /// Where the function that was just entered returns to.
    fn return_site(&self, stopped: &Stopped<'_>, frame: &Frame) -> Result<Site> {
        let mut bytes = [0; 8];
        let width = usize::from(frame.width);
        let buffer = bytes.get_mut(..width).unwrap_or_default();
        let root = stopped.root();
        self.machine
            .memory()
            .read(Space::Virtual { root }, frame.stack, buffer)?;
        let va = Va(u64::from_le_bytes(bytes));
        let root: Pa = match va.0 >> 63 {
            0 => root,
            _ => self.landmarks.kernel_root,
        };
        Ok((root, va))
    }
}
