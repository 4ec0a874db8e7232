//! x86-64.

pub mod context;
mod paging;
mod pte;
mod search;

pub use paging::{ENTRY_SIZE, LongMode, PagingMode, dtb_to_root, entry_address, index_shift};
pub use pte::Pte;
