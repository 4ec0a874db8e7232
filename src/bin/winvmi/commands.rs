//! One file per command.

pub mod handles;
pub mod info;
pub mod modules;
pub mod ps;
pub mod read;
pub mod symbols;
pub mod threads;
pub mod translate;
