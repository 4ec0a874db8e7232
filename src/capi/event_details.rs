//! `wvmi_event_details`: everything about an event at once.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    current_event::Event,
    event::wvmi_event,
    ffi::{Call, Plain},
    process::wvmi_process,
    registers::wvmi_registers,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
};
use crate::{
    core::{Va, driver::EventReason},
    error::Result,
    monitor::Occurrence,
    os::windows::PreviousMode,
};

/// Why an event came; one of the `WVMI_EVENT_*` numbers.
pub type wvmi_event_kind = u32;

/// A hooked instruction was reached.
pub const WVMI_EVENT_BREAKPOINT: wvmi_event_kind = 1;
/// Hooked memory was accessed.
pub const WVMI_EVENT_MEMORY: wvmi_event_kind = 2;
/// A control register was written: `number` is 0, 3, 4, or 8 for XCR0.
pub const WVMI_EVENT_CONTROL_REGISTER: wvmi_event_kind = 3;
/// A model-specific register was written: `number` is its index.
pub const WVMI_EVENT_MSR: wvmi_event_kind = 4;
/// `CPUID` was executed: `number` is the leaf, `old_value` the subleaf.
pub const WVMI_EVENT_CPUID: wvmi_event_kind = 5;
/// A port was accessed: `number` is the port.
pub const WVMI_EVENT_IO: wvmi_event_kind = 6;
/// Another interrupt or exception: `number` is its vector, `old_value` its error
/// code, `new_value` what comes with it: CR2 of a page fault, bits of DR6 of a debug
/// exception.
pub const WVMI_EVENT_INTERRUPT: wvmi_event_kind = 7;
/// An instruction was stepped over.
pub const WVMI_EVENT_SINGLE_STEP: wvmi_event_kind = 8;
/// The guest asked for attention.
pub const WVMI_EVENT_HYPERCALL: wvmi_event_kind = 9;

/// `process`, `attached`, `thread`, `process_id` and `thread_id` are filled.
pub const WVMI_EVENT_VALID_IDENTITY: u64 = 1;
/// `parent_process_id` and `image_name` are filled.
pub const WVMI_EVENT_VALID_PROCESS: u64 = 2;
/// `previous_mode` is filled.
pub const WVMI_EVENT_VALID_PREVIOUS_MODE: u64 = 4;
/// `memory_virtual` is filled.
pub const WVMI_EVENT_VALID_MEMORY_VIRTUAL: u64 = 8;
/// `session` is filled.
pub const WVMI_EVENT_VALID_SESSION: u64 = 16;
/// `irql` is filled: the processor was in user mode, or the back end tells the level
/// with each event. Else `wvmi_event_irql()` asks for it.
pub const WVMI_EVENT_VALID_IRQL: u64 = 32;

/// The page asked for with `WVMI_ACTION_RETRY` cannot be brought in.
pub const WVMI_EVENT_NOT_RESIDENT: u32 = 1;
/// The hook exceeds its rate limit: it is suspended after this call.
pub const WVMI_EVENT_SUSPENDED: u32 = 2;
/// The memory was accessed by the processor's own page walk.
pub const WVMI_EVENT_PAGE_WALK: u32 = 4;
/// The port was read (`IN`), not written.
pub const WVMI_EVENT_INPUT: u32 = 8;
/// The port was accessed by a string instruction.
pub const WVMI_EVENT_STRING: u32 = 16;

/// An event, filled by `wvmi_event_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_event_details {
    /// Which of the other fields are filled: `WVMI_EVENT_VALID_*` bits.
    pub valid: u64,
    /// Rises with each event of the session.
    pub sequence: u64,
    /// When the event was handled; a FILETIME.
    pub time: u64,
    /// The hook that is called.
    pub hook: u64,
    /// Address that the hook was inserted at; 0 for hooks without an address.
    pub address: u64,
    /// Hits that a suspension swallowed since the last call.
    pub missed: u64,
    /// Memory access: its physical address.
    pub memory_physical: u64,
    /// Memory access: its virtual address.
    pub memory_virtual: u64,
    /// Written register: its value before.
    pub old_value: u64,
    /// Written register: its value after.
    pub new_value: u64,
    /// The process that owns the thread.
    pub process: wvmi_process,
    /// The process whose address space the thread uses.
    pub attached: wvmi_process,
    /// The thread.
    pub thread: wvmi_thread,
    /// Why the event came: one of the `WVMI_EVENT_*` numbers.
    pub kind: wvmi_event_kind,
    /// What the kind says.
    pub number: u32,
    /// Memory access: read 1, write 2, execute 4.
    pub access: u32,
    /// `WVMI_EVENT_NOT_RESIDENT`, `_SUSPENDED`, `_PAGE_WALK`, `_INPUT` and
    /// `_STRING` bits.
    pub flags: u32,
    /// 1, and one more each time after `WVMI_ACTION_RETRY`.
    pub attempt: u32,
    /// The stopped processor.
    pub vcpu: u32,
    /// Id of `process`.
    pub process_id: u32,
    /// Id of the process that created `process`.
    pub parent_process_id: u32,
    /// Id of `thread`.
    pub thread_id: u32,
    /// 0 when the thread's system call came from the kernel, 1 from user mode.
    pub previous_mode: u32,
    /// Interrupt request level of the processor.
    pub irql: u32,
    /// Port: bytes accessed. `CPUID` and interrupts: bytes of the instruction.
    pub length: u32,
    /// Address of the session structure of `process`, 0 for system processes.
    pub session: u64,
    /// Image file name of `process`, as the kernel keeps it: cut at 14 bytes.
    pub image_name: [u8; 16],
    /// The registers of the stopped processor.
    pub registers: wvmi_registers,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_event_details {}

/// Tells everything about an event at once.
///
/// `details` receives it, `size` is `sizeof *details`. What cannot be read in
/// the guest is left out of `details->valid`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT` or
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_info(
    event: *mut wvmi_event,
    details: *mut wvmi_event_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_info") };
    call.run(|| {
        let event = call.event(event)?;
        let output = call.sized_output(details, size, "details")?;
        output.write(describe(&event));
        Ok(WVMI_OK)
    })
}

/// Tells the interrupt request level of the stopped processor.
///
/// `irql` receives it. Where the event does not tell it the back end is asked, which
/// is not cheap: Xen stops the guest for a moment.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, or `WVMI_ERROR_BACK_END`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_irql(event: *mut wvmi_event, irql: *mut u32) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_irql") };
    call.run(|| {
        let event = call.event(event)?;
        let output = call.output(irql, "irql")?;
        let told = event.occurrence().irql();
        let ask = || -> Result<u32> {
            let vcpu = event.occurrence().stopped.event.vcpu;
            Ok(event.session().registers(vcpu)?.cr8 as u32)
        };
        output.write(told.map_or_else(ask, Ok)?);
        Ok(WVMI_OK)
    })
}

fn describe(event: &Event<'_>) -> wvmi_event_details {
    let occurrence = event.occurrence();
    let stopped = occurrence.stopped;
    let irql = occurrence.irql();
    let mut details = wvmi_event_details {
        sequence: stopped.sequence,
        time: filetime(stopped.time),
        hook: occurrence.hook.to_bits(),
        address: occurrence.va.0,
        missed: occurrence.missed,
        attempt: occurrence.attempt,
        vcpu: stopped.event.vcpu.into(),
        irql: irql.unwrap_or(0),
        registers: wvmi_registers::from(occurrence.registers()),
        flags: flags(occurrence),
        ..wvmi_event_details::zeroed()
    };
    if irql.is_some() {
        details.valid |= WVMI_EVENT_VALID_IRQL;
    }
    describe_reason(&stopped.event.reason, &mut details);
    // What cannot be read is not valid.
    let _ = describe_identity(event, &mut details);
    details
}

const fn flag(set: bool, flag: u32) -> u32 {
    if set { flag } else { 0 }
}

fn flags(occurrence: &Occurrence<'_>) -> u32 {
    flag(occurrence.not_resident, WVMI_EVENT_NOT_RESIDENT)
        | flag(occurrence.suspended, WVMI_EVENT_SUSPENDED)
}

fn describe_reason(reason: &EventReason, details: &mut wvmi_event_details) {
    match *reason {
        EventReason::MemoryAccess {
            pa,
            va,
            access,
            page_walk,
        } => {
            details.kind = WVMI_EVENT_MEMORY;
            details.flags |= flag(page_walk, WVMI_EVENT_PAGE_WALK);
            details.memory_physical = pa.0;
            details.access = access.bits().into();
            if let Some(va) = va {
                details.memory_virtual = va.0;
                details.valid |= WVMI_EVENT_VALID_MEMORY_VIRTUAL;
            }
        }
        EventReason::ControlRegister { register, old, new } => {
            details.kind = WVMI_EVENT_CONTROL_REGISTER;
            details.number = register.into();
            (details.old_value, details.new_value) = (old, new);
        }
        EventReason::Msr { index, old, new } => {
            details.kind = WVMI_EVENT_MSR;
            details.number = index;
            (details.old_value, details.new_value) = (old, new);
        }
        EventReason::CpuId {
            leaf,
            subleaf,
            length,
        } => {
            details.kind = WVMI_EVENT_CPUID;
            details.length = length.into();
            details.number = leaf;
            details.old_value = subleaf.into();
        }
        EventReason::Io {
            port,
            size,
            input,
            string,
        } => {
            details.kind = WVMI_EVENT_IO;
            details.length = size.into();
            details.flags |= flag(input, WVMI_EVENT_INPUT) | flag(string, WVMI_EVENT_STRING);
            details.number = port.into();
        }
        EventReason::Interrupt(interrupt) => {
            details.kind = match interrupt.vector {
                3 => WVMI_EVENT_BREAKPOINT,
                _ => WVMI_EVENT_INTERRUPT,
            };
            details.number = interrupt.vector.into();
            details.length = interrupt.instruction_length.into();
            details.old_value = interrupt.error_code.unwrap_or(0).into();
            details.new_value = interrupt.extra;
        }
        EventReason::SingleStep => details.kind = WVMI_EVENT_SINGLE_STEP,
        EventReason::Hypercall => details.kind = WVMI_EVENT_HYPERCALL,
        EventReason::Unknown(number) => details.number = number,
    }
}

fn describe_identity(event: &Event<'_>, details: &mut wvmi_event_details) -> Result<()> {
    let identity = event.occurrence().stopped.identity()?;
    let object = |object: Va| wvmi_process { object: object.0 };
    details.process = object(identity.process.object);
    details.attached = object(identity.attached);
    details.thread = wvmi_thread {
        object: identity.thread.object.0,
    };
    details.process_id = identity.process.id;
    details.thread_id = identity.thread.id;
    details.valid |= WVMI_EVENT_VALID_IDENTITY;
    let windows = event.session().windows()?;
    let process = windows.process(identity.process.object);
    if let (Ok(parent), Ok(name)) = (process.parent_id(), process.name()) {
        details.parent_process_id = parent;
        // The last byte stays the terminator.
        for (to, from) in details.image_name.iter_mut().take(15).zip(name.bytes()) {
            *to = from;
        }
        details.valid |= WVMI_EVENT_VALID_PROCESS;
    }
    if let Ok(session) = process.session() {
        details.session = session.map_or(0, |session| session.0);
        details.valid |= WVMI_EVENT_VALID_SESSION;
    }
    let thread = windows.thread(identity.thread.object);
    if let Ok(mode) = thread.previous_mode() {
        details.previous_mode = u32::from(mode == PreviousMode::User);
        details.valid |= WVMI_EVENT_VALID_PREVIOUS_MODE;
    }
    Ok(())
}

/// 100-nanosecond intervals since 1601.
fn filetime(time: SystemTime) -> u64 {
    /// 1970 as a FILETIME.
    const UNIX: u64 = 116_444_736_000_000_000;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    UNIX.saturating_add((since.as_nanos() / 100) as u64)
}
