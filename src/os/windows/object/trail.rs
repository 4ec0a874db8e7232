//! Chains of guest pointers: followed to their end, never in a circle.

use std::collections::HashSet;

use crate::{
    core::Va,
    error::{Error, Result},
};

/// Where a walk along guest pointers has been.
pub(super) struct Trail {
    /// Kernel name of the pointer that is followed.
    pointer: &'static str,
    seen: HashSet<Va>,
    limit: usize,
}

impl Trail {
    /// A walk along `pointer` of at most `limit` steps.
    pub(super) fn new(pointer: &'static str, limit: usize) -> Self {
        Self {
            pointer,
            seen: HashSet::new(),
            limit,
        }
    }

    /// Notes that the walk arrives at `address`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it has been there, or is longer than anything real.
    pub(super) fn visit(&mut self, address: Va) -> Result<()> {
        let reason = if self.seen.len() >= self.limit {
            "the chain is endless"
        } else if self.seen.insert(address) {
            return Ok(());
        } else {
            "the chain leads back into itself"
        };
        Err(Error::corrupt(self.pointer, address, reason))
    }
}
