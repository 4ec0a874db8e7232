//! Damaged lists and tables: an error or a gap once, good neighbours all the same.

use winvmi::os::windows::Windows;
use winvmi_forge::{Guest, Layout};

use super::support;

/// Damages the guest of each layout and hands it over.
fn each_damaged(damage: impl Fn(&mut Guest), check: impl Fn(&Windows, &Guest)) {
    for layout in Layout::ALL {
        let mut guest = support::guest(layout);
        damage(&mut guest);
        check(&support::windows(guest.clone()), &guest);
    }
}

/// Ids that came out, and the number of gaps.
fn processes(windows: &Windows) -> (Vec<u32>, usize) {
    let all: Vec<_> = windows.processes().collect();
    let gaps = all.iter().filter(|it| it.is_err()).count();
    let ids = all.into_iter().flatten().filter_map(|it| it.id().ok());
    (ids.collect(), gaps)
}

fn poke_flink(guest: &mut Guest, index: usize, value: u64) {
    let object = guest.expected().processes[index].object;
    guest.poke_field(object, "_EPROCESS", "ActiveProcessLinks.Flink", value);
}

/// Address of a process's list entry.
fn links(guest: &Guest, index: usize) -> u64 {
    let object = guest.expected().processes[index].object;
    let field = guest.profile().field("_EPROCESS", "ActiveProcessLinks");
    object + field.offset
}

#[test]
fn broken_links_cost_only_themselves() {
    let wild = [0, 1, 0xffff_8000_dead_0000, 0x0001_0000_0000_0000, u64::MAX];
    for target in wild {
        each_damaged(
            |guest| poke_flink(guest, 3, target),
            |windows, guest| {
                let (ids, gaps) = processes(windows);
                assert_eq!(gaps, 1);
                assert_eq!(ids.len(), guest.expected().processes.len());
            },
        );
    }
}

#[test]
fn cycles_end() {
    for back_to in [0, 1, 3] {
        each_damaged(
            |guest| {
                let target = links(guest, back_to);
                poke_flink(guest, 3, target);
            },
            |windows, guest| {
                let (mut ids, gaps) = processes(windows);
                assert_eq!(gaps, 1);
                ids.sort_unstable();
                ids.dedup();
                assert_eq!(ids.len(), guest.expected().processes.len());
            },
        );
    }
}

/// A process with a handle table of so many levels.
fn owner(guest: &Guest, level: u8) -> (u32, u64) {
    let processes = &guest.expected().processes;
    let owner = processes
        .iter()
        .find(|it| it.handle_table != 0 && it.handle_table_level == level && it.handle_count > 0);
    owner.map(|it| (it.pid, it.handle_table)).unwrap()
}

#[test]
fn tables_that_claim_more_than_they_have() {
    for level in [0, 1, 2] {
        each_damaged(
            |guest| {
                let (_, table) = owner(guest, level);
                guest.poke_field(table, "_HANDLE_TABLE", "NextHandleNeedingPool", 0xffff_ffff);
            },
            |windows, guest| {
                let (pid, _) = owner(guest, level);
                let process = windows.process_by_id(pid).unwrap();
                let table = process.handle_table().unwrap().unwrap();
                let all: Vec<_> = table.handles().collect();
                let gaps = all.iter().filter(|it| it.is_err()).count();
                assert_eq!(gaps, 1, "told once");
                let wanted = guest.expected().handles_of(pid).len();
                assert_eq!(all.len() - gaps, wanted);
            },
        );
    }
}

#[test]
fn tables_with_a_fourth_level() {
    each_damaged(
        |guest| {
            let (_, table) = owner(guest, 0);
            guest.poke_field(table, "_HANDLE_TABLE", "TableCode", u64::MAX);
        },
        |windows, guest| {
            let (pid, _) = owner(guest, 0);
            let process = windows.process_by_id(pid).unwrap();
            let table = process.handle_table().unwrap().unwrap();
            let all: Vec<_> = table.handles().collect();
            assert_eq!(all.len(), 1);
            assert!(all[0].is_err());
            assert!(table.lookup(4).is_err());
        },
    );
}
