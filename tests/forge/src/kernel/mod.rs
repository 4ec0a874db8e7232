//! The kernel: its image, globals, processors and modules.

pub(crate) mod address_space;
pub(crate) mod debugger_data;
pub(crate) mod facts;
pub(crate) mod globals;
pub(crate) mod image;
pub(crate) mod low_stub;
pub(crate) mod modules;
pub(crate) mod pe;
pub(crate) mod processors;
pub(crate) mod shared_data;
