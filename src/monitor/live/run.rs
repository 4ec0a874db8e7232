//! The event loop.

use std::time::{Duration, Instant};

use super::{LiveGuest, control::Woken};
use crate::error::{Error, Result};

/// How long one wait lasts at most: cancellation is noticed after it at the latest.
const SLICE: Duration = Duration::from_millis(200);

/// Why the event loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// A callback or [`LiveGuest::stop`] asked for it.
    Stopped,
    /// [`LiveGuest::wakeup`] asked for it.
    Woken,
    /// The time was up.
    TimedOut,
    /// Events were handled ([`LiveGuest::poll`] only).
    Handled(usize),
    /// The guest was restored; there are no more events.
    Closed,
}

impl LiveGuest {
    /// Serves events until it is stopped, woken or cancelled.
    ///
    /// `cancelled` is asked after each wait.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; [`Error::Busy`] when another thread serves events;
    /// [`Error::Internal`] when a callback panicked; what the back end says.
    pub fn run(&self, cancelled: &dyn Fn() -> bool) -> Result<Ended> {
        self.serve(None, cancelled)
    }

    /// Serves the events that are pending, or that come before the time is up.
    pub fn poll(&self, timeout: Duration, cancelled: &dyn Fn() -> bool) -> Result<Ended> {
        let deadline = Instant::now().checked_add(timeout);
        self.serve(deadline.or_else(|| Some(Instant::now())), cancelled)
    }

    fn serve(&self, deadline: Option<Instant>, cancelled: &dyn Fn() -> bool) -> Result<Ended> {
        let serving = self.control.serve()?;
        let result = self.serve_until(deadline, cancelled);
        if !self.control.is_closing() {
            return result;
        }
        drop(serving);
        // It was closed inside a callback, or another thread waits to close it.
        self.detach()?;
        Ok(Ended::Closed)
    }

    fn serve_until(
        &self,
        deadline: Option<Instant>,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Ended> {
        loop {
            let handled = self.handle_pending()?;
            if self.control.is_closing() {
                return Ok(Ended::Closed);
            }
            if let Some(error) = self.take_failure() {
                return Err(error);
            }
            if self.control.take_stop() {
                return Ok(Ended::Stopped);
            }
            if cancelled() {
                return Err(Error::Cancelled);
            }
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            let wait = match (left, handled) {
                (Some(_), 1..) => return Ok(Ended::Handled(handled)),
                (Some(Duration::ZERO), _) => return Ok(Ended::TimedOut),
                (Some(left), _) => left.min(SLICE),
                (None, 0) => SLICE,
                // There may be more than the back end gives at once.
                (None, _) if !self.control.is_woken() => continue,
                (None, _) => Duration::ZERO,
            };
            let woken = self.control.wait(&self.machine, wait)?;
            if woken == Woken::ByCall && !self.is_told() {
                return Ok(Ended::Woken);
            }
        }
    }

    /// Was the wake-up for something that the next round sees?
    fn is_told(&self) -> bool {
        self.control.is_closing() || self.control.is_stopping()
    }

    fn handle_pending(&self) -> Result<usize> {
        let events = self.machine.events()?;
        events.wait(Duration::ZERO, &mut |event| self.answer(event))
    }

    /// Ends [`LiveGuest::run`] or [`LiveGuest::poll`], the current or the next
    /// one, after the event it is at. Any thread.
    pub fn stop(&self) {
        self.control.stop();
    }

    /// The same with [`Ended::Woken`]. Async-signal-safe.
    pub fn wakeup(&self) {
        self.control.wake();
    }

    /// A descriptor that is readable while [`LiveGuest::poll`] has something to do.
    ///
    /// # Errors
    /// [`Error::NotSupported`] when the back end has none.
    pub fn fd(&self) -> Result<i32> {
        self.control.descriptor(&self.machine)
    }
}
