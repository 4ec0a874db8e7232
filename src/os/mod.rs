//! Operating systems.

pub mod windows;
