//! Jobs.

use serde::{Deserialize, Serialize};

/// A job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedJob {
    /// Address of the `_EJOB`.
    pub address: u64,
    /// The processes on its list, in order.
    pub processes: Vec<u64>,
    /// Processes that a limit ended.
    pub terminated: u32,
    /// `TotalUserTime`, in units of 100 ns.
    pub user_time: u64,
    /// `TotalKernelTime`, in units of 100 ns.
    pub kernel_time: u64,
    /// `LimitFlags`.
    pub limit_flags: u32,
    /// `ActiveProcessLimit`.
    pub active_process_limit: u32,
    /// `ProcessMemoryLimit`, in pages.
    pub process_memory_limit: u64,
    /// `JobMemoryLimit`, in pages.
    pub job_memory_limit: u64,
    /// `MinimumWorkingSetSize` and `MaximumWorkingSetSize`, in pages.
    pub working_set: (u64, u64),
    /// `UIRestrictionsClass`.
    pub ui_restrictions: u32,
    /// `SessionId`.
    pub session_id: u32,
    /// `JobId`, where the layout has it.
    pub id: Option<u32>,
    /// Job that it is nested in, or 0.
    pub parent: u64,
}
