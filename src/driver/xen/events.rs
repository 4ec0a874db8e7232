//! Serving what monitors report: one request, one answer.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, OnceLock, TryLockError},
    time::{Duration, Instant},
};

use xen::sys;

use super::{
    XenDriver, event,
    hold::Later,
    record::Change,
    ring::{Cursor, Entry, Ring},
};
use crate::{
    core::driver::{Control, Event, EventReason, EventResponse, Events, Monitor, ResponseAction},
    error::{Error, Result},
};

/// Most events that one [`Events::wait`] serves: the caller looks at its stop flag.
const SERVED_AT_ONCE: usize = 64;

/// What reports events and what is known about them.
#[derive(Default)]
pub(super) struct Reporting {
    ring: OnceLock<Ring>,
    /// What the caller has enabled.
    pub(super) enabled: Mutex<HashSet<Monitor>>,
    serving: Mutex<Serving>,
}

/// State of the one thread that waits.
#[derive(Default)]
struct Serving {
    cursor: Cursor,
    vcpus: Vec<Vcpu>,
    /// Processors that are stepped over port I/O; the I/O monitor is off meanwhile.
    in_io: usize,
    /// What held processors had to report.
    later: Later,
}

/// What Xen does with one processor.
#[derive(Debug, Clone, Copy, Default)]
struct Vcpu {
    /// Its next instructions are reported as steps.
    stepping: bool,
    /// It is stepped over port I/O at this address.
    in_io: Option<u64>,
    /// The caller wants to hear of that step, too.
    reported: bool,
}

impl Events for XenDriver {
    fn enable(&self, monitor: Monitor) -> Result<()> {
        self.ring()?;
        // Single steps are monitored as long as there is a ring.
        if self.enabled().insert(monitor) && monitor != Monitor::SingleStep {
            self.set_monitor(monitor, true).inspect_err(|_| {
                self.enabled().remove(&monitor);
            })?;
        }
        Ok(())
    }

    fn disable(&self, monitor: Monitor) -> Result<()> {
        if self.enabled().remove(&monitor) && monitor != Monitor::SingleStep {
            self.set_monitor(monitor, false)?;
        }
        Ok(())
    }

    fn wait(
        &self,
        timeout: Duration,
        handler: &mut dyn FnMut(&Event) -> EventResponse,
    ) -> Result<usize> {
        let ring = self.ring()?;
        let mut serving = self.serving()?;
        serving
            .vcpus
            .resize(usize::from(self.info.vcpus), Vcpu::default());
        let deadline = Instant::now().checked_add(timeout);
        let mut asked = false;
        loop {
            let served = self.serve_pending(ring, &mut serving, handler)?;
            // Once asked, later requests notify anew.
            if served > 0 || asked && timeout.is_zero() {
                return Ok(served);
            }
            let left = match timeout.is_zero() {
                true => Duration::ZERO,
                false => left_until(deadline),
            };
            if !ring.wait(left)? {
                return Ok(0);
            }
            asked = true;
        }
    }

    fn fd(&self) -> Result<i32> {
        self.ring()?.fd()
    }
}

impl XenDriver {
    /// The ring, enabled at its first use.
    fn ring(&self) -> Result<&Ring> {
        if let Some(ring) = self.reporting.ring.get() {
            return Ok(ring);
        }
        let spoken = self.domain.event_version()?.cast_unsigned();
        if spoken != sys::VM_EVENT_INTERFACE_VERSION {
            return Err(Error::not_supported(format!(
                "events: Xen speaks version {spoken} of them, this build version {}",
                sys::VM_EVENT_INTERFACE_VERSION
            )));
        }
        let mut state = self.changing()?;
        if self.reporting.ring.get().is_none() {
            state.note(Change::Monitor)?;
            let ring = Ring::enable(&self.domain)?;
            // Fast steps need the monitor; it reports nothing by itself.
            self.set_monitor(Monitor::SingleStep, true)?;
            // Without it writes cannot be denied, all else works.
            let _ = self.domain.control_registers();
            let _ = self.reporting.ring.set(ring);
        }
        self.reporting.ring.get().ok_or_else(|| Error::BackEnd {
            reason: "the event ring is gone".into(),
        })
    }

    fn serving(&self) -> Result<MutexGuard<'_, Serving>> {
        match self.reporting.serving.try_lock() {
            Ok(serving) => Ok(serving),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(Error::BackEnd {
                reason: "events are being served already".into(),
            }),
        }
    }

    /// Forgets which processors are stepped: their steps were cancelled.
    pub(super) fn forget_steps(&self) {
        if let Ok(mut serving) = self.serving() {
            serving.vcpus.clear();
            serving.in_io = 0;
        }
    }

    /// Answers all that is queued: each processor goes on in the default view.
    pub(super) fn drain(&self) {
        let Some(ring) = self.reporting.ring.get() else {
            return;
        };
        let Ok(mut serving) = self.serving() else {
            return;
        };
        while let Some(request) = serving.next(ring, |_| false) {
            let mut answer = event::plain(&request);
            answer.flags |= sys::VM_EVENT_FLAG_ALTERNATE_P2M;
            answer.altp2m_idx = 0;
            let _ = ring.put(&mut serving.cursor, answer);
        }
    }

    fn serve_pending(
        &self,
        ring: &Ring,
        serving: &mut Serving,
        handler: &mut dyn FnMut(&Event) -> EventResponse,
    ) -> Result<usize> {
        let mut served = 0_usize;
        while served < SERVED_AT_ONCE {
            let Some(request) = serving.next(ring, |vcpu| self.alone.holds(vcpu)) else {
                break;
            };
            let mut pending = Pending {
                ring,
                serving,
                request,
                answered: false,
            };
            served = served.saturating_add(usize::from(self.serve(&mut pending, handler)?));
        }
        Ok(served)
    }

    /// Serves one request; false when the caller had no part in it.
    fn serve(
        &self,
        pending: &mut Pending<'_>,
        handler: &mut dyn FnMut(&Event) -> EventResponse,
    ) -> Result<bool> {
        let request = pending.request;
        let event = event::decode(&request);
        let mut vcpu = pending.vcpu();
        let mut owed = self.injected.stands(event.vcpu, event.registers.rip);
        let is_step = event.reason == EventReason::SingleStep;
        // Xen executes IN and OUT itself: the step ends behind the next instruction, or with
        // what that one causes.
        let is_past = |at| is_step || at != event.registers.rip;
        let over_io = vcpu.in_io.is_some_and(is_past);
        if over_io {
            vcpu.in_io = None;
            self.leave_io(pending.serving)?;
        }
        let held = self.alone.caused(&event);
        let silent = held || over_io && is_step && !vcpu.reported;
        let mut response = match (held, silent) {
            (true, _) => self.as_before(vcpu.stepping),
            (_, true) => go_on(),
            _ => handler(&event),
        };
        if self.alone.is(event.vcpu) && response.view.is_none() {
            // It was moved away together with those that are held.
            response.view = self.as_before(false).view;
        }
        if let EventReason::Io { .. } = event.reason {
            vcpu.in_io = Some(event.registers.rip);
            vcpu.reported = response.action == ResponseAction::SingleStep;
            self.enter_io(pending.serving)?;
            response.action = ResponseAction::SingleStep;
        }
        if let (ResponseAction::Reinject, EventReason::Interrupt(interrupt)) =
            (response.action, event.reason)
        {
            match self.inject(event.vcpu, &interrupt) {
                // Another injection waits already: behind it the instruction is
                // reached, and reported, again.
                Err(Error::Busy { .. }) => response.action = ResponseAction::Continue,
                injected => injected?,
            }
            owed = true;
        }
        if owed || response.registers.is_some() {
            self.injected.note(event.vcpu, event.registers.rip);
        }
        let answer = event::encode(&request, &event, &response, &mut vcpu.stepping);
        pending.set_vcpu(vcpu);
        pending.answer(answer)?;
        Ok(!silent)
    }

    /// Port I/O traps again after every answer: it goes on only unmonitored.
    fn enter_io(&self, serving: &mut Serving) -> Result<()> {
        serving.in_io = serving.in_io.saturating_add(1);
        match serving.in_io {
            1 => self.set_monitor(Monitor::Io, false),
            _ => Ok(()),
        }
    }

    fn leave_io(&self, serving: &mut Serving) -> Result<()> {
        serving.in_io = serving.in_io.saturating_sub(1);
        let wanted = self.enabled().contains(&Monitor::Io);
        match serving.in_io {
            0 if wanted => self.set_monitor(Monitor::Io, true),
            _ => Ok(()),
        }
    }
}

impl Serving {
    /// The next request to serve.
    fn next(&mut self, ring: &Ring, is_held: impl Fn(u32) -> bool) -> Option<Entry> {
        let Self { cursor, later, .. } = self;
        later.next(|| ring.take(cursor), is_held)
    }
}

/// Time until the deadline; one that cannot be told is far away.
fn left_until(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |end| {
        end.saturating_duration_since(Instant::now())
    })
}

fn go_on() -> EventResponse {
    EventResponse {
        action: ResponseAction::Continue,
        view: None,
        registers: None,
    }
}

/// A request that must be answered, come what may.
struct Pending<'a> {
    ring: &'a Ring,
    serving: &'a mut Serving,
    request: Entry,
    answered: bool,
}

impl Pending<'_> {
    fn vcpu(&self) -> Vcpu {
        let known = self.serving.vcpus.get(self.request.vcpu_id as usize);
        known.copied().unwrap_or_default()
    }

    fn set_vcpu(&mut self, vcpu: Vcpu) {
        if let Some(known) = self.serving.vcpus.get_mut(self.request.vcpu_id as usize) {
            *known = vcpu;
        }
    }

    fn answer(&mut self, answer: Entry) -> Result<()> {
        self.answered = true;
        self.ring.put(&mut self.serving.cursor, answer)
    }
}

impl Drop for Pending<'_> {
    /// The handler failed or panicked: its processor goes on all the same.
    fn drop(&mut self) {
        if !self.answered {
            let answer = event::plain(&self.request);
            let _ = self.answer(answer);
        }
    }
}
