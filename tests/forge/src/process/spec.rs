//! What to make: processes and threads, as the maker of a guest describes them.

use crate::clock;
use crate::user::ParametersSpec;

/// How much of a user space a process gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserSpace {
    /// None: a process of the kernel.
    #[default]
    None,
    /// Its own: image, PEB, TEBs, shared data.
    Own,
    /// That of another process, whose user-mode tables it shares: cheap, for many processes.
    SharedWith(u64),
}

/// A process to be made.
#[derive(Clone, Debug)]
pub struct ProcessSpec {
    /// Name; cut to the 14 bytes that `ImageFileName` holds.
    pub name: String,
    /// Path for the audit record.
    pub image_path: Option<String>,
    /// Process id, or the next free one.
    pub pid: Option<u32>,
    /// Id of the parent.
    pub parent_pid: u32,
    /// Whether it runs 32-bit code.
    pub is_wow64: bool,
    /// Number of its session.
    pub session_id: Option<u32>,
    /// Time of creation (FILETIME).
    pub create_time: u64,
    /// Time of exit (FILETIME), or 0. An exited process has no handle table.
    pub exit_time: u64,
    /// Exit status.
    pub exit_status: i32,
    /// `Protection.Level`, where the layout has it.
    pub protection: u8,
    /// Its user space.
    pub user_space: UserSpace,
    /// `BeingDebugged` of its PEBs.
    pub being_debugged: bool,
    /// What it is started with; made from its name when absent.
    pub parameters: Option<ParametersSpec>,
}

impl Default for ProcessSpec {
    fn default() -> Self {
        Self {
            name: "process.exe".into(),
            image_path: None,
            pid: None,
            parent_pid: 4,
            is_wow64: false,
            session_id: None,
            create_time: clock::BOOT,
            exit_time: 0,
            exit_status: 0x103,
            protection: 0,
            user_space: UserSpace::None,
            being_debugged: false,
            parameters: None,
        }
    }
}

impl ProcessSpec {
    /// A native process with a user space of its own in session 1.
    pub fn user(name: &str, parent_pid: u32) -> Self {
        Self {
            name: name.to_owned(),
            image_path: Some(format!(
                "\\Device\\HarddiskVolume2\\Windows\\System32\\{name}"
            )),
            parent_pid,
            session_id: Some(1),
            user_space: UserSpace::Own,
            ..Self::default()
        }
    }
}

/// A thread to be made.
#[derive(Clone, Debug)]
pub struct ThreadSpec {
    /// Thread id, or the next free one.
    pub tid: Option<u32>,
    /// `State`.
    pub state: u8,
    /// `WaitReason`.
    pub wait_reason: u8,
    /// `WaitMode`: 0 kernel, 1 user.
    pub wait_mode: u8,
    /// `Alertable`.
    pub alertable: bool,
    /// `NextProcessor`, without its top bit.
    pub next_processor: u32,
    /// `PreviousMode`: 0 kernel, 1 user.
    pub previous_mode: u8,
    /// `SystemCallNumber`.
    pub syscall_number: u32,
    /// Time of creation (FILETIME).
    pub create_time: u64,
    /// Time of exit (FILETIME), or 0.
    pub exit_time: u64,
    /// Exit status.
    pub exit_status: i32,
    /// `StartAddress`.
    pub start_address: u64,
    /// `Win32StartAddress`.
    pub win32_start_address: u64,
    /// Process whose address space the thread is attached to.
    pub attached_to: Option<u64>,
    /// Impersonation token, or 0.
    pub impersonation_token: u64,
    /// Scheduling group, or 0.
    pub scheduling_group: u64,
    /// Whether its kernel stack is in memory, with a trap frame if the thread has a TEB.
    pub has_stack: bool,
}

impl Default for ThreadSpec {
    fn default() -> Self {
        Self {
            tid: None,
            state: super::thread::WAITING,
            wait_reason: super::thread::USER_REQUEST,
            wait_mode: 1,
            alertable: false,
            next_processor: 0,
            previous_mode: 1,
            syscall_number: 4,
            create_time: clock::BOOT + clock::SECOND,
            exit_time: 0,
            exit_status: 0x103,
            start_address: 0x7ffb_1000_2630,
            win32_start_address: 0x7ff6_5a31_1230,
            attached_to: None,
            impersonation_token: 0,
            scheduling_group: 0,
            has_stack: true,
        }
    }
}
