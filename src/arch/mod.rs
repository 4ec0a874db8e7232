//! Processor architectures: pure functions over bytes and registers.

pub mod amd64;
