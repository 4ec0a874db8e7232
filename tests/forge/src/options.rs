//! What kind of guest to build.

use serde::{Deserialize, Serialize};

/// What kind of guest to build.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Options {
    /// Physical memory in bytes; a guest that needs more gets more.
    pub memory: u64,
    /// Number of processors, 1 to 64.
    pub processors: u32,
    /// Whether user-mode processes have shadow roots (KVA shadow).
    pub kva_shadow: bool,
    /// Whether low memory holds the processor start block that gives the kernel away.
    pub low_stub: bool,
    /// Whether `KdDebuggerDataBlock` is readable (not so: its header is wiped).
    pub debugger_data: bool,
    /// Whether page tables have five levels (LA57), not four.
    #[serde(default)]
    pub five_levels: bool,
    /// Size of the pages that map the kernel image.
    pub kernel_pages: crate::paging::PageSize,
    /// Whether `sqlservr.exe` has a handle table of three levels (2 MiB of mostly free entries).
    pub deep_handle_table: bool,
    /// Extra processes without a user space of their own.
    pub extra_processes: usize,
    /// Extra handles, given to the process `bulk.exe`.
    pub extra_handles: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            processors: 2,
            kva_shadow: true,
            low_stub: true,
            debugger_data: true,
            five_levels: false,
            kernel_pages: crate::paging::PageSize::Large,
            deep_handle_table: true,
            extra_processes: 0,
            extra_handles: 0,
        }
    }
}
