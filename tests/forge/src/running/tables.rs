//! Descriptor tables and processor regions, as the code needs them.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::process::thread;
use crate::running::plan::Plan;
use crate::running::words::ProcessorWord;

/// Offset of the task state in the page of the GDT.
const TASK_STATE: u64 = 0x800;
/// Size of the task state, of the GDT and of the IDT.
const TASK_STATE_SIZE: u64 = 0x68;
const GDT_SIZE: u64 = 0x60;
const IDT_SIZE: u64 = 0x1000;
/// Offsets in the task state: the stack of kernel mode, the I/O permission map.
const RSP0: u64 = 4;
const IO_MAP: u64 = 0x66;
/// Size of the stack for what interrupts user mode.
const INTERRUPT_STACK: u64 = 0x2000;
/// Segments at the selectors of Windows: kernel code and data; user 32-bit code, data, 64-bit
/// code, data of the 32-bit TEB.
const SEGMENTS: [(u64, u64); 6] = [
    (0x10, 0x0020_9b00_0000_0000),
    (0x18, 0x00cf_9300_0000_ffff),
    (0x20, 0x00cf_fb00_0000_ffff),
    (0x28, 0x00cf_f300_0000_ffff),
    (0x30, 0x0020_fb00_0000_0000),
    (0x50, 0x00cf_f300_0000_ffff),
];
/// Selector of the task state, and its type: available, present.
const TASK: u64 = 0x40;
const TASK_TYPE: u64 = 0x89;
/// Selector of kernel code, and types of interrupt gates: for the processor, for INT3.
const KERNEL_CODE: u64 = 0x10;
const GATE: u64 = 0x8e;
const USER_GATE: u64 = 0xee;
/// Vector of INT3.
const BREAKPOINT: u32 = 3;

/// Makes every processor idle, with its tables and stacks. `entries` are the handlers by vector.
pub(super) fn build(guest: &mut Guest, plan: &Plan, entries: &[(u32, u64)]) {
    for number in 0..plan.processor_count {
        idle(guest, plan, number);
        let processor = guest.expected.processors[number as usize].clone();
        let gdt = guest.peek_field(processor.kpcr, "_KPCR", "GdtBase");
        let idt = guest.peek_field(processor.kpcr, "_KPCR", "IdtBase");
        write_segments(guest, gdt);
        write_task_state(guest, gdt);
        guest.poke_field(processor.kpcr, "_KPCR", "TssBase", gdt + TASK_STATE);
        for (vector, entry) in entries {
            write_gate(guest, idt, *vector, *entry);
        }
        let words = plan.processor(number);
        for (word, base, size) in [
            (ProcessorWord::Gdt, gdt, GDT_SIZE),
            (ProcessorWord::Idt, idt, IDT_SIZE),
        ] {
            let at = words + word.offset();
            guest.write(at, &(size as u16 - 1).to_le_bytes());
            guest.write(at + 2, &base.to_le_bytes());
        }
        guest.write_u64(words + ProcessorWord::Region.offset(), processor.kpcr);
        let size = guest.profile.size_of("_KPCR");
        for page in (0..size).step_by(PAGE_SIZE as usize) {
            guest.map_in_shadow(processor.kpcr + page);
        }
        guest.map_in_shadow(gdt);
        guest.map_in_shadow(idt);
    }
}

/// Lets the processor's idle thread run.
fn idle(guest: &mut Guest, plan: &Plan, number: u64) {
    let processor = guest.expected.processors[number as usize].clone();
    if processor.current_thread != processor.idle_thread {
        let waiting = thread::WAITING;
        guest.poke_field(
            processor.current_thread,
            "_ETHREAD",
            "Tcb.State",
            waiting.into(),
        );
        for known in &mut guest.expected.threads {
            if known.object == processor.current_thread {
                known.state = waiting;
            }
        }
    }
    guest.poke_field(
        processor.kprcb,
        "_KPRCB",
        "CurrentThread",
        processor.idle_thread,
    );
    guest.poke_field(processor.kprcb, "_KPRCB", "NextThread", 0);
    let expected = &mut guest.expected.processors[number as usize];
    expected.current_thread = processor.idle_thread;
    expected.next_thread = 0;
    let words = plan.processor(number);
    guest.poke_field(processor.idle_thread, "_ETHREAD", "Tcb.Win32Thread", words);
    let stack = map_stack(guest, processor.idle_thread);
    guest.write_u64(words + ProcessorWord::IdleStack.offset(), stack);
}

/// Maps all of a thread's kernel stack: its initial stack pointer.
pub(super) fn map_stack(guest: &mut Guest, thread: u64) -> u64 {
    let limit = guest.peek_field(thread, "_ETHREAD", "Tcb.StackLimit");
    let base = guest.peek_field(thread, "_ETHREAD", "Tcb.StackBase");
    guest.map_kernel(limit, base - limit);
    guest.peek_field(thread, "_ETHREAD", "Tcb.InitialStack")
}

fn write_segments(guest: &mut Guest, gdt: u64) {
    for (selector, descriptor) in SEGMENTS {
        guest.write_u64(gdt + selector, descriptor);
    }
    let base = gdt + TASK_STATE;
    let low = (TASK_STATE_SIZE - 1)
        | ((base & 0xff_ffff) << 16)
        | TASK_TYPE << 40
        | (base >> 24 & 0xff) << 56;
    guest.write_u64(gdt + TASK, low);
    guest.write_u64(gdt + TASK + 8, base >> 32);
}

fn write_task_state(guest: &mut Guest, gdt: u64) {
    let stack = guest.allocate_pages(INTERRUPT_STACK);
    for page in (0..INTERRUPT_STACK).step_by(PAGE_SIZE as usize) {
        guest.map_in_shadow(stack + page);
    }
    guest.write_u64(gdt + TASK_STATE + RSP0, stack + INTERRUPT_STACK);
    let io_map = TASK_STATE_SIZE as u16;
    guest.write(gdt + TASK_STATE + IO_MAP, &io_map.to_le_bytes());
}

fn write_gate(guest: &mut Guest, idt: u64, vector: u32, entry: u64) {
    let kind = if vector == BREAKPOINT {
        USER_GATE
    } else {
        GATE
    };
    let low = entry & 0xffff | KERNEL_CODE << 16 | kind << 40 | (entry >> 16 & 0xffff) << 48;
    guest.write_u64(idt + u64::from(vector) * 16, low);
    guest.write_u64(idt + u64::from(vector) * 16 + 8, entry >> 32);
}
