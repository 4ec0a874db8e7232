//! Windows.

pub mod kernel;
