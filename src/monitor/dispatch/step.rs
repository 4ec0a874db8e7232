//! After the step: what the instruction changed.

use super::{answer_with, plain};
use crate::{
    core::driver::{Event, EventReason, EventResponse, Monitor, ResponseAction, ViewId},
    monitor::{
        live::{LiveGuest, State},
        occurrence::Stopped,
        patches::{Location, ViewPage},
    },
};

/// What is to be done when a processor has made its step.
#[derive(Debug, Default)]
pub struct PendingStep {
    /// View to go back to.
    pub view: Option<ViewId>,
    /// Patched pages that it wrote to.
    pub written: Vec<ViewPage>,
    /// It wrote to page tables.
    pub tables: bool,
    /// Patch that was lifted for it.
    pub lifted: Option<Location>,
    /// A callback asked for it, to be reported.
    pub told: bool,
}

impl LiveGuest {
    pub(super) fn on_single_step(&self, stopped: &Stopped<'_>) -> EventResponse {
        let vcpu = stopped.event.vcpu;
        let told = self.state().steps.get(&vcpu).map(|step| step.told);
        let finished = self.finish_step(stopped.event);
        if told == Some(false) {
            return finished;
        }
        let verdict = self.report(stopped, Monitor::SingleStep);
        let answer = EventResponse {
            view: finished.view,
            ..answer_with(verdict, finished.action)
        };
        self.keep_stepping(stopped.event, answer)
    }

    /// Has a processor go on in steps, when a callback asked for it, whatever else
    /// has become of the event.
    pub(super) fn keep_stepping(&self, event: &Event, answer: EventResponse) -> EventResponse {
        let mut state = self.state();
        let step = state.steps.get_mut(&event.vcpu);
        let Some(step) = step.filter(|step| step.told) else {
            return answer;
        };
        let action = match answer.action {
            ResponseAction::Continue | ResponseAction::SingleStep => answer.action,
            ResponseAction::FastSingleStep(view) => {
                step.view = answer.view.or(event.view);
                return EventResponse {
                    action: ResponseAction::SingleStep,
                    view: Some(view),
                    ..answer
                };
            }
            // The guest's own handler comes first, or nothing is executed at all.
            ResponseAction::Reinject | ResponseAction::Deny | ResponseAction::Emulate => {
                step.told = false;
                return answer;
            }
        };
        // A breakpoint that is reached again, after a page fault or elsewhere, asks anew.
        step.told = action == ResponseAction::SingleStep
            || !matches!(event.reason, EventReason::Interrupt(_));
        EventResponse {
            action: match step.told {
                true => ResponseAction::SingleStep,
                false => action,
            },
            ..answer
        }
    }

    /// Looks at what the step changed, and has the processor go on in its view.
    pub(super) fn finish_step(&self, event: &Event) -> EventResponse {
        let mut state = self.state();
        let Some(step) = state.steps.remove(&event.vcpu) else {
            return plain(ResponseAction::Continue);
        };
        let view = step.view;
        let failed = state.after_step(event.vcpu, step);
        let failed = failed.and(state.turns.end(&self.machine, event.vcpu));
        let arrived = state.breakpoints.take_arrived();
        drop(state);
        self.look_again();
        for va in arrived {
            let log = self.machine.log();
            log.debug(format_args!(
                "the hook at {:#x} is active: its page came in",
                va.0
            ));
        }
        if let Err(error) = failed {
            self.fail(error);
        }
        EventResponse {
            view,
            ..plain(ResponseAction::Continue)
        }
    }

    /// Has the step of a processor run alone.
    pub(super) fn begin_turn(&self, state: &mut State, vcpu: u16) {
        // A step that others run beside is better than none: it may cost a hit, not the session.
        let _ = state.turns.begin(&self.machine, vcpu);
    }
}

impl State {
    fn after_step(&mut self, vcpu: u16, step: PendingStep) -> crate::Result<()> {
        let Self {
            ground,
            breakpoints,
            memory,
            searches,
            ..
        } = self;
        let mut result = Ok(());
        if let Some(at) = step.lifted {
            result = breakpoints.stepped(ground, at);
        }
        for page in step.written {
            result = result.and(breakpoints.refresh(ground, page));
        }
        if step.tables {
            let mut changes = Vec::new();
            // A second try looks at what the first could not.
            let processed = ground
                .process_dirty(vcpu, &mut changes)
                .or_else(|_| ground.process_dirty(vcpu, &mut changes));
            for change in &changes {
                breakpoints.follow(ground, change);
                memory.follow(ground, change);
                searches.follow(ground, change);
            }
            result = result.and(processed);
        }
        breakpoints.settle(ground);
        result
    }
}
