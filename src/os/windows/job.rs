//! `_EJOB`: processes that are limited together.

use bitflags::bitflags;
use isr::macros::Field;

use super::{List, Object, Process, Processes, Record, Windows};
use crate::{
    core::{PAGE_SIZE, Va},
    error::{Error, Result},
};

isr::macros::offsets! {
    /// Where the fields of a job are.
    pub struct Layout {
        struct _EJOB {
            ProcessListHead: Field,
            TotalProcesses: Field,
            ActiveProcesses: Field,
            TotalTerminatedProcesses: Field,
            TotalUserTime: Field,
            TotalKernelTime: Field,
            LimitFlags: Field,
            ActiveProcessLimit: Field,
            ProcessMemoryLimit: Field,
            JobMemoryLimit: Field,
            MinimumWorkingSetSize: Field,
            MaximumWorkingSetSize: Field,
            UIRestrictionsClass: Field,
            SessionId: Field,
            JobId: Option<Field>,
            ParentJob: Option<Field>,
            ChildJobListHead: Option<Field>,
            SiblingJobLinks: Option<Field>,
        }

        struct _EPROCESS {
            Job: Field,
            JobLinks: Field,
        }
    }
}

bitflags! {
    /// Which limits count (`JOB_OBJECT_LIMIT_*`). Corresponds to `_EJOB.LimitFlags`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct JobLimits: u32 {
        /// Bounds of the working set.
        const WORKING_SET = 0x0001;
        /// User time of each process.
        const PROCESS_TIME = 0x0002;
        /// User time of all processes.
        const JOB_TIME = 0x0004;
        /// Number of active processes.
        const ACTIVE_PROCESS = 0x0008;
        /// Processors.
        const AFFINITY = 0x0010;
        /// Priority class.
        const PRIORITY_CLASS = 0x0020;
        /// The time limit stays when other limits are set.
        const PRESERVE_JOB_TIME = 0x0040;
        /// Scheduling class.
        const SCHEDULING_CLASS = 0x0080;
        /// Committed memory of each process.
        const PROCESS_MEMORY = 0x0100;
        /// Committed memory of all processes.
        const JOB_MEMORY = 0x0200;
        /// An unhandled exception ends the process without a dialogue.
        const DIE_ON_UNHANDLED_EXCEPTION = 0x0400;
        /// Child processes may leave the job when they ask to.
        const BREAKAWAY_OK = 0x0800;
        /// Child processes are not a part of the job.
        const SILENT_BREAKAWAY_OK = 0x1000;
        /// Closing the last handle ends all processes.
        const KILL_ON_JOB_CLOSE = 0x2000;
        /// Child processes get a subset of the processors.
        const SUBSET_AFFINITY = 0x4000;
        /// Lower bound of the job's memory limit.
        const JOB_MEMORY_LOW = 0x8000;
    }
}

bitflags! {
    /// What the processes may not do to the desktop (`JOB_OBJECT_UILIMIT_*`).
    /// Corresponds to `_EJOB.UIRestrictionsClass`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct JobUiRestrictions: u32 {
        /// Use handles to windows of others.
        const HANDLES = 0x01;
        /// Read the clipboard.
        const READ_CLIPBOARD = 0x02;
        /// Write to the clipboard.
        const WRITE_CLIPBOARD = 0x04;
        /// Change system parameters.
        const SYSTEM_PARAMETERS = 0x08;
        /// Change display settings.
        const DISPLAY_SETTINGS = 0x10;
        /// Use global atoms.
        const GLOBAL_ATOMS = 0x20;
        /// Make or switch desktops.
        const DESKTOP = 0x40;
        /// Log off or shut down.
        const EXIT_WINDOWS = 0x80;
    }
}

/// A job.
#[derive(Clone, Copy)]
pub struct JobObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> JobObject<'a> {
    /// The job whose `_EJOB` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a _EJOB {
        &self.windows.layouts.job._EJOB
    }

    /// The job as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// Address of the `_EJOB`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// The active processes. Corresponds to `_EJOB.ProcessListHead`.
    pub fn processes(&self) -> Processes<'a> {
        let link = self.windows.layouts.job._EPROCESS.JobLinks;
        let head = self.record.address(self.layout().ProcessListHead);
        Processes::linked(self.windows, head, link, "_EPROCESS.JobLinks")
    }

    /// Number, where Windows gives one (Windows 10 1607 and later).
    /// Corresponds to `_EJOB.JobId`.
    pub fn id(&self) -> Result<Option<u32>> {
        let id = self.layout().JobId.map(|field| self.record.uint32(field));
        id.transpose()
    }

    /// The job that this one is nested in. Corresponds to `_EJOB.ParentJob` (Windows 8
    /// and later).
    pub fn parent(&self) -> Result<Option<Self>> {
        let Some(field) = self.layout().ParentJob else {
            return Ok(None);
        };
        let parent = self.record.pointer_or_none(field)?;
        Ok(parent.map(|parent| Self::new(self.windows, parent)))
    }

    /// The jobs that are nested in this one, not those in them; none before Windows 8.
    /// Corresponds to `_EJOB.ChildJobListHead`.
    pub fn children(&self) -> ChildJobs<'a> {
        let layout = self.layout();
        let fields = layout.ChildJobListHead.zip(layout.SiblingJobLinks);
        let list = fields.map(|(head, links)| {
            let head = self.record.address(head);
            let list = self.windows.list(head, "_EJOB.SiblingJobLinks");
            (list, links)
        });
        ChildJobs {
            windows: self.windows,
            list,
        }
    }

    /// Number of processes that ever were in the job. Corresponds to `_EJOB.TotalProcesses`.
    pub fn total_processes(&self) -> Result<u32> {
        self.record.uint32(self.layout().TotalProcesses)
    }

    /// Number of processes in the job now. Corresponds to `_EJOB.ActiveProcesses`.
    pub fn active_processes(&self) -> Result<u32> {
        self.record.uint32(self.layout().ActiveProcesses)
    }

    /// Number of processes that a limit ended.
    /// Corresponds to `_EJOB.TotalTerminatedProcesses`.
    pub fn terminated_processes(&self) -> Result<u32> {
        self.record.uint32(self.layout().TotalTerminatedProcesses)
    }

    /// User time of processes that ended, in units of 100 ns.
    /// Corresponds to `_EJOB.TotalUserTime`.
    pub fn user_time(&self) -> Result<u64> {
        self.record.uint(self.layout().TotalUserTime)
    }

    /// Kernel time of processes that ended, in units of 100 ns.
    /// Corresponds to `_EJOB.TotalKernelTime`.
    pub fn kernel_time(&self) -> Result<u64> {
        self.record.uint(self.layout().TotalKernelTime)
    }

    /// Number of the session that made the job. Corresponds to `_EJOB.SessionId`.
    pub fn session_id(&self) -> Result<u32> {
        self.record.uint32(self.layout().SessionId)
    }

    /// Which limits count. Corresponds to `_EJOB.LimitFlags`.
    pub fn limits(&self) -> Result<JobLimits> {
        let bits = self.record.uint32(self.layout().LimitFlags)?;
        Ok(JobLimits::from_bits_retain(bits))
    }

    /// What the processes may not do to the desktop.
    /// Corresponds to `_EJOB.UIRestrictionsClass`.
    pub fn ui_restrictions(&self) -> Result<JobUiRestrictions> {
        let bits = self.record.uint32(self.layout().UIRestrictionsClass)?;
        Ok(JobUiRestrictions::from_bits_retain(bits))
    }

    /// Most processes at a time. Corresponds to `_EJOB.ActiveProcessLimit`.
    pub fn active_process_limit(&self) -> Result<u32> {
        self.record.uint32(self.layout().ActiveProcessLimit)
    }

    /// Most committed bytes of each process. Corresponds to `_EJOB.ProcessMemoryLimit`,
    /// which counts pages.
    pub fn process_memory_limit(&self) -> Result<u64> {
        self.pages(self.layout().ProcessMemoryLimit)
    }

    /// Most committed bytes of all processes. Corresponds to `_EJOB.JobMemoryLimit`,
    /// which counts pages.
    pub fn job_memory_limit(&self) -> Result<u64> {
        self.pages(self.layout().JobMemoryLimit)
    }

    /// Lower bound of each working set in bytes. Corresponds to
    /// `_EJOB.MinimumWorkingSetSize`, which counts pages.
    pub fn minimum_working_set(&self) -> Result<u64> {
        self.pages(self.layout().MinimumWorkingSetSize)
    }

    /// Upper bound of each working set in bytes. Corresponds to
    /// `_EJOB.MaximumWorkingSetSize`, which counts pages.
    pub fn maximum_working_set(&self) -> Result<u64> {
        self.pages(self.layout().MaximumWorkingSetSize)
    }

    fn pages(&self, field: Field) -> Result<u64> {
        let count = self.record.uint(field)?;
        let bytes = count.checked_mul(PAGE_SIZE);
        bytes.ok_or_else(|| {
            let reason = format!("{count:#x} pages are more than an address space has");
            Error::corrupt("_EJOB", self.address(), reason)
        })
    }
}

/// Jobs that are nested in one; an `Err` is a gap.
pub struct ChildJobs<'a> {
    windows: &'a Windows,
    /// The list and the links in its entries.
    list: Option<(List<'a>, Field)>,
}

impl<'a> Iterator for ChildJobs<'a> {
    type Item = Result<JobObject<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (list, links) = self.list.as_mut()?;
        let entry = list.next()?;
        Some(entry.map(|entry| {
            let job = entry.wrapping_sub(links.offset());
            JobObject::new(self.windows, job)
        }))
    }
}

impl<'a> Process<'a> {
    /// The innermost job that the process belongs to. Corresponds to `_EPROCESS.Job`.
    pub fn job(&self) -> Result<Option<JobObject<'a>>> {
        let field = self.windows().layouts.job._EPROCESS.Job;
        let job = self.record().pointer_or_none(field)?;
        Ok(job.map(|job| JobObject::new(self.windows(), job)))
    }
}
