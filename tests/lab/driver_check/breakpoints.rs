//! Hidden breakpoints, injected page faults, and handlers that panic.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use winvmi::core::{
    Gfn,
    driver::{
        Event, EventReason, EventResponse, Interrupt, InterruptKind, MemoryAccess, Monitor,
        ResponseAction, ViewId,
    },
};

use crate::{
    PATIENCE, ROUNDS,
    guest::{Guest, LAZY, Var, mode},
    respond, serve, settle, verdict,
};

const INT3: u8 = 0xcc;
const PAGE_FAULT: u8 = 14;

/// A view that shows the hot function with an INT3, while it lasts.
pub struct Hidden<'a> {
    guest: Guest<'a>,
    pub view: ViewId,
    pub shadow: Gfn,
}

impl<'a> Hidden<'a> {
    pub fn new(guest: Guest<'a>) -> Self {
        let control = guest.driver.control().expect("control");
        let views = guest.driver.views().expect("views");
        let events = guest.driver.events().expect("events");
        events.enable(Monitor::Interrupt(3)).expect("INT3 monitor");
        control.pause().expect("pause");
        let shadow = control.allocate_frame().expect("frame");
        let mut page = guest.code_page();
        page[guest.places.hot.page_offset() as usize] = INT3;
        guest.write(shadow.pa(), &page);
        let all = MemoryAccess::READ | MemoryAccess::WRITE | MemoryAccess::EXECUTE;
        let view = views.create(all).expect("view");
        let gfn = guest.places.hot_gfn();
        assert_eq!(
            views
                .access(view, gfn)
                .expect("rights of an untouched page"),
            all
        );
        views.remap(view, gfn, shadow).expect("remap");
        views
            .set_access(view, gfn, MemoryAccess::EXECUTE)
            .expect("rights");
        assert_eq!(
            views.access(view, gfn).expect("rights"),
            MemoryAccess::EXECUTE
        );
        views.switch(view).expect("switch");
        control.resume().expect("resume");
        Self {
            guest,
            view,
            shadow,
        }
    }

    /// In the order that detaching needs.
    fn remove(self) {
        let control = self.guest.driver.control().expect("control");
        let views = self.guest.driver.views().expect("views");
        control.pause().expect("pause");
        views
            .reset(self.view, self.guest.places.hot_gfn())
            .expect("reset");
        control.reset().expect("reset");
        settle_paused(self.guest);
        control.reset().expect("reset");
        views.switch(views.default_view()).expect("switch");
        views.destroy(self.view).expect("destroy");
        control.free_frame(self.shadow).expect("free");
        control.resume().expect("resume");
    }
}

fn settle_paused(guest: Guest<'_>) {
    let events = guest.driver.events().expect("events");
    let answer = &mut |_: &Event| respond(ResponseAction::Continue);
    while events
        .wait(std::time::Duration::ZERO, answer)
        .is_ok_and(|count| count > 0)
    {}
}

pub fn all(guest: Guest<'_>) {
    stepped(
        guest,
        "hidden-fast-step",
        ResponseAction::FastSingleStep(ViewId(0)),
    );
    stepped(guest, "hidden-reported-step", ResponseAction::SingleStep);
    emulated(guest);
    for error_code in [0, 2, 4, 0x15] {
        page_fault(guest, error_code);
    }
    panicking(guest);
}

/// Hits, reads and steps of two processors; the guest never sees the INT3.
fn stepped(guest: Guest<'_>, name: &str, action: ResponseAction) {
    let before = guest.get(Var::Calls) + guest.get(Var::Calls1);
    let original = guest.code_page();
    guest.set(Var::Bad, 0);
    let hidden = Hidden::new(guest);
    guest.set(Var::Mode, mode::INTEGRITY);
    let (hits, reads, steps, other) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |cell: &Cell<u64>| cell.set(cell.get() + 1);
    let step = EventResponse {
        view: step_view(action),
        ..respond(action)
    };
    serve(
        guest,
        || hits.get() >= 2 * ROUNDS && reads.get() >= ROUNDS,
        |event| match event.reason {
            EventReason::Interrupt(_) => {
                count(&hits);
                step.clone()
            }
            EventReason::MemoryAccess { access, .. } if access == MemoryAccess::READ => {
                count(&reads);
                step.clone()
            }
            EventReason::SingleStep => {
                count(&steps);
                EventResponse {
                    view: Some(hidden.view),
                    ..respond(ResponseAction::Continue)
                }
            }
            _ => {
                count(&other);
                respond(ResponseAction::Continue)
            }
        },
    );
    guest.set(Var::Mode, 0);
    hidden.remove();
    settle(guest);
    let calls = guest.get(Var::Calls) + guest.get(Var::Calls1) - before;
    let bad = guest.get(Var::Bad);
    let good = bad == 0 && other.get() == 0 && reads.get() >= ROUNDS && calls >= hits.get() - 2;
    let same = guest.code_page() == original;
    let facts = format!(
        "{} hits, {} reads, {} steps, {calls} calls, the guest saw the patch {bad} times",
        hits.get(),
        reads.get(),
        steps.get()
    );
    verdict(good && same && guest.runs(), name, &facts);
}

/// A reported step is made in the default view; a fast one names it itself.
fn step_view(action: ResponseAction) -> Option<ViewId> {
    (action == ResponseAction::SingleStep).then_some(ViewId(0))
}

/// Hits answered by emulation: the driver steps over the INT3 in the default view.
fn emulated(guest: Guest<'_>) {
    guest.set(Var::Bad, 0);
    let hidden = Hidden::new(guest);
    guest.set(Var::Mode, mode::INTEGRITY);
    let (hits, reads) = (Cell::new(0), Cell::new(0));
    serve(
        guest,
        || hits.get() >= ROUNDS && reads.get() >= ROUNDS,
        |event| {
            if let EventReason::Interrupt(_) = event.reason {
                hits.set(hits.get() + 1);
                return respond(ResponseAction::Emulate);
            }
            reads.set(reads.get() + 1);
            respond(ResponseAction::FastSingleStep(ViewId(0)))
        },
    );
    guest.set(Var::Mode, 0);
    hidden.remove();
    settle(guest);
    let bad = guest.get(Var::Bad);
    let good = hits.get() >= ROUNDS && reads.get() >= ROUNDS && bad == 0;
    let facts = format!(
        "{} hits, {} reads, the guest saw the patch {bad} times",
        hits.get(),
        reads.get()
    );
    verdict(good, "hidden-emulated", &facts);
}

/// A hit answered by a page fault: the guest brings the page in, then hits again.
fn page_fault(guest: Guest<'_>, error_code: u32) {
    let faults = guest.get(Var::Faults);
    let hidden = Hidden::new(guest);
    let control = guest.driver.control().expect("control");
    let (injected, again) = (Cell::new(false), Cell::new(false));
    serve(
        guest,
        || again.get(),
        |event| {
            let hit = matches!(event.reason, EventReason::Interrupt(_)) && event.vcpu == 0;
            if hit && !injected.get() {
                guest.unmap_lazy();
                let fault = Interrupt {
                    vector: PAGE_FAULT,
                    kind: InterruptKind::HardwareException,
                    error_code: Some(error_code),
                    instruction_length: 0,
                    extra: LAZY.0 + 8,
                };
                injected.set(control.inject(event.vcpu, &fault).is_ok());
                return respond(ResponseAction::Continue);
            }
            again.set(again.get() || hit);
            respond(ResponseAction::FastSingleStep(ViewId(0)))
        },
    );
    hidden.remove();
    settle(guest);
    let taken = guest.get(Var::Faults) - faults;
    let good = taken == 1
        && again.get()
        && guest.get(Var::FaultAddress) == LAZY.0 + 8
        && guest.get(Var::FaultError) == u64::from(error_code)
        && guest.get(Var::FaultRip) == guest.places.hot_va().0;
    let name = format!("page-fault-{error_code:x}");
    verdict(good, &name, &format!("{taken} #PF taken, then hit again"));
}

/// A handler that panics leaves no processor behind.
fn panicking(guest: Guest<'_>) {
    let hidden = Hidden::new(guest);
    let events = guest.driver.events().expect("events");
    std::panic::set_hook(Box::new(|_| {}));
    let caught = catch_unwind(AssertUnwindSafe(|| {
        events.wait(PATIENCE, &mut |_| panic!("as a caller's might"))
    }));
    let _ = std::panic::take_hook();
    hidden.remove();
    settle(guest);
    verdict(
        caught.is_err() && guest.runs(),
        "handler-panics",
        "the guest runs on",
    );
}
