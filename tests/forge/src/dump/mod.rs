//! Writers of memory images.

pub(crate) mod full;
pub(crate) mod header;
pub(crate) mod raw;
