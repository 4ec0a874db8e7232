//! Jobs.

use crate::expected::ExpectedJob;
use crate::guest::Guest;

/// A job to be made.
#[derive(Clone, Debug, Default)]
pub struct JobSpec {
    /// Path in the object namespace, or none.
    pub path: Option<String>,
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
    pub id: u32,
    /// Job that it is nested in, or 0; where the layout has nested jobs.
    pub parent: u64,
    /// `TotalProcesses` beyond the members, all of which a limit ended.
    pub terminated: u32,
}

impl Guest {
    /// Makes a job of processes: its address.
    pub fn create_job(&mut self, spec: &JobSpec, processes: &[u64]) -> u64 {
        let size = self.body_size("Job");
        let job = match &spec.path {
            Some(path) => self.create_named("Job", path, size),
            None => self.create_unnamed("Job", size),
        };
        let members = processes.len() as u64;
        let mut record = self.record("_EJOB");
        record
            .set_empty_list("ProcessListHead", job)
            .set("TotalProcesses", members + u64::from(spec.terminated))
            .set("ActiveProcesses", members)
            .set("TotalTerminatedProcesses", spec.terminated.into())
            .set("TotalUserTime.QuadPart", 11_000_000)
            .set("TotalKernelTime.QuadPart", 3_000_000)
            .set("LimitFlags", spec.limit_flags.into())
            .set("ActiveProcessLimit", spec.active_process_limit.into())
            .set("ProcessMemoryLimit", spec.process_memory_limit)
            .set("JobMemoryLimit", spec.job_memory_limit)
            .set("MinimumWorkingSetSize", spec.working_set.0)
            .set("MaximumWorkingSetSize", spec.working_set.1)
            .set("UIRestrictionsClass", spec.ui_restrictions.into())
            .set("SessionId", spec.session_id.into())
            .set_if("JobId", spec.id.into())
            .set_if("ParentJob", spec.parent);
        self.write_record(job, &record);
        self.nest_job(job, spec.parent);
        for &process in processes {
            self.join_job(job, process);
        }
        self.expect_job(job, spec, processes);
        job
    }

    /// Makes the list of a job's children, and puts the job on that of its parent.
    fn nest_job(&mut self, job: u64, parent: u64) {
        if !self.profile.has_field("_EJOB", "ChildJobListHead") {
            return;
        }
        let children = self.profile.offset("_EJOB", "ChildJobListHead");
        let links = job + self.profile.offset("_EJOB", "SiblingJobLinks");
        self.empty_list(job + children);
        match parent {
            0 => self.empty_list(links),
            parent => self.append_to_list(parent + children, links),
        }
    }

    fn join_job(&mut self, job: u64, process: u64) {
        self.poke_field(process, "_EPROCESS", "Job", job);
        let head = job + self.profile.offset("_EJOB", "ProcessListHead");
        let links = process + self.profile.offset("_EPROCESS", "JobLinks");
        self.append_to_list(head, links);
    }

    fn expect_job(&mut self, job: u64, spec: &JobSpec, processes: &[u64]) {
        let has = |field| self.profile.has_field("_EJOB", field);
        self.expected.jobs.push(ExpectedJob {
            address: job,
            processes: processes.to_vec(),
            terminated: spec.terminated,
            user_time: 11_000_000,
            kernel_time: 3_000_000,
            limit_flags: spec.limit_flags,
            active_process_limit: spec.active_process_limit,
            process_memory_limit: spec.process_memory_limit,
            job_memory_limit: spec.job_memory_limit,
            working_set: spec.working_set,
            ui_restrictions: spec.ui_restrictions,
            session_id: spec.session_id,
            id: has("JobId").then_some(spec.id),
            parent: if has("ParentJob") { spec.parent } else { 0 },
        });
    }
}
