//! x86-64.

mod paging;
mod pte;

pub use paging::{LongMode, PagingMode, dtb_to_root};
