//! `_ETHREAD` and the `_KTHREAD` inside it.

mod wait;

use isr::macros::{Bitfield, Field};

use super::{List, Object, Process, Record, Windows, time::FileTime};
use crate::{
    core::Va,
    error::{Error, Result},
};

pub use wait::{ThreadState, WaitMode, WaitReason};

isr::macros::offsets! {
    /// Where the fields of a thread are.
    pub struct Layout {
        struct _KAPC_STATE {
            Process: Field,
        }

        struct _CLIENT_ID {
            UniqueProcess: Field,
            UniqueThread: Field,
        }

        struct _PS_CLIENT_SECURITY_CONTEXT {
            ImpersonationToken: Field,
        }

        struct _KTHREAD {
            Process: Field,
            ApcStateIndex: Field,
            ApcState: Field,
            SavedApcState: Field,
            NextProcessor: Field,
            Alertable: Bitfield,
            WaitMode: Field,
            WaitReason: Field,
            State: Field,
            Teb: Field,
            TrapFrame: Field,
            KernelStack: Field,
            StackBase: Field,
            StackLimit: Field,
            PreviousMode: Field,
            SystemCallNumber: Field,
            SchedulingGroup: Option<Field>,
            Priority: Field,
            BasePriority: Field,
        }

        struct _ETHREAD {
            Cid: Field,
            CreateTime: Field,
            ExitTime: Field,
            ExitStatus: Field,
            StartAddress: Field,
            Win32StartAddress: Field,
            ThreadListEntry: Field,
            ClientSecurity: Field,
            ActiveImpersonationInfo: Bitfield,
            ThreadName: Option<Field>,
        }

        #[isr(optional)]
        struct _TEB {
            NtTib: Field,
        }
    }
}

/// A thread environment block is followed, under WoW64, by its 32-bit twin at
/// the next page.
const PAGE: u64 = 4096;

/// Privilege level that a thread came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviousMode {
    /// 0: a system call from the kernel itself.
    Kernel,
    /// 1: a system call from user mode.
    User,
    /// Any other value: damaged.
    Unknown(u8),
}

impl From<u8> for PreviousMode {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::Kernel,
            1 => Self::User,
            other => Self::Unknown(other),
        }
    }
}

/// A thread.
#[derive(Clone, Copy)]
pub struct Thread<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> Thread<'a> {
    /// The thread whose `_ETHREAD` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    /// Size of a buffer for [`Thread::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 4096;

    /// The same thread with its `_ETHREAD` read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        let length = self.layout()._ETHREAD.effective_len().min(buffer.len());
        match buffer.get_mut(..length) {
            Some(buffer) => Self {
                record: self.record.with_copy(buffer),
                ..self
            },
            None => self,
        }
    }

    fn layout(&self) -> &'a Layout {
        &self.windows.layouts.thread
    }

    pub(super) const fn windows(&self) -> &'a Windows {
        self.windows
    }

    fn cid(&self) -> Record<'a> {
        self.record.embedded(self.layout()._ETHREAD.Cid)
    }

    /// The thread as an object.
    pub fn as_object(&self) -> Object<'a> {
        Object::new(self.windows, self.object())
    }

    /// Address of the `_ETHREAD`: the thread object.
    pub const fn object(&self) -> Va {
        self.record.base()
    }

    /// Thread id. Corresponds to `_ETHREAD.Cid.UniqueThread`.
    pub fn id(&self) -> Result<u32> {
        self.cid().uint32(self.layout()._CLIENT_ID.UniqueThread)
    }

    /// Id of the owning process. Corresponds to `_ETHREAD.Cid.UniqueProcess`.
    pub fn process_id(&self) -> Result<u32> {
        self.cid().uint32(self.layout()._CLIENT_ID.UniqueProcess)
    }

    /// The owning process. Corresponds to `_KTHREAD.Process`.
    pub fn process(&self) -> Result<Process<'a>> {
        match self
            .record
            .pointer_or_none(self.layout()._KTHREAD.Process)?
        {
            Some(process) => Ok(Process::new(self.windows, process)),
            None => Err(Error::corrupt("_KTHREAD", self.object(), "Process is NULL")),
        }
    }

    /// 0 in the thread's own address space, else attached to another.
    /// Corresponds to `_KTHREAD.ApcStateIndex`.
    pub fn apc_state_index(&self) -> Result<u8> {
        self.byte(self.layout()._KTHREAD.ApcStateIndex)
    }

    /// Does the thread run in another process's address space?
    pub fn is_attached(&self) -> Result<bool> {
        self.apc_state_index().map(|index| index != 0)
    }

    /// The process whose address space the thread uses now.
    /// Corresponds to `_KTHREAD.ApcState.Process`.
    pub fn current_process(&self) -> Result<Option<Process<'a>>> {
        self.apc_process(self.layout()._KTHREAD.ApcState)
    }

    /// The process whose address space an attached thread returns to.
    /// Corresponds to `_KTHREAD.SavedApcState.Process`.
    pub fn saved_process(&self) -> Result<Option<Process<'a>>> {
        self.apc_process(self.layout()._KTHREAD.SavedApcState)
    }

    fn apc_process(&self, state: Field) -> Result<Option<Process<'a>>> {
        let state = self.record.embedded(state);
        let process = state.pointer_or_none(self.layout()._KAPC_STATE.Process)?;
        Ok(process.map(|process| Process::new(self.windows, process)))
    }

    /// Address of the token that the thread impersonates with.
    /// Corresponds to `_ETHREAD.ClientSecurity.ImpersonationToken`, which counts
    /// only while `ActiveImpersonationInfo` is set.
    pub fn impersonation_token(&self) -> Result<Option<Va>> {
        let layout = self.layout();
        if self.record.bits(layout._ETHREAD.ActiveImpersonationInfo)? == 0 {
            return Ok(None);
        }
        let security = self.record.embedded(layout._ETHREAD.ClientSecurity);
        security.fast_reference(layout._PS_CLIENT_SECURITY_CONTEXT.ImpersonationToken)
    }

    /// Number of the processor that the thread runs on next.
    /// Corresponds to `_KTHREAD.NextProcessor`, whose highest bit is a flag.
    pub fn next_processor(&self) -> Result<u32> {
        let field = self.layout()._KTHREAD.NextProcessor;
        self.record.uint32(field).map(|value| value & 0x7fff_ffff)
    }

    /// Can the wait be ended by a user APC? Corresponds to `_KTHREAD.Alertable`.
    pub fn is_alertable(&self) -> Result<bool> {
        let bits = self.record.bits(self.layout()._KTHREAD.Alertable)?;
        Ok(bits != 0)
    }

    /// Mode that the thread waits in. Corresponds to `_KTHREAD.WaitMode`.
    pub fn wait_mode(&self) -> Result<WaitMode> {
        self.byte(self.layout()._KTHREAD.WaitMode)
            .map(WaitMode::from)
    }

    /// Why the thread waits. Corresponds to `_KTHREAD.WaitReason`.
    pub fn wait_reason(&self) -> Result<WaitReason> {
        self.byte(self.layout()._KTHREAD.WaitReason).map(WaitReason)
    }

    /// Scheduling state. Corresponds to `_KTHREAD.State`.
    pub fn state(&self) -> Result<ThreadState> {
        self.byte(self.layout()._KTHREAD.State).map(ThreadState)
    }

    /// Current priority, 0 to 31. Corresponds to `_KTHREAD.Priority`.
    pub fn priority(&self) -> Result<u8> {
        self.byte(self.layout()._KTHREAD.Priority)
    }

    /// Base priority, 0 to 31. Corresponds to `_KTHREAD.BasePriority`.
    pub fn base_priority(&self) -> Result<u8> {
        self.byte(self.layout()._KTHREAD.BasePriority)
    }

    /// The TEB that the thread's own code uses: under WoW64 the 32-bit one,
    /// which follows the 64-bit one at the next page.
    pub fn teb(&self) -> Result<Option<Va>> {
        let Some(native) = self.native_teb()? else {
            return Ok(None);
        };
        if !self.process()?.is_wow64()? {
            return Ok(Some(native));
        }
        let layout = self.layout()._TEB.as_ref();
        let size = layout.ok_or_else(|| Error::layout("_TEB"))?.len() as u64;
        let pages = size.div_ceil(PAGE).saturating_mul(PAGE);
        Ok(Some(native.wrapping_add(pages)))
    }

    /// The 64-bit TEB, `None` for system threads. Corresponds to `_KTHREAD.Teb`.
    pub fn native_teb(&self) -> Result<Option<Va>> {
        self.record.pointer_or_none(self.layout()._KTHREAD.Teb)
    }

    /// Address of the trap frame. Corresponds to `_KTHREAD.TrapFrame`.
    pub fn trap_frame(&self) -> Result<Option<Va>> {
        self.record
            .pointer_or_none(self.layout()._KTHREAD.TrapFrame)
    }

    /// Saved kernel stack pointer. Corresponds to `_KTHREAD.KernelStack`.
    pub fn kernel_stack(&self) -> Result<Va> {
        self.record.pointer(self.layout()._KTHREAD.KernelStack)
    }

    /// Highest address of the kernel stack. Corresponds to `_KTHREAD.StackBase`.
    pub fn stack_base(&self) -> Result<Va> {
        self.record.pointer(self.layout()._KTHREAD.StackBase)
    }

    /// Lowest address of the kernel stack. Corresponds to `_KTHREAD.StackLimit`.
    pub fn stack_limit(&self) -> Result<Va> {
        self.record.pointer(self.layout()._KTHREAD.StackLimit)
    }

    /// Mode of the current system call's caller. Corresponds to `_KTHREAD.PreviousMode`.
    pub fn previous_mode(&self) -> Result<PreviousMode> {
        self.byte(self.layout()._KTHREAD.PreviousMode)
            .map(PreviousMode::from)
    }

    /// Number of the current or last system call. Corresponds to `_KTHREAD.SystemCallNumber`.
    pub fn syscall_number(&self) -> Result<u32> {
        self.record.uint32(self.layout()._KTHREAD.SystemCallNumber)
    }

    /// Address of the scheduling group (`_KSCB` owner), `None` for most threads
    /// and where Windows has none. Corresponds to `_KTHREAD.SchedulingGroup`.
    pub fn scheduling_group(&self) -> Result<Option<Va>> {
        match self.layout()._KTHREAD.SchedulingGroup {
            Some(field) => self.record.pointer_or_none(field),
            None => Ok(None),
        }
    }

    /// Time of creation. Corresponds to `_ETHREAD.CreateTime`.
    pub fn create_time(&self) -> Result<FileTime> {
        let field = self.layout()._ETHREAD.CreateTime;
        self.record.uint(field).map(FileTime)
    }

    /// Time of exit, 0 while the thread lives. Corresponds to `_ETHREAD.ExitTime`.
    ///
    /// The field shares its place with a list that a living thread may use:
    /// believe it only for threads whose state is terminated.
    pub fn exit_time(&self) -> Result<FileTime> {
        if self.state()? != ThreadState::TERMINATED {
            return Ok(FileTime(0));
        }
        let field = self.layout()._ETHREAD.ExitTime;
        self.record.uint(field).map(FileTime)
    }

    /// Exit status (an `NTSTATUS`). Corresponds to `_ETHREAD.ExitStatus`.
    pub fn exit_status(&self) -> Result<i32> {
        let field = self.layout()._ETHREAD.ExitStatus;
        self.record.uint32(field).map(u32::cast_signed)
    }

    /// Where the thread began in the kernel's eyes. Corresponds to `_ETHREAD.StartAddress`.
    pub fn start_address(&self) -> Result<Va> {
        self.record.pointer(self.layout()._ETHREAD.StartAddress)
    }

    /// Function that the creator asked for. Corresponds to `_ETHREAD.Win32StartAddress`.
    pub fn win32_start_address(&self) -> Result<Va> {
        self.record
            .pointer(self.layout()._ETHREAD.Win32StartAddress)
    }

    /// Description set by `SetThreadDescription`; empty where there is none.
    /// Corresponds to `_ETHREAD.ThreadName` (Windows 10 1607 and later).
    pub fn name(&self) -> Result<String> {
        let Some(field) = self.layout()._ETHREAD.ThreadName else {
            return Ok(String::new());
        };
        match self.record.pointer_or_none(field)? {
            Some(name) => self.record.at(name).text(Field::new(0, 16)),
            None => Ok(String::new()),
        }
    }

    fn byte(&self, field: Field) -> Result<u8> {
        self.record.bytes::<1>(field).map(|[byte]| byte)
    }
}

/// The threads of a process; an `Err` is a gap.
pub struct Threads<'a> {
    windows: &'a Windows,
    list: List<'a>,
}

impl<'a> Threads<'a> {
    pub(super) fn new(windows: &'a Windows, head: Va) -> Self {
        Self {
            windows,
            list: windows.list(head, "_ETHREAD.ThreadListEntry"),
        }
    }
}

impl<'a> Iterator for Threads<'a> {
    type Item = Result<Thread<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let link = self.windows.layouts.thread._ETHREAD.ThreadListEntry;
        Some(self.list.next()?.map(|entry| {
            let object = entry.wrapping_sub(link.offset());
            Thread::new(self.windows, object)
        }))
    }
}
