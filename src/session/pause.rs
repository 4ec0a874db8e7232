//! Pauses of a running guest that a session holds.

use std::sync::PoisonError;

use super::Session;
use crate::{
    core::driver::{Control, Interrupt},
    error::{Error, Result},
};

impl Session {
    fn control(&self) -> Result<&dyn Control> {
        let control = self.memory.driver().control();
        control.ok_or_else(|| Error::not_supported("pausing this guest"))
    }

    /// Has a processor take an interrupt before its next instruction.
    ///
    /// # Errors
    /// [`Error::NotSupported`] where the guest does not run; [`Error::InvalidArgument`]
    /// for a processor that it does not have.
    pub fn inject(&self, vcpu: u16, interrupt: &Interrupt) -> Result<()> {
        let driver = self.memory.driver();
        let control = driver.control();
        let control = control.ok_or_else(|| Error::not_supported("interrupts of this guest"))?;
        if vcpu >= driver.info().vcpus {
            return Err(Error::invalid_argument("vcpu", "the guest has fewer"));
        }
        control.inject(vcpu, interrupt)
    }

    /// Stops all processors of a running guest; counted.
    ///
    /// # Errors
    /// [`Error::NotSupported`] where the guest does not run.
    pub fn pause(&self) -> Result<()> {
        let control = self.control()?;
        let mut held = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        control.pause()?;
        *held = held.saturating_add(1);
        Ok(())
    }

    /// Undoes one [`Session::pause`].
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub fn resume(&self) -> Result<()> {
        let control = self.control()?;
        let mut held = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(left) = held.checked_sub(1) else {
            return Err(Error::not_found("a pause that this session holds"));
        };
        control.resume()?;
        *held = left;
        Ok(())
    }

    /// Undoes every pause that is still held, and what the driver changed in the guest.
    pub fn leave(&self) -> Result<()> {
        self.resume_all()?;
        self.control().map_or(Ok(()), |control| control.leave())
    }

    fn resume_all(&self) -> Result<()> {
        loop {
            match self.resume() {
                Ok(()) => {}
                Err(Error::NotFound { .. } | Error::NotSupported { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
