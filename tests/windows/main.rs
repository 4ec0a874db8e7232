//! Processes, threads, handles, modules and processors of forged guests, field
//! by field, on all eight layouts.

mod current;
mod damage;
mod pages;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use winvmi::os::windows::{HandleEntry, PreviousMode, Process, Thread, WaitMode, Windows};
use winvmi_forge::{Expected, ExpectedProcess, ExpectedThread, Layout};

/// A forged guest of each layout with the answers.
fn each_layout(check: impl Fn(&Windows, &Expected)) {
    for layout in Layout::ALL {
        let guest = support::guest(layout);
        let expected = guest.expected().clone();
        eprintln!("{}", expected.kernel.layout);
        check(&support::windows(guest), &expected);
    }
}

fn assert_process(process: &Process<'_>, expected: &ExpectedProcess) {
    let address = |va: Option<winvmi::core::Va>| va.map_or(0, |va| va.0);
    assert_eq!(process.id().unwrap(), expected.pid);
    assert_eq!(process.parent_id().unwrap(), expected.parent_pid);
    // `_EPROCESS.ImageFileName` holds 14 bytes of a longer name.
    assert!(expected.name.starts_with(&process.name().unwrap()));
    assert_eq!(process.translation_root().unwrap().0, expected.root);
    assert_eq!(
        process.user_translation_root().unwrap().0,
        expected.user_root
    );
    assert_eq!(process.create_time().unwrap().0, expected.create_time);
    assert_eq!(process.exit_time().unwrap().0, expected.exit_time);
    assert_eq!(process.exit_status().unwrap(), expected.exit_status);
    assert_eq!(process.is_wow64().unwrap(), expected.is_wow64);
    assert_eq!(process.image_base().unwrap().0, expected.image_base);
    let peb = |peb: Option<winvmi::os::windows::PebAddress>| peb.map_or(0, |peb| peb.address.0);
    assert_eq!(peb(process.peb().unwrap()), expected.peb);
    assert_eq!(peb(process.native_peb().unwrap()), expected.native_peb);
    assert_eq!(address(process.session().unwrap()), expected.session);
    assert_eq!(address(process.token().unwrap()), expected.token);
    let table = process.handle_table_address().unwrap();
    assert_eq!(address(table), expected.handle_table);
    assert_eq!(process.active_threads().unwrap(), expected.thread_count);
}

#[test]
fn processes_of_the_list() {
    each_layout(|windows, expected| {
        let found: Vec<_> = windows.processes().map(Result::unwrap).collect();
        assert_eq!(found.len(), expected.processes.len());
        for (process, expected) in found.iter().zip(&expected.processes) {
            assert_eq!(process.object().0, expected.object);
            assert_process(process, expected);
            let mut buffer = [0; Process::SNAPSHOT];
            assert_process(&process.with_copy(&mut buffer), expected);
        }
    });
}

#[test]
fn processes_by_id_and_name() {
    each_layout(|windows, expected| {
        for expected in &expected.processes {
            let process = windows.process_by_id(expected.pid).unwrap();
            assert_eq!(process.object().0, expected.object);
            let name = process.name().unwrap().to_uppercase();
            assert!(windows.process_by_name(&name).is_ok());
        }
        assert!(windows.process_by_id(0x7fff_fffc).is_err());
        assert!(windows.process_by_name("no such.exe").is_err());
        let idle = windows.idle_process().unwrap();
        assert_eq!(idle.object().0, expected.idle_process);
        assert_eq!(windows.system_process().unwrap().id().unwrap(), 4);
    });
}

#[test]
fn processes_of_the_id_table() {
    each_layout(|windows, expected| {
        let table = windows.client_ids().unwrap();
        let mut found: Vec<_> = table.processes().map(|it| it.unwrap().object().0).collect();
        let mut wanted: Vec<_> = expected.processes.iter().map(|it| it.object).collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
        // Idle threads have no id of their own.
        for thread in expected.threads.iter().filter(|it| it.tid != 0) {
            let found = table.thread(thread.tid).unwrap();
            assert_eq!(found.object().0, thread.object);
        }
        let thread = expected.threads.iter().find(|it| it.tid != 0).unwrap();
        assert!(table.process(thread.tid).is_err());
    });
}

fn assert_thread(thread: &Thread<'_>, expected: &ExpectedThread) {
    let address = |va: Option<winvmi::core::Va>| va.map_or(0, |va| va.0);
    let object = |process: Option<Process<'_>>| process.map_or(0, |it| it.object().0);
    assert_eq!(thread.id().unwrap(), expected.tid);
    assert_eq!(thread.process_id().unwrap(), expected.pid);
    assert_eq!(thread.process().unwrap().object().0, expected.process);
    assert_eq!(
        object(thread.current_process().unwrap()),
        expected.current_process
    );
    assert_eq!(
        object(thread.saved_process().unwrap()),
        expected.saved_process
    );
    assert_eq!(thread.apc_state_index().unwrap(), expected.apc_state_index);
    assert_eq!(thread.is_attached().unwrap(), expected.apc_state_index != 0);
    assert_eq!(thread.state().unwrap().0, expected.state);
    assert_eq!(thread.wait_reason().unwrap().0, expected.wait_reason);
    assert_eq!(
        thread.wait_mode().unwrap(),
        WaitMode::from(expected.wait_mode)
    );
    assert_eq!(thread.is_alertable().unwrap(), expected.alertable);
    let mode = PreviousMode::from(expected.previous_mode);
    assert_eq!(thread.previous_mode().unwrap(), mode);
    assert_eq!(thread.syscall_number().unwrap(), expected.syscall_number);
    assert_eq!(thread.next_processor().unwrap(), expected.next_processor);
    assert_eq!(thread.create_time().unwrap().0, expected.create_time);
    assert_eq!(thread.exit_time().unwrap().0, expected.exit_time);
    assert_eq!(thread.exit_status().unwrap(), expected.exit_status);
    assert_eq!(thread.start_address().unwrap().0, expected.start_address);
    let start = thread.win32_start_address().unwrap();
    assert_eq!(start.0, expected.win32_start_address);
    assert_eq!(address(thread.teb().unwrap()), expected.teb);
    assert_eq!(address(thread.native_teb().unwrap()), expected.native_teb);
    assert_eq!(thread.kernel_stack().unwrap().0, expected.kernel_stack);
    let token = thread.impersonation_token().unwrap();
    assert_eq!(address(token), expected.impersonation_token);
    let group = thread.scheduling_group().unwrap();
    assert_eq!(address(group), expected.scheduling_group);
}

#[test]
fn threads_of_every_process() {
    each_layout(|windows, expected| {
        let mut count = 0;
        for owner in &expected.processes {
            let process = windows.process(winvmi::core::Va(owner.object));
            let threads: Vec<_> = process.threads().map(Result::unwrap).collect();
            let wanted: Vec<_> = expected.threads_of(owner.object).collect();
            assert_eq!(threads.len(), wanted.len(), "{}", owner.name);
            for (thread, wanted) in threads.iter().zip(wanted) {
                assert_eq!(thread.object().0, wanted.object);
                assert_thread(thread, wanted);
                let mut buffer = [0; Thread::SNAPSHOT];
                assert_thread(&thread.with_copy(&mut buffer), wanted);
                count += 1;
            }
        }
        assert!(count > 10);
    });
}

#[test]
fn handles_of_every_process() {
    each_layout(|windows, expected| {
        let mut levels = [0; 3];
        for owner in &expected.processes {
            let process = windows.process(winvmi::core::Va(owner.object));
            let Some(table) = process.handle_table().unwrap() else {
                assert_eq!(owner.handle_table, 0);
                continue;
            };
            levels[usize::from(owner.handle_table_level)] += 1;
            let found: BTreeMap<u32, HandleEntry> = table
                .handles()
                .map(|entry| entry.map(|entry| (entry.handle, entry)).unwrap())
                .collect();
            let wanted = expected.handles_of(owner.pid);
            assert_eq!(found.len(), wanted.len(), "{}", owner.name);
            for handle in wanted {
                let entry = found[&handle.handle];
                assert_eq!(entry.object.0, handle.object);
                assert_eq!(entry.granted_access, handle.access);
                assert_eq!(entry.attributes.bits(), handle.attributes);
                // The low two bits are the caller's.
                let looked_up = table.lookup(u64::from(handle.handle) | 3).unwrap();
                assert_eq!(looked_up, Some(entry));
            }
            let beyond = u64::from(table.next_handle_needing_pool());
            assert_eq!(table.lookup(beyond).unwrap(), None);
        }
        assert!(
            levels.iter().all(|&count| count > 0),
            "tables of one to three levels"
        );
    });
}

#[test]
fn modules_of_the_kernel() {
    each_layout(|windows, expected| {
        let found: Vec<_> = windows.modules().map(Result::unwrap).collect();
        assert_eq!(found.len(), expected.modules.len());
        for (module, wanted) in found.iter().zip(&expected.modules) {
            assert_eq!(module.entry().0, wanted.entry);
            assert_eq!(module.base().unwrap().0, wanted.base);
            assert_eq!(module.size().unwrap(), wanted.size);
            assert_eq!(module.entry_point().unwrap().0, wanted.entry_point);
            assert_eq!(module.name().unwrap(), wanted.name);
            assert_eq!(module.path().unwrap(), wanted.path);
            let stamp = module.time_date_stamp().unwrap();
            assert!(stamp.is_none_or(|stamp| stamp == wanted.time_stamp));
        }
        let inside = winvmi::core::Va(expected.modules[1].base + 16);
        let module = windows.module_at(inside).unwrap();
        assert_eq!(module.base().unwrap().0, expected.modules[1].base);
    });
}

#[test]
fn facts_and_processors() {
    each_layout(|windows, expected| {
        let facts = windows.facts();
        let kernel = &expected.kernel;
        assert_eq!(facts.build, Some(kernel.build));
        assert_eq!(facts.build_lab.as_ref(), Some(&kernel.build_lab_ex));
        assert_eq!(facts.processors, Some(kernel.processors));
        assert_eq!(facts.kva_shadow, Some(kernel.kva_shadow));
        let highest = facts.highest_user_address.map(|va| va.0);
        assert_eq!(highest, Some(kernel.highest_user_address));
        assert_eq!(windows.root().0, kernel.system_root);
        for wanted in &expected.processors {
            let processor = windows.processor(wanted.number as u16).unwrap();
            assert_eq!(processor.prcb().0, wanted.kprcb);
            assert_eq!(processor.pcr().0, wanted.kpcr);
            assert_eq!(processor.number().unwrap(), wanted.number);
            let current = processor.current_thread().unwrap();
            assert_eq!(current.object().0, wanted.current_thread);
            let registers = processor.saved_registers().unwrap();
            assert_eq!(registers.rip, wanted.registers.rip);
            assert_eq!(registers.rsp, wanted.registers.rsp);
            assert_eq!(registers.cr3, wanted.registers.cr3);
            assert_eq!(registers.lstar, wanted.registers.lstar);
            assert_eq!(registers.gs.base, wanted.registers.gs_base);
            assert_eq!(registers.kernel_gs_base, wanted.registers.kernel_gs_base);
        }
    });
}

#[test]
fn threads_held_back_by_their_groups() {
    each_layout(|windows, expected| {
        let mut held_back = 0;
        for wanted in &expected.threads {
            let thread = windows.thread(winvmi::core::Va(wanted.object));
            let constrained = thread.is_constrained_by_scheduling_group().unwrap();
            assert_eq!(constrained, wanted.scheduling_group != 0);
            for number in 0..expected.processors.len() as u32 {
                let processor = windows.processor(number as u16).unwrap();
                let found = thread.is_held_back_by_scheduling_group(&processor).unwrap();
                assert_eq!(found, wanted.held_back_on.contains(&number));
                held_back += u32::from(found);
            }
        }
        let groups = expected.threads.iter().any(|it| it.scheduling_group != 0);
        assert_eq!(held_back > 0, groups);
    });
}
