//! What processes belong to: sessions, jobs; how they are protected.

use std::collections::BTreeMap;

use winvmi::{
    Error,
    core::Va,
    os::windows::{ChildJobs, JobObject, Process, ProcessProtection, Processes},
};

use super::{each_layout, support};

fn objects(processes: Processes<'_>) -> Vec<u64> {
    processes.map(|it| it.unwrap().object().0).collect()
}

#[test]
fn sessions_and_their_processes() {
    each_layout(|windows, expected| {
        let mut wanted: BTreeMap<u64, (u32, Vec<u64>)> = BTreeMap::new();
        for process in &expected.processes {
            let found = windows.process(Va(process.object));
            assert_eq!(found.session_id().unwrap(), process.session_id);
            let session = found.terminal_session().unwrap();
            assert_eq!(session.map_or(0, |it| it.address().0), process.session);
            if let Some(id) = process.session_id {
                let members = wanted.entry(process.session).or_insert((id, Vec::new()));
                members.1.push(process.object);
            }
        }
        let sessions: Vec<_> = windows.terminal_sessions().map(Result::unwrap).collect();
        assert_eq!(sessions.len(), wanted.len());
        assert!(sessions.len() > 1);
        for session in sessions {
            let (id, members) = &wanted[&session.address().0];
            assert_eq!(session.id().unwrap(), *id);
            assert_eq!(objects(session.processes().unwrap()), *members);
        }
    });
}

#[test]
fn image_paths_and_protection() {
    each_layout(|windows, expected| {
        for wanted in &expected.processes {
            let process = windows.process(Va(wanted.object));
            assert_eq!(process.image_path().unwrap(), wanted.image_path);
            match wanted.protection {
                Some(level) => {
                    assert_eq!(process.protection().unwrap(), ProcessProtection(level));
                }
                None => assert!(matches!(process.protection(), Err(Error::Layout { .. }))),
            }
        }
        let protected = |it: &winvmi_forge::ExpectedProcess| it.protection.unwrap_or(0x61) != 0;
        assert!(expected.processes.iter().any(protected));
    });
}

#[test]
fn jobs_and_their_processes() {
    each_layout(|windows, expected| {
        assert!(expected.jobs.len() > 2);
        for wanted in &expected.jobs {
            let job = windows
                .object(Va(wanted.address))
                .as_job()
                .unwrap()
                .unwrap();
            assert_eq!(objects(job.processes()), wanted.processes);
            let active = wanted.processes.len() as u32;
            assert_eq!(job.active_processes().unwrap(), active);
            assert_eq!(job.total_processes().unwrap(), active + wanted.terminated);
            assert_eq!(job.terminated_processes().unwrap(), wanted.terminated);
            assert_eq!(job.user_time().unwrap(), wanted.user_time);
            assert_eq!(job.kernel_time().unwrap(), wanted.kernel_time);
            assert_eq!(job.limits().unwrap().bits(), wanted.limit_flags);
            let restrictions = job.ui_restrictions().unwrap();
            assert_eq!(restrictions.bits(), wanted.ui_restrictions);
            assert_eq!(
                job.active_process_limit().unwrap(),
                wanted.active_process_limit
            );
            let memory = (job.process_memory_limit(), job.job_memory_limit());
            assert_eq!(memory.0.unwrap(), wanted.process_memory_limit * 4096);
            assert_eq!(memory.1.unwrap(), wanted.job_memory_limit * 4096);
            let working_set = (job.minimum_working_set(), job.maximum_working_set());
            assert_eq!(working_set.0.unwrap(), wanted.working_set.0 * 4096);
            assert_eq!(working_set.1.unwrap(), wanted.working_set.1 * 4096);
            assert_eq!(job.session_id().unwrap(), wanted.session_id);
            assert_eq!(job.id().unwrap(), wanted.id);
            let parent = job.parent().unwrap();
            assert_eq!(parent.map_or(0, |it| it.address().0), wanted.parent);
            let nested = expected
                .jobs
                .iter()
                .filter(|it| it.parent == wanted.address);
            let nested: Vec<_> = nested.map(|it| it.address).collect();
            let children = job.children().map(|it| it.unwrap().address().0);
            assert_eq!(children.collect::<Vec<_>>(), nested);
            for &process in &wanted.processes {
                let found = windows.process(Va(process)).job().unwrap().unwrap();
                assert_eq!(found.address().0, wanted.address);
            }
        }
        let system = windows.system_process().unwrap();
        assert!(system.job().unwrap().is_none());
    });
}

/// Ids that came out, sorted, and the number of gaps.
fn walk<'a>(processes: Processes<'a>) -> (Vec<u64>, usize) {
    let all: Vec<winvmi::Result<Process<'a>>> = processes.collect();
    let gaps = all.iter().filter(|it| it.is_err()).count();
    let mut objects: Vec<_> = all.into_iter().flatten().map(|it| it.object().0).collect();
    objects.sort_unstable();
    objects.dedup();
    (objects, gaps)
}

#[test]
fn cyclic_and_wild_session_lists_end() {
    for target in [None, Some(0), Some(0xffff_8000_dead_0000), Some(u64::MAX)] {
        support::altered(
            |guest| {
                let of_first = |it: &&winvmi_forge::ExpectedProcess| it.session_id == Some(0);
                let processes = &guest.expected().processes;
                let members: Vec<_> = processes.iter().filter(of_first).collect();
                let (first, third) = (members[0].object, members[2].object);
                let links = guest
                    .profile()
                    .field("_EPROCESS", "SessionProcessLinks")
                    .offset;
                let target = target.unwrap_or(first + links);
                guest.poke_field(third, "_EPROCESS", "SessionProcessLinks.Flink", target);
            },
            |windows, expected| {
                let members = expected.processes.iter();
                let members: Vec<_> = members.filter(|it| it.session_id == Some(0)).collect();
                let session = windows.process(Va(members[0].object)).terminal_session();
                let processes = session.unwrap().unwrap().processes().unwrap();
                let (found, gaps) = walk(processes);
                assert_eq!((found.len(), gaps), (members.len(), 1));
            },
        );
    }
}

#[test]
fn damaged_jobs_and_sessions_are_told() {
    const VOID: u64 = 0xffff_8000_dead_0000;
    support::altered(
        |guest| {
            let expected = guest.expected().clone();
            let job = expected.jobs[0].address;
            guest.poke_field(job, "_EJOB", "ProcessListHead.Flink", VOID);
            guest.poke_field(job, "_EJOB", "JobMemoryLimit", u64::MAX);
            if expected.jobs[1].parent != 0 {
                guest.poke_field(job, "_EJOB", "ChildJobListHead.Flink", VOID);
            }
            let process = expected.jobs[0].processes[0];
            guest.poke_field(process, "_EPROCESS", "Session", VOID);
            let audit = "SeAuditProcessCreationInfo.ImageFileName";
            guest.poke_field(process, "_EPROCESS", audit, VOID);
        },
        |windows, expected| {
            let wanted = &expected.jobs[0];
            let job = JobObject::new(windows, Va(wanted.address));
            let (found, gaps) = walk(job.processes());
            assert_eq!((found.len(), gaps), (wanted.processes.len(), 1));
            assert!(matches!(job.job_memory_limit(), Err(Error::Corrupt { .. })));
            let children = usize::from(expected.jobs[1].parent != 0);
            let (found, gaps) = walk_jobs(job.children());
            assert_eq!((found, gaps), (children, children));
            let process = windows.process(Va(wanted.processes[0]));
            assert!(process.session_id().is_err());
            assert!(process.image_path().is_err());
            let session = windows.terminal_sessions().filter_map(Result::ok);
            assert_eq!(session.filter(|it| it.id().is_err()).count(), 1);
        },
    );
}

/// How many jobs and how many gaps an iterator gives.
fn walk_jobs(jobs: ChildJobs<'_>) -> (usize, usize) {
    let (found, gaps): (Vec<_>, Vec<_>) = jobs.take(100).partition(Result::is_ok);
    (found.len(), gaps.len())
}
