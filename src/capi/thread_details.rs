//! `wvmi_thread_details`: everything about a thread in one structure.

use super::{
    error::About,
    ffi::{Call, Plain},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
    valid::{Valid, or_zero},
};
use crate::os::windows::{PreviousMode, Thread, WaitMode};

/// What is known about a thread, filled by `wvmi_thread_info()` and
/// `wvmi_thread_iter_next_many()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_thread_details {
    /// Which of the other fields were read: `WVMI_THREAD_VALID_*` bits.
    pub valid: u64,
    /// Address of the thread object (`_ETHREAD`); always filled.
    pub object: u64,
    /// Object of the owning process (`_KTHREAD.Process`).
    pub process: u64,
    /// Object of the process whose address space the thread uses now
    /// (`_KTHREAD.ApcState.Process`); 0 without one.
    pub current_process: u64,
    /// Object of the process that an attached thread returns to
    /// (`_KTHREAD.SavedApcState.Process`); 0 without one.
    pub saved_process: u64,
    /// Time of creation, a FILETIME (`_ETHREAD.CreateTime`).
    pub create_time: u64,
    /// Time of exit, a FILETIME; 0 while the thread lives (`_ETHREAD.ExitTime`).
    pub exit_time: u64,
    /// Where the thread began in the kernel's eyes (`_ETHREAD.StartAddress`).
    pub start_address: u64,
    /// Function that its creator asked for (`_ETHREAD.Win32StartAddress`).
    pub win32_start_address: u64,
    /// Address of the TEB that the thread's own code uses, the 32-bit one under
    /// WoW64; 0 without one.
    pub teb: u64,
    /// Address of the 64-bit TEB; 0 for system threads (`_KTHREAD.Teb`).
    pub native_teb: u64,
    /// Address of the trap frame; 0 without one (`_KTHREAD.TrapFrame`).
    pub trap_frame: u64,
    /// Saved kernel stack pointer (`_KTHREAD.KernelStack`).
    pub kernel_stack: u64,
    /// Highest address of the kernel stack (`_KTHREAD.StackBase`).
    pub stack_base: u64,
    /// Lowest address of the kernel stack (`_KTHREAD.StackLimit`).
    pub stack_limit: u64,
    /// Address of the token that the thread impersonates with; 0 when it does
    /// not (`_ETHREAD.ClientSecurity.ImpersonationToken`).
    pub impersonation_token: u64,
    /// Address of the scheduling group; 0 without one (`_KTHREAD.SchedulingGroup`).
    pub scheduling_group: u64,
    /// Thread id (`_ETHREAD.Cid.UniqueThread`).
    pub tid: u32,
    /// Id of the owning process (`_ETHREAD.Cid.UniqueProcess`).
    pub pid: u32,
    /// NTSTATUS of the exit (`_ETHREAD.ExitStatus`).
    pub exit_status: i32,
    /// Number of the processor that it runs on next (`_KTHREAD.NextProcessor`).
    pub next_processor: u32,
    /// Number of the current or last system call (`_KTHREAD.SystemCallNumber`).
    pub syscall_number: u32,
    /// Scheduling state as Windows numbers it (`_KTHREAD.State`): 0 initialized,
    /// 1 ready, 2 running, 3 standby, 4 terminated, 5 waiting, 6 transition,
    /// 7 deferred ready, 8 gate wait (obsolete), 9 waiting for process in-swap.
    pub state: u32,
    /// Reason of the current or last wait as Windows numbers it, a
    /// `KWAIT_REASON` (`_KTHREAD.WaitReason`).
    pub wait_reason: u32,
    /// Mode of the wait: 0 kernel, 1 user (`_KTHREAD.WaitMode`).
    pub wait_mode: u32,
    /// Mode that the thread came from: 0 kernel, 1 user (`_KTHREAD.PreviousMode`).
    pub previous_mode: u32,
    /// Priority, 0 to 31 (`_KTHREAD.Priority`).
    pub priority: u32,
    /// Base priority, 0 to 31 (`_KTHREAD.BasePriority`).
    pub base_priority: u32,
    /// 0 in its own address space, else attached to another
    /// (`_KTHREAD.ApcStateIndex`).
    pub apc_state_index: u32,
    /// 1 when a user APC can end the wait (`_KTHREAD.Alertable`).
    pub alertable: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_thread_details {}

/// `tid` was read.
pub const WVMI_THREAD_VALID_TID: u64 = 1;
/// `pid` was read.
pub const WVMI_THREAD_VALID_PID: u64 = 2;
/// `process` was read.
pub const WVMI_THREAD_VALID_PROCESS: u64 = 4;
/// `current_process` was read.
pub const WVMI_THREAD_VALID_CURRENT_PROCESS: u64 = 8;
/// `saved_process` was read.
pub const WVMI_THREAD_VALID_SAVED_PROCESS: u64 = 0x10;
/// `create_time` was read.
pub const WVMI_THREAD_VALID_CREATE_TIME: u64 = 0x20;
/// `exit_time` was read.
pub const WVMI_THREAD_VALID_EXIT_TIME: u64 = 0x40;
/// `exit_status` was read.
pub const WVMI_THREAD_VALID_EXIT_STATUS: u64 = 0x80;
/// `start_address` was read.
pub const WVMI_THREAD_VALID_START_ADDRESS: u64 = 0x100;
/// `win32_start_address` was read.
pub const WVMI_THREAD_VALID_WIN32_START_ADDRESS: u64 = 0x200;
/// `teb` was read.
pub const WVMI_THREAD_VALID_TEB: u64 = 0x400;
/// `native_teb` was read.
pub const WVMI_THREAD_VALID_NATIVE_TEB: u64 = 0x800;
/// `trap_frame` was read.
pub const WVMI_THREAD_VALID_TRAP_FRAME: u64 = 0x1000;
/// `kernel_stack` was read.
pub const WVMI_THREAD_VALID_KERNEL_STACK: u64 = 0x2000;
/// `stack_base` was read.
pub const WVMI_THREAD_VALID_STACK_BASE: u64 = 0x4000;
/// `stack_limit` was read.
pub const WVMI_THREAD_VALID_STACK_LIMIT: u64 = 0x8000;
/// `impersonation_token` was read.
pub const WVMI_THREAD_VALID_IMPERSONATION_TOKEN: u64 = 0x1_0000;
/// `scheduling_group` was read.
pub const WVMI_THREAD_VALID_SCHEDULING_GROUP: u64 = 0x2_0000;
/// `next_processor` was read.
pub const WVMI_THREAD_VALID_NEXT_PROCESSOR: u64 = 0x4_0000;
/// `syscall_number` was read.
pub const WVMI_THREAD_VALID_SYSCALL_NUMBER: u64 = 0x8_0000;
/// `state` was read.
pub const WVMI_THREAD_VALID_STATE: u64 = 0x10_0000;
/// `wait_reason` was read.
pub const WVMI_THREAD_VALID_WAIT_REASON: u64 = 0x20_0000;
/// `wait_mode` was read.
pub const WVMI_THREAD_VALID_WAIT_MODE: u64 = 0x40_0000;
/// `previous_mode` was read.
pub const WVMI_THREAD_VALID_PREVIOUS_MODE: u64 = 0x80_0000;
/// `priority` was read.
pub const WVMI_THREAD_VALID_PRIORITY: u64 = 0x100_0000;
/// `base_priority` was read.
pub const WVMI_THREAD_VALID_BASE_PRIORITY: u64 = 0x200_0000;
/// `apc_state_index` was read.
pub const WVMI_THREAD_VALID_APC_STATE_INDEX: u64 = 0x400_0000;
/// `alertable` was read.
pub const WVMI_THREAD_VALID_ALERTABLE: u64 = 0x800_0000;

fn previous_mode(mode: PreviousMode) -> u32 {
    match mode {
        PreviousMode::Kernel => 0,
        PreviousMode::User => 1,
        PreviousMode::Unknown(other) => other.into(),
    }
}

fn wait_mode(mode: WaitMode) -> u32 {
    match mode {
        WaitMode::Kernel => 0,
        WaitMode::User => 1,
        WaitMode::Unknown(other) => other.into(),
    }
}

/// The details of a thread.
pub fn describe(thread: Thread<'_>) -> (wvmi_thread_details, Valid) {
    let mut buffer = [0; Thread::SNAPSHOT];
    let it = thread.with_copy(&mut buffer);
    let mut valid = Valid::default();
    let mut details = wvmi_thread_details {
        object: thread.object().0,
        ..wvmi_thread_details::zeroed()
    };
    identify(&it, &mut details, &mut valid);
    locate(&it, &mut details, &mut valid);
    schedule(&it, &mut details, &mut valid);
    details.valid = valid.bits();
    (details, valid)
}

/// Who the thread is and when it lived.
fn identify(it: &Thread<'_>, to: &mut wvmi_thread_details, v: &mut Valid) {
    let object = |process: crate::os::windows::Process<'_>| process.object();
    let owner = it.process().map(|process| Some(object(process)));
    let current = it.current_process().map(|process| process.map(object));
    let saved = it.saved_process().map(|process| process.map(object));
    to.tid = v.take(WVMI_THREAD_VALID_TID, it.id());
    to.pid = v.take(WVMI_THREAD_VALID_PID, it.process_id());
    to.process = v.take(WVMI_THREAD_VALID_PROCESS, or_zero(owner));
    to.current_process = v.take(WVMI_THREAD_VALID_CURRENT_PROCESS, or_zero(current));
    to.saved_process = v.take(WVMI_THREAD_VALID_SAVED_PROCESS, or_zero(saved));
    to.create_time = v.take(WVMI_THREAD_VALID_CREATE_TIME, it.create_time()).0;
    to.exit_time = v.take(WVMI_THREAD_VALID_EXIT_TIME, it.exit_time()).0;
    to.exit_status = v.take(WVMI_THREAD_VALID_EXIT_STATUS, it.exit_status());
    to.impersonation_token = v.take(
        WVMI_THREAD_VALID_IMPERSONATION_TOKEN,
        or_zero(it.impersonation_token()),
    );
}

/// Where its code, stacks and blocks are.
fn locate(it: &Thread<'_>, to: &mut wvmi_thread_details, v: &mut Valid) {
    to.start_address = v
        .take(WVMI_THREAD_VALID_START_ADDRESS, it.start_address())
        .0;
    to.win32_start_address = v
        .take(
            WVMI_THREAD_VALID_WIN32_START_ADDRESS,
            it.win32_start_address(),
        )
        .0;
    to.teb = v.take(WVMI_THREAD_VALID_TEB, or_zero(it.teb()));
    to.native_teb = v.take(WVMI_THREAD_VALID_NATIVE_TEB, or_zero(it.native_teb()));
    to.trap_frame = v.take(WVMI_THREAD_VALID_TRAP_FRAME, or_zero(it.trap_frame()));
    to.kernel_stack = v.take(WVMI_THREAD_VALID_KERNEL_STACK, it.kernel_stack()).0;
    to.stack_base = v.take(WVMI_THREAD_VALID_STACK_BASE, it.stack_base()).0;
    to.stack_limit = v.take(WVMI_THREAD_VALID_STACK_LIMIT, it.stack_limit()).0;
}

/// What it is doing.
fn schedule(it: &Thread<'_>, to: &mut wvmi_thread_details, v: &mut Valid) {
    let state = it.state().map(|state| u32::from(state.0));
    let reason = it.wait_reason().map(|reason| u32::from(reason.0));
    to.state = v.take(WVMI_THREAD_VALID_STATE, state);
    to.wait_reason = v.take(WVMI_THREAD_VALID_WAIT_REASON, reason);
    to.wait_mode = v.take(WVMI_THREAD_VALID_WAIT_MODE, it.wait_mode().map(wait_mode));
    to.previous_mode = v.take(
        WVMI_THREAD_VALID_PREVIOUS_MODE,
        it.previous_mode().map(previous_mode),
    );
    to.priority = v.take(WVMI_THREAD_VALID_PRIORITY, it.priority()).into();
    to.base_priority = v
        .take(WVMI_THREAD_VALID_BASE_PRIORITY, it.base_priority())
        .into();
    to.apc_state_index = v
        .take(WVMI_THREAD_VALID_APC_STATE_INDEX, it.apc_state_index())
        .into();
    to.alertable = v
        .take(WVMI_THREAD_VALID_ALERTABLE, it.is_alertable())
        .into();
    to.next_processor = v.take(WVMI_THREAD_VALID_NEXT_PROCESSOR, it.next_processor());
    to.syscall_number = v.take(WVMI_THREAD_VALID_SYSCALL_NUMBER, it.syscall_number());
    to.scheduling_group = v.take(
        WVMI_THREAD_VALID_SCHEDULING_GROUP,
        or_zero(it.scheduling_group()),
    );
}

/// Tells everything about a thread in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_info(
    session: *mut wvmi_session,
    thread: wvmi_thread,
    details: *mut wvmi_thread_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let (details, valid) = describe(thread.get(session.engine().windows()?));
        valid.finish().about("thread", thread.object)?;
        output.write(details);
        Ok(WVMI_OK)
    })
}
