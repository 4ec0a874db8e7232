//! Processes, threads, handles, tokens.

use serde_json::{Value, json};
use winvmi_forge::{Expected, ExpectedGroup, ExpectedJob, ExpectedProcess, ExpectedToken};

use super::{check, each_layout, hex, hex_or_null, rows};

/// Commands that are checked here.
pub const COMMANDS: [&str; 4] = ["ps", "threads", "handles", "tokens"];

fn job(job: &ExpectedJob) -> Value {
    json!({
        "object": hex(job.address),
        "id": job.id,
        "parent": hex_or_null(job.parent),
        "limits": hex(job.limit_flags.into()),
        "session_id": job.session_id,
        "total_processes": job.processes.len() as u32 + job.terminated,
        "active_processes": job.processes.len(),
        "terminated_processes": job.terminated,
    })
}

#[test]
fn ps_tells_of_every_process() {
    each_layout(|forged| {
        let expected = &forged.expected;
        let rows = rows(forged, "ps", &[]);
        assert_eq!(rows.len(), expected.processes.len());
        for (row, it) in rows.iter().zip(&expected.processes) {
            let mut jobs = expected.jobs.iter();
            let own_job = jobs.find(|job| job.processes.contains(&it.object));
            let placed = json!({
                "object": hex(it.object),
                "pid": it.pid,
                "parent_pid": it.parent_pid,
                "name": it.name,
                "create_time": it.create_time,
                "exit_time": it.exit_time,
                "exit_status": it.exit_status,
                "wow64": it.is_wow64,
                "root": hex(it.root),
                "user_root": hex(it.user_root),
                "image_base": hex(it.image_base),
                "peb": hex_or_null(it.peb),
                "native_peb": hex_or_null(it.native_peb),
                "session": hex_or_null(it.session),
                "session_id": it.session_id,
                "token": hex_or_null(it.token),
                "handle_table": hex_or_null(it.handle_table),
                "active_threads": it.thread_count,
                "protection": it.protection,
                "image_path": it.image_path,
                "job": own_job.map(job),
            });
            check(row, placed, &[]);
        }
    });
}

fn owner(expected: &Expected, process: u64) -> &ExpectedProcess {
    let mut processes = expected.processes.iter();
    processes.find(|it| it.object == process).unwrap()
}

#[test]
fn threads_tells_of_every_thread() {
    each_layout(|forged| {
        let expected = &forged.expected;
        let rows = rows(forged, "threads", &[]);
        let of_processes = expected.processes.iter();
        let threads: Vec<_> = of_processes
            .flat_map(|it| expected.threads_of(it.object))
            .collect();
        assert_eq!(rows.len(), threads.len());
        for (row, it) in rows.iter().zip(threads) {
            let placed = json!({
                "process": hex(it.process),
                "pid": owner(expected, it.process).pid,
                "object": hex(it.object),
                "tid": it.tid,
                "current_process": hex_or_null(it.current_process),
                "saved_process": hex_or_null(it.saved_process),
                "create_time": it.create_time,
                "exit_time": it.exit_time,
                "exit_status": it.exit_status,
                "start_address": hex(it.start_address),
                "win32_start_address": hex(it.win32_start_address),
                "teb": hex_or_null(it.teb),
                "native_teb": hex_or_null(it.native_teb),
                "trap_frame": hex_or_null(it.trap_frame),
                "kernel_stack": hex(it.kernel_stack),
                "impersonation_token": hex_or_null(it.impersonation_token),
                "scheduling_group": hex_or_null(it.scheduling_group),
                "next_processor": it.next_processor,
                "syscall_number": it.syscall_number,
                "state": it.state,
                "wait_reason": it.wait_reason,
                "previous_mode": it.previous_mode,
                "apc_state_index": it.apc_state_index,
                "alertable": it.alertable,
            });
            let unplaced = [
                "stack_base",
                "stack_limit",
                "state_name",
                "wait_reason_name",
                "priority",
                "base_priority",
                "name",
            ];
            check(row, placed, &unplaced);
            assert!(row["state_name"].is_string() && row["wait_reason_name"].is_string());
        }
    });
}

#[test]
fn handles_tells_of_every_handle() {
    each_layout(|forged| {
        let expected = &forged.expected;
        let objects = expected.objects_by_address();
        let rows = rows(forged, "handles", &[]);
        let of_processes = expected.processes.iter();
        let handles: Vec<_> = of_processes
            .flat_map(|it| expected.handles_of(it.pid))
            .collect();
        assert_eq!(rows.len(), handles.len());
        for (row, it) in rows.iter().zip(handles) {
            let object = objects[&it.object];
            let placed = json!({
                "process": hex(expected.process(it.pid).unwrap().object),
                "pid": it.pid,
                "handle": it.handle,
                "object": hex(it.object),
                "attributes": it.attributes,
                "granted_access": hex(it.access.into()),
                "type_name": object.type_name,
                "name": object.path.as_ref().or(object.name.as_ref()),
            });
            check(row, placed, &[]);
        }
    });
}

fn groups(groups: &[ExpectedGroup]) -> Vec<(&str, Value)> {
    let group = |it: &ExpectedGroup| hex(it.attributes.into());
    groups.iter().map(|it| (&*it.sid, group(it))).collect()
}

/// SIDs and attributes of a list; names stand beside them.
fn printed_groups(list: &Value) -> Vec<(&str, Value)> {
    let group = |it: &Value| it["attributes"].clone();
    let list = list.as_array().unwrap().iter();
    list.map(|it| (it["sid"].as_str().unwrap(), group(it)))
        .collect()
}

/// Masks of the privileges that are present, enabled, and enabled by default.
fn printed_privileges(list: &Value) -> [u64; 3] {
    let mut masks = [0; 3];
    for it in list.as_array().unwrap() {
        let bit = 1 << it["number"].as_u64().unwrap();
        assert!(it["name"].is_string());
        for (mask, state) in masks
            .iter_mut()
            .zip(["present", "enabled", "enabled_by_default"])
        {
            *mask |= if it[state] == true { bit } else { 0 };
        }
    }
    masks
}

fn token(it: &ExpectedToken) -> Value {
    let kinds = ["unknown", "primary", "impersonation"];
    let levels = ["anonymous", "identification", "impersonation", "delegation"];
    let elevations = ["default", "full", "limited"];
    json!({
        "object": hex(it.address),
        "type": kinds[it.kind as usize],
        "impersonation_level": levels[it.impersonation_level as usize],
        "token_id": hex(it.id),
        "authentication_id": hex(it.authentication_id),
        "parent_id": hex(it.parent_id),
        "modified_id": hex(it.modified_id),
        "originating_logon_id": hex(it.originating_logon_id),
        "session_id": it.session_id,
        "source": it.source_name,
        "flags": hex(it.flags.into()),
        "in_use": it.in_use,
        "elevation_name": elevations[it.elevation as usize - 1],
        "integrity_level": it.integrity,
        "user": it.user.sid,
        "user_attributes": it.user.attributes,
        "primary_group": it.primary_group,
        "default_owner": it.default_owner,
    })
}

#[test]
fn tokens_tells_of_processes_and_threads() {
    each_layout(|forged| {
        let expected = &forged.expected;
        let rows = rows(forged, "tokens", &[]);
        let mut placed = Vec::new();
        for process in &expected.processes {
            placed.push((process, None, process.token));
            let threads = expected.threads_of(process.object);
            let acting = threads.filter(|it| it.impersonation_token != 0);
            placed.extend(acting.map(|it| (process, Some(it.tid), it.impersonation_token)));
        }
        assert_eq!(rows.len(), placed.len());
        for (row, (process, tid, address)) in rows.iter().zip(placed) {
            let it = expected.token(address).unwrap();
            let Value::Object(mut facts) = token(it) else {
                unreachable!();
            };
            facts.insert("process".into(), hex(process.object));
            facts.insert("pid".into(), process.pid.into());
            facts.insert("name".into(), process.name.clone().into());
            facts.insert("tid".into(), tid.into());
            let lists = ["groups", "restricted_sids", "capabilities", "privileges"];
            let names = ["integrity_name", "user_name"];
            check(row, Value::Object(facts), &[&lists[..], &names].concat());
            assert_eq!(printed_groups(&row["groups"]), groups(&it.groups));
            let restricted = printed_groups(&row["restricted_sids"]);
            assert_eq!(restricted, groups(&it.restricted));
            let capabilities = printed_groups(&row["capabilities"]);
            assert_eq!(capabilities, groups(&it.capabilities));
            let masks = [it.present, it.enabled, it.enabled_by_default];
            assert_eq!(printed_privileges(&row["privileges"]), masks);
        }
    });
}
