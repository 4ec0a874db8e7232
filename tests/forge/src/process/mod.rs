//! Processes, threads and their handle tables.

pub(crate) mod create;
pub(crate) mod handle_table;
pub(crate) mod id_table;
pub(crate) mod job;
pub(crate) mod scheduling;
pub(crate) mod session;
pub(crate) mod software_pte;
pub(crate) mod spec;
pub(crate) mod system;
pub(crate) mod teb;
pub(crate) mod thread;
pub(crate) mod user_space;
pub(crate) mod vad;

pub use handle_table::HandleAttributes;
pub use spec::{ProcessSpec, ThreadSpec, UserSpace};

use std::ops::Range;

use handle_table::HandleTable;

/// What the forge keeps about a process it made.
#[derive(Clone, Debug)]
pub(crate) struct ProcessState {
    /// Index in the expected processes; the idle process has none.
    pub index: Option<usize>,
    pub pid: u32,
    /// Root of the page tables.
    pub root: u64,
    /// Root of the page tables in user mode, where it is another.
    pub user_root: Option<u64>,
    pub directory_table_base: u64,
    pub user_directory_table_base: u64,
    pub is_wow64: bool,
    pub handle_table: Option<HandleTable>,
    /// Native PEB, or 0.
    pub peb: u64,
    /// Address of the next native TEB, or 0 for a process without user space.
    pub next_teb: u64,
    /// Memory for the process's own data that is left.
    pub heap: Range<u64>,
    /// Its regions in order of address.
    pub regions: Vec<vad::Node>,
}
