//! Leaving the guest as it was found.
//!
//! The order matters: patches go before their interrupts cease to be reported
//! (the guest would take them), stepping ends before the view goes (a pending
//! step returns to it), and steps are ended twice, because an answered event
//! may begin one.

use std::time::Duration;

use super::{LiveGuest, Phase, State, insert::end_calls};
use crate::{
    core::driver::{Event, EventReason, EventResponse, ResponseAction, ViewId},
    error::{Error, Result},
    monitor::{machine::Machine, patches::is_breakpoint},
};

/// Rounds of answering what is pending; each takes all there is.
const DRAIN_ROUNDS: usize = 64;

impl LiveGuest {
    /// Removes every hook and leaves the guest as it was found.
    ///
    /// Waits until the event loop has ended. Inside a callback it returns false
    /// at once, and the loop does the rest when the callback returns.
    ///
    /// After an error call it again: the guest may still hold what was changed.
    pub fn close(&self) -> Result<bool> {
        self.request_close();
        if self.control.is_server() {
            return Ok(false);
        }
        self.control.wait_ended();
        self.detach().map(|()| true)
    }

    /// Ends the event loop, which then leaves the guest as it was found. Does
    /// not wait; [`LiveGuest::close`] does.
    pub fn request_close(&self) {
        self.control.close();
    }

    /// Does this thread run the event loop, so that it is inside a callback?
    pub fn is_serving(&self) -> bool {
        self.control.is_server()
    }

    pub(super) fn detach(&self) -> Result<()> {
        let mut state = self.state();
        for registration in state.registry.iter() {
            registration.mark_removed();
        }
        let registrations = state.registry.drain();
        let before = match state.phase {
            Phase::Attached(_) => state.phase,
            Phase::Idle | Phase::Closed => Phase::Closed,
        };
        let restored = state.restore(self);
        let attached = restored.is_err() || state.phase != before;
        drop(state);
        if attached {
            self.report_detached(&restored);
        }
        // Callbacks are called and released with no lock held.
        for registration in &registrations {
            end_calls(registration);
        }
        restored
    }
}

impl LiveGuest {
    fn report_detached(&self, restored: &Result<()>) {
        let log = self.machine.log();
        match restored {
            Ok(()) => log.info(format_args!("detached: the guest is as it was found")),
            Err(error) => log.error(format_args!("the guest was not restored: {error}")),
        }
    }
}

impl State {
    fn restore(&mut self, live: &LiveGuest) -> Result<()> {
        let Phase::Attached(view) = self.phase else {
            self.phase = Phase::Closed;
            return Ok(());
        };
        let machine = self.ground.machine.clone();
        let paused = machine.pause();
        let unhooked = self.unhook();
        self.steps.clear();
        self.turns.clear(&machine)?;
        Self::end_events(&machine)?;
        self.end_view(&machine, view)?;
        self.own.clear(&machine)?;
        // What a destroyed view showed no longer matters; a patch in the guest does.
        if live.is_visible() {
            unhooked?;
        }
        self.breakpoints.free(&self.ground)?;
        self.phase = Phase::Closed;
        paused.map(drop)
    }

    fn unhook(&mut self) -> Result<()> {
        self.searches.clear(&mut self.ground);
        let memory = self.memory.clear(&mut self.ground);
        let code = self.breakpoints.clear(&mut self.ground);
        memory.and(code)
    }

    fn end_view(&mut self, machine: &Machine, view: ViewId) -> Result<()> {
        if let Ok(views) = machine.views() {
            match views.destroy(view) {
                // An earlier attempt destroyed it.
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
            self.breakpoints.forget_view(&mut self.ground, view);
        }
        Ok(())
    }
}

impl State {
    /// Moves every processor out of the view, answers what is pending, ends all steps.
    fn end_events(machine: &Machine) -> Result<()> {
        let (control, events) = (machine.control()?, machine.events()?);
        if let Ok(views) = machine.views() {
            views.switch(views.default_view())?;
        }
        control.reset()?;
        for _ in 0..DRAIN_ROUNDS {
            let mut answer = |event: &Event| last_answer(machine, event);
            if events.wait(Duration::ZERO, &mut answer)? == 0 {
                break;
            }
        }
        control.reset()
    }
}

/// Answers an event of a guest without patches, whose INT3 are no longer reported: it
/// executes one of its own once more by itself. Other exceptions would not come again.
fn last_answer(machine: &Machine, event: &Event) -> EventResponse {
    let action = match &event.reason {
        EventReason::Interrupt(interrupt) if !is_breakpoint(interrupt) => ResponseAction::Reinject,
        _ => ResponseAction::Continue,
    };
    EventResponse {
        action,
        view: machine.views().ok().map(|views| views.default_view()),
        registers: None,
    }
}
