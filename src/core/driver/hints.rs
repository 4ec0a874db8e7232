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

/// A kernel module that the image's own headers list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleHint {
    /// Path as UTF-16, for example `\SystemRoot\system32\ntoskrnl.exe`.
    pub path: Vec<u16>,
    /// First byte of the image.
    pub base: Va,
    /// Entry point; often not recorded.
    pub entry_point: Va,
    /// Size of the image in bytes.
    pub size: u32,
    /// Checksum from its PE header.
    pub checksum: u32,
    /// Time stamp from its PE header.
    pub timestamp: u32,
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
    /// Modules in load order. Triage dumps list them here and lack the kernel's
    /// own list; all other images leave this empty.
    pub modules: Vec<ModuleHint>,
}
