//! How long calls say how far they are, and are told to stop.

use crate::error::{Error, Result};

/// Watches a long call. The unit `()` watches nothing.
pub trait Progress: Sync {
    /// `done` of `total` units of `stage` are done; false asks the call to end.
    ///
    /// `total` is 0 when it is not known. Called every few milliseconds at most,
    /// on the thread that makes the call.
    fn report(&self, stage: &'static str, done: u64, total: u64) -> bool;

    /// Reports, and turns a request to end into [`Error::Cancelled`].
    fn step(&self, stage: &'static str, done: u64, total: u64) -> Result<()> {
        if self.report(stage, done, total) {
            Ok(())
        } else {
            Err(Error::Cancelled)
        }
    }
}

impl Progress for () {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) -> bool {
        true
    }
}
