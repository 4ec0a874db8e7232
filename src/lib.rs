//! Virtual machine introspection of Windows guests behind a C API.
//!
//! The C API (`include/winvmi.h`, module `capi`) is the product; this crate's Rust
//! API is what it is made of. See `docs/ARCHITECTURE.md` for the map of the rooms.

#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::print_stdout,
    clippy::print_stderr
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

pub mod arch;
mod capi;
pub mod core;
pub mod driver;
pub mod error;
pub mod log;
pub mod monitor;
pub mod os;
pub mod pe;
pub mod session;
pub mod symbols;

pub use error::{Error, Fault, FaultKind, Result};
