//! Each monitor: as many events as the guest counts, with the right facts.

use std::cell::Cell;

use winvmi::core::driver::{
    Event, EventReason, EventResponse, InterruptKind, Monitor, ResponseAction,
};

use crate::{
    ROUNDS,
    guest::{Guest, Var, mode},
    respond, serve, settle, verdict,
};

/// SYSENTER_EIP, which the guest writes its round number to.
const SYSENTER_EIP: u32 = 0x176;

pub fn all(guest: Guest<'_>) {
    let counted = |name, monitor, mode, truth, answer, right: fn(&Event) -> bool| {
        check(
            guest,
            &Case {
                name,
                monitor,
                mode,
                truth,
                answer,
                right,
            },
        );
    };
    use ResponseAction::{Continue, Reinject};
    counted(
        "int3-reinjected",
        Monitor::Interrupt(3),
        mode::INT3,
        Var::Breakpoints,
        Reinject,
        |event| {
            matches!(event.reason, EventReason::Interrupt(interrupt)
            if interrupt.kind == InterruptKind::SoftwareException && interrupt.vector == 3)
        },
    );
    counted(
        "icebp-reinjected",
        Monitor::Interrupt(1),
        mode::ICEBP,
        Var::Debugs,
        Reinject,
        |event| matches!(event.reason, EventReason::Interrupt(interrupt) if interrupt.vector == 1),
    );
    counted(
        "msr",
        Monitor::Msr(SYSENTER_EIP),
        mode::MSR,
        Var::MsrWrites,
        Continue,
        |event| {
            matches!(event.reason, EventReason::Msr { index: SYSENTER_EIP, new, .. }
            if new == event.registers.rbx)
        },
    );
    counted(
        "cpuid",
        Monitor::CpuId,
        mode::CPUID,
        Var::CpuIds,
        Continue,
        |event| {
            matches!(
                event.reason,
                EventReason::CpuId {
                    leaf: 0,
                    length: 2,
                    ..
                }
            )
        },
    );
    counted(
        "hypercall",
        Monitor::Hypercall,
        mode::VMCALL,
        Var::VmCalls,
        Continue,
        |event| event.reason == EventReason::Hypercall,
    );
    counted(
        "port-io",
        Monitor::Io,
        mode::OUT,
        Var::Outs,
        Continue,
        |event| {
            matches!(
                event.reason,
                EventReason::Io {
                    port: 0x84,
                    size: 1,
                    input: false,
                    ..
                }
            )
        },
    );
    counted(
        "cr3",
        Monitor::ControlRegister(3),
        mode::CR3,
        Var::Cr3Writes,
        Continue,
        |event| matches!(event.reason, EventReason::ControlRegister { register: 3, old, new } if old != new),
    );
    denied(guest);
}

struct Case {
    name: &'static str,
    monitor: Monitor,
    mode: u64,
    /// What the guest counts.
    truth: Var,
    answer: ResponseAction,
    right: fn(&Event) -> bool,
}

fn check(guest: Guest<'_>, case: &Case) {
    let events = guest.driver.events().expect("events");
    let before = guest.get(case.truth);
    let right = Cell::new(0);
    let seen = Cell::new(0);
    let enabled = events.enable(case.monitor);
    guest.set(Var::Mode, case.mode);
    serve(
        guest,
        || seen.get() >= ROUNDS,
        |event| {
            seen.set(seen.get() + 1);
            right.set(right.get() + u64::from((case.right)(event)));
            if seen.get() == ROUNDS {
                guest.set(Var::Mode, 0);
            }
            respond(case.answer)
        },
    );
    guest.set(Var::Mode, 0);
    settle(guest);
    let disabled = events.disable(case.monitor);
    let counted = guest.get(case.truth) - before;
    // A CR3 that keeps its value makes no event.
    let good = seen.get() == ROUNDS && right.get() == ROUNDS && counted.abs_diff(ROUNDS) <= 1;
    let facts = format!(
        "{} events, {} right, the guest counts {counted}",
        seen.get(),
        right.get()
    );
    verdict(
        good && enabled.is_ok() && disabled.is_ok(),
        case.name,
        &facts,
    );
}

/// A denied CR3 write has no effect: the value that is old never changes.
fn denied(guest: Guest<'_>) {
    let events = guest.driver.events().expect("events");
    let monitor = Monitor::ControlRegister(3);
    let first = Cell::new(None);
    let (seen, kept) = (Cell::new(0), Cell::new(0));
    let enabled = events.enable(monitor);
    guest.set(Var::Mode, mode::CR3);
    let answer = |event: &Event| -> EventResponse {
        if let EventReason::ControlRegister { old, .. } = event.reason {
            let first = first.get().unwrap_or_else(|| {
                first.set(Some(old));
                old
            });
            kept.set(kept.get() + u64::from(old == first));
        }
        seen.set(seen.get() + 1);
        respond(ResponseAction::Deny)
    };
    serve(guest, || seen.get() >= 10, answer);
    guest.set(Var::Mode, 0);
    settle(guest);
    let disabled = events.disable(monitor);
    let facts = format!(
        "{} events, the old value stayed {} times",
        seen.get(),
        kept.get()
    );
    let good = seen.get() >= 10 && kept.get() == seen.get();
    verdict(
        good && enabled.is_ok() && disabled.is_ok(),
        "cr3-denied",
        &facts,
    );
}
