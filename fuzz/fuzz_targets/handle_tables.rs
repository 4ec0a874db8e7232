//! Damaged handle tables: walked to their end, every handle looked up, both ways agreeing.

#![no_main]

use libfuzzer_sys::{arbitrary::Arbitrary, fuzz_target};
use winvmi::os::windows::HandleTable;
use winvmi_fuzz::guest::{Aim, Patch, with_windows};

/// Handles of one table.
const LIMIT: usize = 5000;

/// Processes whose tables are walked.
const PROCESSES: usize = 8;

#[derive(Arbitrary, Debug)]
struct Plan {
    layout: u8,
    patches: Vec<Patch>,
    handles: Vec<u64>,
}

fn walk(table: &HandleTable<'_>, handles: &[u64]) {
    for entry in table.handles().take(LIMIT).flatten() {
        let found = table.lookup(entry.handle.into());
        assert!(matches!(found, Ok(Some(found)) if found.object == entry.object));
    }
    for handle in handles {
        let _ = table.lookup(*handle);
    }
}

fuzz_target!(|plan: Plan| {
    with_windows(plan.layout, Aim::HandleTables, &plan.patches, |windows| {
        for process in windows.processes().take(PROCESSES).flatten() {
            if let Ok(Some(table)) = process.handle_table() {
                walk(&table, &plan.handles);
            }
        }
        if let Ok(ids) = windows.client_ids() {
            walk(ids.table(), &plan.handles);
        }
    });
});
