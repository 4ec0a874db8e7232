//! Pauses of a running guest that a session holds.

use std::sync::PoisonError;

use super::Session;
use crate::{
    core::driver::Control,
    error::{Error, Result},
};

impl Session {
    fn control(&self) -> Result<&dyn Control> {
        let control = self.memory.driver().control();
        control.ok_or_else(|| Error::not_supported("pausing this guest"))
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

    /// Undoes every pause that is still held.
    pub fn resume_all(&self) -> Result<()> {
        loop {
            match self.resume() {
                Ok(()) => {}
                Err(Error::NotFound { .. } | Error::NotSupported { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}
