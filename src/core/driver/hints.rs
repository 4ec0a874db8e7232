//! What an image's headers say about the guest, all of it unverified.

use crate::core::{Pa, Va};

/// The bug check that a crash dump records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BugCheck {
    /// Bug check code, for example 0x1000007e.
    pub code: u32,
    /// Its four parameters.
    pub parameters: [u64; 4],
}

/// Unverified facts from headers; each is checked before it is believed.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Page-table root of the System process (or of the crashing one).
    pub root: Option<Pa>,
    /// Base of the kernel image.
    pub kernel_base: Option<Va>,
    /// `PsActiveProcessHead`.
    pub process_list: Option<Va>,
    /// `PsLoadedModuleList`.
    pub module_list: Option<Va>,
    /// `KdDebuggerDataBlock`.
    pub debugger_data: Option<Va>,
    /// Windows build number.
    pub build: Option<u32>,
    /// Time of the dump, as a FILETIME.
    pub system_time: Option<u64>,
    /// The recorded bug check.
    pub bug_check: Option<BugCheck>,
}
