//! One file per command.

pub mod cmdline;
pub mod dlls;
pub mod dump_module;
pub mod env;
pub mod handles;
pub mod info;
pub mod modules;
pub mod object_details;
pub mod objects;
pub mod ps;
pub mod read;
pub mod regions;
pub mod symbols;
pub mod threads;
pub mod tokens;
pub mod trace;
pub mod translate;
