//! Pausing, injection, frames.

use xen::sys;

use super::{
    XenDriver, event,
    handle::check,
    record::{Change, Changes},
    state::{State, cancel_steps, give_back, restore},
};
use crate::{
    core::{
        Gfn,
        driver::{Control, Interrupt},
    },
    error::{Error, Result},
};

/// "This vector pushes no error code" (`X86_EVENT_NO_EC`).
const NO_ERROR_CODE: u32 = u32::MAX;

/// The memory limit grows in steps of 4 MiB, in KiB.
const LIMIT_STEP: u64 = 4096;

impl Control for XenDriver {
    fn pause(&self) -> Result<()> {
        self.settle_injections();
        let mut state = self.changing()?;
        if state.pauses == 0 {
            set_paused(&mut state, true)?;
            self.domain.pause()?;
        }
        state.pauses = state.pauses.saturating_add(1);
        Ok(())
    }

    fn resume(&self) -> Result<()> {
        let mut state = self.state();
        match state.pauses {
            0 => {
                return Err(Error::invalid_argument("session", "it is not paused"));
            }
            1 => {
                self.domain.unpause()?;
                set_paused(&mut state, false)?;
            }
            _ => {}
        }
        state.pauses = state.pauses.saturating_sub(1);
        Ok(())
    }

    fn inject(&self, vcpu: u16, interrupt: &Interrupt) -> Result<()> {
        let domain = u16::try_from(self.domain.id()).unwrap_or(u16::MAX);
        // SAFETY: the handle is open, no memory is passed.
        check("xendevicemodel_inject_event", unsafe {
            sys::xendevicemodel_inject_event(
                self.model.raw(),
                domain,
                i32::from(vcpu),
                interrupt.vector,
                event::code_of(interrupt.kind),
                interrupt.error_code.unwrap_or(NO_ERROR_CODE),
                interrupt.instruction_length,
                interrupt.extra,
            )
        })?;
        Ok(())
    }

    fn allocate_frame(&self) -> Result<Gfn> {
        let mut state = self.changing()?;
        if let Some(gfn) = state.spare.pop() {
            return Ok(gfn);
        }
        let gfn = Gfn(self.domain.max_gfn()?.0.saturating_add(1));
        state.note(Change::Frame(gfn))?;
        if let Err(error) = self.populate(&mut state, gfn) {
            state.note(Change::FrameGone(gfn))?;
            return Err(error);
        }
        self.memory.forget(gfn);
        Ok(gfn)
    }

    fn free_frame(&self, gfn: Gfn) -> Result<()> {
        // Kept until the guest is left: taking it delays injections (see `injected`).
        let mut state = self.state();
        let ours = |changes: &Changes| changes.frames.contains(&gfn.0);
        if !state.changes().is_some_and(ours) || state.spare.contains(&gfn) {
            return Err(Error::invalid_argument(
                "gfn",
                "no frame that was allocated here",
            ));
        }
        state.spare.push(gfn);
        Ok(())
    }

    fn run_only(&self, vcpu: Option<u16>) -> Result<()> {
        match vcpu {
            Some(alone) => self.hold_others(alone),
            None => self.let_go(),
        }
    }

    fn reset(&self) -> Result<()> {
        let result = self.disable_monitors().and(self.let_go());
        cancel_steps(&self.domain, self.info.vcpus);
        // A processor that holds on to the view is moved out when the domain is restored.
        let _ = self.drop_holding_view();
        self.forget_steps();
        result
    }

    /// The order matters: paused, so that nothing new is reported; monitors off
    /// before their last reports are answered; then steps and views; memory only when
    /// the processors have gone on.
    fn leave(&self) -> Result<()> {
        let Some(changes) = self.changed() else {
            return Ok(());
        };
        if let Err(error) = self.pause() {
            // A domain that is gone took its changes with it.
            return self.domain.info().map_or(Ok(()), |_| Err(error));
        }
        let _ = self.disable_monitors();
        self.drain();
        if changes.monitored {
            let _ = self.domain.disable_monitor();
        }
        let restored = restore(&self.domain, self.info.vcpus, &changes);
        restored.and(self.resume())?;
        let mut state = std::mem::take(&mut *self.state());
        self.settle_injections();
        if let Some(record) = &mut state.record {
            record.note_running()?;
            give_back(&self.domain, Some(&self.memory), &changes)?;
            record.restored()?;
        }
        Ok(())
    }
}

impl XenDriver {
    /// Adds a frame, and raises the memory limit when that is in the way.
    fn populate(&self, state: &mut State, gfn: Gfn) -> Result<()> {
        if self.domain.populate(gfn).is_ok() {
            return Ok(());
        }
        let limit = self.domain.info()?.max_memory;
        let noted = |changes: &Changes| changes.max_memory.is_some();
        if !state.changes().is_some_and(noted) {
            state.note(Change::MaxMemory(limit))?;
        }
        self.domain
            .set_max_memory(limit.saturating_add(LIMIT_STEP))?;
        self.domain.populate(gfn)
    }
}

fn set_paused(state: &mut State, paused: bool) -> Result<()> {
    match &mut state.record {
        Some(record) => record.set_paused(paused),
        None => Ok(()),
    }
}
