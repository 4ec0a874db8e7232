//! `INT3`: ours, the guest's own, or left over from a patch that is gone.

use super::{Delivery, Role, Verdict, answer_with, plain};
use crate::{
    core::{
        Va,
        driver::{Event, EventResponse, Monitor, ResponseAction},
    },
    monitor::{
        breakpoint::Hit,
        live::{LiveGuest, OWN_KEY},
        occurrence::Stopped,
        patches::{BREAKPOINT_VECTOR, Location, StepOver},
        registration::id_of,
    },
};

impl LiveGuest {
    pub(super) fn on_breakpoint(&self, stopped: &Stopped<'_>) -> EventResponse {
        let event = stopped.event;
        let Some(at) = self.instruction(event) else {
            // Its page went while the event was on its way: the processor looks
            // for the instruction again, and takes the fault.
            return plain(ResponseAction::Continue);
        };
        let state = self.state();
        if state.turns.is_other(event.vcpu) {
            // A page may be going or coming: what is here is hit again when that is done.
            return plain(ResponseAction::Continue);
        }
        let ours = state.breakpoints.contains(at);
        let hits = state.breakpoints.hits(at, stopped.root());
        drop(state);
        if !ours {
            // The guest's own, or the patch went while the event was on its way.
            return match self.holds_int3(event) {
                true => {
                    let verdict = self.report(stopped, Monitor::Interrupt(BREAKPOINT_VECTOR));
                    answer_with(verdict, ResponseAction::Reinject)
                }
                false => self.let_through(event),
            };
        }
        let verdict = self.deliver_hits(stopped, &hits);
        self.answer_hit(event, at, verdict)
    }

    /// Calls the subscribers of a patched instruction.
    pub(super) fn deliver_hits(&self, stopped: &Stopped<'_>, hits: &[Hit]) -> Verdict {
        for hit in hits.iter().filter(|hit| hit.key == OWN_KEY) {
            match Role::of(hit.tag) {
                Role::ThreadExit => self.on_thread_exit(stopped),
                Role::ProcessCreated => self.on_process_created(stopped),
                Role::ImageMapped => self.look_in_mapping(stopped.identity()),
                Role::ProcessEnded => self.forget_process(Va(stopped.event.registers.rcx)),
                Role::ModuleListed => {
                    let registers = &stopped.event.registers;
                    // A BOOLEAN on some versions: the rest of the register is anything.
                    let comes = registers.rdx as u8 != 0;
                    self.module_listed(Va(registers.rcx), comes);
                }
                Role::Entry | Role::Return => {}
            }
        }
        let state = self.state();
        let delivery = |hit: &Hit| {
            Some(Delivery {
                registration: state.registration(id_of(hit.key))?,
                va: hit.va,
                role: Role::of(hit.tag),
            })
        };
        let deliveries: Vec<_> = hits.iter().filter_map(delivery).collect();
        drop(state);
        self.deliver(stopped, &deliveries)
    }

    /// A process begins: scopes that take in its parent take it in, too.
    fn on_process_created(&self, stopped: &Stopped<'_>) {
        let registers = &stopped.event.registers;
        let (child, parent) = (Va(registers.rcx), Va(registers.rdx));
        let parent = self.guest.process(parent).ok();
        for hook in self.state().registry.iter() {
            hook.filter().process_created(parent.as_ref(), child);
        }
        self.look_in_newborn(child);
    }

    fn answer_hit(&self, event: &Event, at: Location, verdict: Verdict) -> EventResponse {
        let registers = verdict.outcome.into_registers();
        let elsewhere = registers
            .as_ref()
            .is_some_and(|registers| registers.rip != event.registers.rip);
        let answer = match verdict.interrupted || elsewhere {
            true => plain(ResponseAction::Continue),
            false => self.step_over(event, at),
        };
        EventResponse {
            registers,
            ..answer
        }
    }

    /// Has the processor execute the guest's own instruction at a patch.
    pub(super) fn step_over(&self, event: &Event, at: Location) -> EventResponse {
        let mut state = self.state();
        let state = &mut *state;
        match state.breakpoints.step_over(&state.ground, at) {
            Ok(StepOver::InView(view)) => plain(ResponseAction::FastSingleStep(view)),
            Ok(StepOver::Lifted) => {
                state.steps.entry(event.vcpu).or_default().lifted = Some(at);
                self.begin_turn(state, event.vcpu);
                plain(ResponseAction::SingleStep)
            }
            // The instruction is reached again, and with it the next try.
            Err(_) => plain(ResponseAction::Continue),
        }
    }
}
