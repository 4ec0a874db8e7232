//! Executive objects: headers, types, names, directories, files and other kinds.

pub(crate) mod bodies;
pub(crate) mod directory;
pub(crate) mod file;
pub(crate) mod header;
pub(crate) mod key;
pub(crate) mod others;
pub(crate) mod token;
pub(crate) mod types;

pub use bodies::Reset;
pub use header::{InfoMask, NewObject};
pub(crate) use types::ObjectTypes;
