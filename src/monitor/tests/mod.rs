//! The monitor against a mock guest: every edge case, and a failure at every driver call.

mod mock;
mod patches;
mod rights;
