//! A last line of defence around parsers that were written by others.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result};

/// Runs a parser of `format`, turning a panic on a damaged file into an error.
///
/// `parse` must not leave anything half-changed behind: what it worked on is
/// thrown away with its result.
///
/// # Errors
/// What `parse` returns, or [`Error::Format`] when it panicked.
pub(super) fn catch<T>(format: &'static str, parse: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| {
        Err(Error::format(
            format,
            "damaged beyond what its parser expects",
        ))
    })
}
