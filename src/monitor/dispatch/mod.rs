//! From an event to its one answer.
//!
//! Every event is answered, whatever happens on the way: what no hook concerns
//! is let through as if nobody watched.

mod calls;
mod deliver;
mod hit;
mod memory;
mod step;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, atomic::Ordering},
};

use self::deliver::{Delivery, Verdict};
pub use self::step::PendingStep;
use super::{
    live::{LiveGuest, NOWHERE},
    occurrence::Stopped,
    patches::{INT3, Location, is_breakpoint},
};
use crate::{
    arch::amd64::dtb_to_root,
    core::{
        Registers, Source, Translate, Va,
        driver::{Event, EventReason, EventResponse, Monitor, ResponseAction, ViewId},
    },
    error::Error,
};

/// XCR0 in events about control registers.
const XCR0: u8 = 8;

/// What a breakpoint is for; its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The hooked instruction, or the entry of a hooked function.
    Entry,
    /// Where a call returns to.
    Return,
    /// Where threads end.
    ThreadExit,
    /// Where processes begin.
    ProcessCreated,
    /// Where an image was mapped.
    ImageMapped,
    /// Where processes end.
    ProcessEnded,
    /// Where modules of the kernel come and go.
    ModuleListed,
}

impl Role {
    /// The role as a breakpoint's tag.
    pub const fn tag(self) -> u64 {
        match self {
            Self::Entry => 0,
            Self::Return => 1,
            Self::ThreadExit => 2,
            Self::ProcessCreated => 3,
            Self::ImageMapped => 4,
            Self::ProcessEnded => 5,
            Self::ModuleListed => 6,
        }
    }

    const fn of(tag: u64) -> Self {
        match tag {
            1 => Self::Return,
            2 => Self::ThreadExit,
            3 => Self::ProcessCreated,
            4 => Self::ImageMapped,
            5 => Self::ProcessEnded,
            6 => Self::ModuleListed,
            _ => Self::Entry,
        }
    }
}

/// Calls back; a panic becomes its text.
pub fn guarded<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| text_of(&*panic))
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a callback panicked".to_owned())
}

/// An answer that only says how the processor goes on.
fn plain(action: ResponseAction) -> EventResponse {
    EventResponse {
        action,
        view: None,
        registers: None,
    }
}

impl LiveGuest {
    /// Answers one event. Never unwinds.
    pub(super) fn answer(&self, event: &Event) -> EventResponse {
        self.guest.stopped();
        self.state().hurried.end(event.vcpu);
        if self.is_closing() {
            return self.unheard(event);
        }
        let answer = guarded(|| self.dispatch(event));
        let answer = answer.unwrap_or_else(|panic| {
            self.fail(Error::Internal {
                reason: panic.into(),
            });
            self.unheard(event)
        });
        if let ResponseAction::FastSingleStep(_) | ResponseAction::SingleStep = answer.action {
            self.state()
                .hurried
                .begin(event.vcpu, Va(event.registers.rip));
        }
        answer
    }

    fn dispatch(&self, event: &Event) -> EventResponse {
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let stopped = Stopped::new(event, &*self.guest, sequence.wrapping_add(1));
        let answer = match &event.reason {
            EventReason::Interrupt(interrupt) if is_breakpoint(interrupt) => {
                self.on_breakpoint(&stopped)
            }
            EventReason::Interrupt(interrupt) => {
                let verdict = self.report(&stopped, Monitor::Interrupt(interrupt.vector));
                answer_with(verdict, ResponseAction::Reinject)
            }
            EventReason::MemoryAccess { pa, access, .. } => self.on_memory(&stopped, *pa, *access),
            EventReason::SingleStep => return self.on_single_step(&stopped),
            reason => match monitor_of(reason) {
                Some(monitor) => {
                    let verdict = self.report(&stopped, monitor);
                    answer_with(verdict, ResponseAction::Continue)
                }
                None => plain(ResponseAction::Continue),
            },
        };
        self.keep_stepping(event, answer)
    }

    /// Calls the subscribers of something that a processor did.
    fn report(&self, stopped: &Stopped<'_>, monitor: Monitor) -> Verdict {
        let state = self.state();
        let subscribers = state.processor.get(&monitor).into_iter().flatten();
        let registrations = subscribers.filter_map(|id| state.registration(*id));
        let deliveries: Vec<_> = registrations
            .map(|registration| Delivery {
                registration,
                va: NOWHERE,
                role: Role::Entry,
            })
            .collect();
        drop(state);
        self.deliver(stopped, &deliveries)
    }

    /// The answer to an event that nobody is told about.
    fn unheard(&self, event: &Event) -> EventResponse {
        match &event.reason {
            EventReason::Interrupt(interrupt) if is_breakpoint(interrupt) => {
                match self.holds_int3(event) {
                    true => plain(ResponseAction::Reinject),
                    false => self.let_through(event),
                }
            }
            EventReason::Interrupt(_) => plain(ResponseAction::Reinject),
            EventReason::MemoryAccess { pa, access, .. } => self.let_access(event, *pa, *access),
            EventReason::SingleStep => self.finish_step(event),
            _ => plain(ResponseAction::Continue),
        }
    }

    /// Has the processor execute the guest's own instruction, unseen.
    fn let_through(&self, event: &Event) -> EventResponse {
        match self.machine.views() {
            Ok(views) => plain(ResponseAction::FastSingleStep(views.default_view())),
            Err(_) => match self.instruction(event) {
                Some(at) => self.step_over(event, at),
                None => plain(ResponseAction::Continue),
            },
        }
    }

    /// Where the processor's next instruction is, as it would fetch it.
    fn instruction(&self, event: &Event) -> Option<Location> {
        let Registers { cr3, rip, .. } = event.registers;
        let physical = self.machine.physical().ok()?;
        let found = self.mode.walk(physical, dtb_to_root(cr3), Va(rip)).ok()?;
        (found.source == Source::Hardware).then(|| Location::new(self.view_of(event), found.pa))
    }

    /// The view that the processor ran in.
    fn view_of(&self, event: &Event) -> ViewId {
        event.view.unwrap_or_else(|| self.state().view())
    }

    /// Is the processor's next instruction an `INT3` of the guest's own, under
    /// what the library may have patched?
    ///
    /// Where its page went since, it is not: the processor looks for the instruction
    /// again, and takes the fault. Memory that cannot be read was executed all the same:
    /// it is taken for the guest's.
    fn holds_int3(&self, event: &Event) -> bool {
        let Some(at) = self.instruction(event) else {
            return false;
        };
        let byte = match self.state().breakpoints.original(at) {
            Some(original) => Ok(original),
            None => self.machine.read_byte(at.pa()),
        };
        byte.map_or(true, |byte| byte == INT3)
    }

    /// Records why the event loop is to end with an error.
    fn fail(&self, error: Error) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
    }
}

/// The answer that the subscribers' verdict makes of `action`.
fn answer_with(verdict: Verdict, action: ResponseAction) -> EventResponse {
    let denied = verdict.outcome.deny && action == ResponseAction::Continue;
    EventResponse {
        action: match action {
            _ if denied => ResponseAction::Deny,
            // The page fault comes first; the instruction is reached again.
            ResponseAction::Reinject if verdict.interrupted => ResponseAction::Continue,
            action => action,
        },
        view: None,
        registers: verdict.outcome.into_registers(),
    }
}

/// What has to be watched for this reason to be reported.
const fn monitor_of(reason: &EventReason) -> Option<Monitor> {
    Some(match reason {
        EventReason::ControlRegister { register: XCR0, .. } => Monitor::Xcr0,
        EventReason::ControlRegister { register, .. } => Monitor::ControlRegister(*register),
        EventReason::Msr { index, .. } => Monitor::Msr(*index),
        EventReason::CpuId { .. } => Monitor::CpuId,
        EventReason::Io { .. } => Monitor::Io,
        EventReason::Hypercall => Monitor::Hypercall,
        _ => return None,
    })
}

/// Reference to a hook, kept while its callback runs.
type Hook = Arc<super::registration::Registration>;
