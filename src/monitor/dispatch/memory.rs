//! Accesses against the rights of a page.

use super::{Delivery, Role, plain};
use crate::{
    core::{
        Pa, Va,
        driver::{Event, EventResponse, MemoryAccess, ResponseAction},
    },
    monitor::{live::LiveGuest, occurrence::Stopped, patches::ViewPage, registration::id_of},
};

impl LiveGuest {
    pub(super) fn on_memory(
        &self,
        stopped: &Stopped<'_>,
        pa: Pa,
        access: MemoryAccess,
    ) -> EventResponse {
        let event = stopped.event;
        let view = self.view_of(event);
        let state = self.state();
        let keys = state.memory.hits(view, pa, access);
        let delivery = |id| {
            Some(Delivery {
                registration: state.registration(id)?,
                va: address_of(event),
                role: Role::Entry,
            })
        };
        let ids = keys.into_iter().map(id_of);
        let ids = ids.chain(state.own.listeners(view).iter().copied());
        let deliveries: Vec<_> = ids.filter_map(delivery).collect();
        drop(state);
        let verdict = self.deliver(stopped, &deliveries);
        let mut interrupted = verdict.interrupted;
        let mut registers = verdict.outcome.into_registers();
        if access.contains(MemoryAccess::EXECUTE) && !interrupted {
            // The step below would run over a patch without a stop.
            let verdict = self.hits_at(stopped);
            interrupted = verdict.interrupted;
            registers = registers.or(verdict.outcome.into_registers());
        }
        let elsewhere = registers
            .as_ref()
            .is_some_and(|registers| registers.rip != event.registers.rip);
        let answer = match interrupted || elsewhere {
            true => plain(ResponseAction::Continue),
            false => self.let_access(event, pa, access),
        };
        EventResponse {
            registers,
            ..answer
        }
    }

    fn hits_at(&self, stopped: &Stopped<'_>) -> super::Verdict {
        let Some(at) = self.instruction(stopped.event) else {
            return super::Verdict::default();
        };
        let hits = self.state().breakpoints.hits(at, stopped.root());
        self.deliver_hits(stopped, &hits)
    }

    /// Lets the processor make the access, in the view that allows everything.
    ///
    /// A write to a page table or to patched code is looked at after the step.
    pub(super) fn let_access(&self, event: &Event, pa: Pa, access: MemoryAccess) -> EventResponse {
        let Ok(views) = self.machine.views() else {
            return plain(ResponseAction::Continue);
        };
        let default_view = views.default_view();
        let view = self.view_of(event);
        if view == default_view || !access.contains(MemoryAccess::WRITE) {
            return plain(ResponseAction::FastSingleStep(default_view));
        }
        let mut state = self.state();
        let gfn = pa.gfn();
        let page = ViewPage { view, gfn };
        let table = state.ground.mark_dirty(view, pa, event.vcpu);
        let code = state.breakpoints.patched(page);
        if !table && !code {
            return plain(ResponseAction::FastSingleStep(default_view));
        }
        if table && state.hurried.holds_up(&self.machine, event.vcpu) {
            return plain(ResponseAction::Continue);
        }
        let step = state.steps.entry(event.vcpu).or_default();
        step.view = Some(view);
        step.tables |= table;
        if code {
            step.written.push(page);
        }
        if table {
            self.begin_turn(&mut state, event.vcpu);
        }
        EventResponse {
            action: ResponseAction::SingleStep,
            view: Some(default_view),
            registers: None,
        }
    }
}

/// Virtual address of the access, where the hardware told it.
fn address_of(event: &Event) -> Va {
    match event.reason {
        crate::core::driver::EventReason::MemoryAccess { va: Some(va), .. } => va,
        _ => crate::monitor::live::NOWHERE,
    }
}
