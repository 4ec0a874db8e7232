//! Thread environment blocks and trap frames.

use winvmi_forge::{Expected, ExpectedTeb, Width};

use super::{numbers, table, text};

/// What threads left behind.
pub fn write(expected: &Expected, out: &mut String) {
    thread_blocks(expected, out);
    trap_frames(expected, out);
}

fn thread_blocks(expected: &Expected, out: &mut String) {
    let blocks = expected
        .threads
        .iter()
        .flat_map(|thread| thread.tebs.iter().map(|it| (thread.object, it)));
    let row = |(thread, it): (u64, &ExpectedTeb)| {
        let slot = it.tls_slots.first().copied().unwrap_or((0, 0));
        numbers(&[
            thread,
            it.address,
            it.peb,
            it.stack_base,
            it.stack_limit,
            // WVMI_ARCHITECTURE_X64 and _X86.
            if it.width == Width::Amd64 { 1 } else { 2 },
            it.last_error.into(),
            it.last_status.into(),
            slot.0 as u64,
            slot.1,
        ])
    };
    table(out, "teb", "tebs", blocks.map(row));
}

fn trap_frames(expected: &Expected, out: &mut String) {
    let registers = expected.threads.iter().flat_map(|thread| {
        let registers = thread.trap_registers.iter();
        registers.map(|(name, value)| (thread.object, name, *value))
    });
    let row = |(thread, name, value): (u64, &String, u64)| {
        format!("{thread:#x}U, {}, {value:#x}U", text(Some(name)))
    };
    table(out, "trap", "traps", registers.map(row));
}
