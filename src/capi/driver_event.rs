//! What a back end of the host's tells about events, and what it is answered.

use std::ffi::c_void;

use super::{
    event_details::{
        WVMI_EVENT_CONTROL_REGISTER, WVMI_EVENT_CPUID, WVMI_EVENT_HYPERCALL, WVMI_EVENT_INTERRUPT,
        WVMI_EVENT_IO, WVMI_EVENT_MEMORY, WVMI_EVENT_MSR, WVMI_EVENT_SINGLE_STEP, wvmi_event_kind,
    },
    ffi::Plain,
    registers::wvmi_registers,
};
use crate::core::{
    Pa, Va,
    driver::{
        EventReason, EventResponse, Interrupt, InterruptKind, MemoryAccess, Monitor,
        ResponseAction, ViewId,
    },
};

/// How an interrupt comes about; one of the `WVMI_INTERRUPT_*` numbers, which
/// are those of the processor's VMCS.
pub type wvmi_interrupt_kind = u32;

/// External interrupt.
pub const WVMI_INTERRUPT_EXTERNAL: wvmi_interrupt_kind = 0;
/// Non-maskable interrupt.
pub const WVMI_INTERRUPT_NMI: wvmi_interrupt_kind = 2;
/// Exception raised by the processor.
pub const WVMI_INTERRUPT_HARDWARE_EXCEPTION: wvmi_interrupt_kind = 3;
/// `INT n`.
pub const WVMI_INTERRUPT_SOFTWARE: wvmi_interrupt_kind = 4;
/// `INT1`.
pub const WVMI_INTERRUPT_PRIVILEGED_SOFTWARE_EXCEPTION: wvmi_interrupt_kind = 5;
/// `INT3`, `INTO`.
pub const WVMI_INTERRUPT_SOFTWARE_EXCEPTION: wvmi_interrupt_kind = 6;

/// An interrupt or exception.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_driver_interrupt {
    /// CR2 for a page fault, DR6 bits for a debug exception, else 0.
    pub extra: u64,
    /// Vector, 0 to 255.
    pub vector: u32,
    /// How it comes about: one of the `WVMI_INTERRUPT_*` numbers.
    pub kind: wvmi_interrupt_kind,
    /// Error code, when `has_error_code` is 1.
    pub error_code: u32,
    /// 1 for a vector that pushes an error code, else 0.
    pub has_error_code: u32,
    /// Length of the instruction that raises it, in bytes.
    pub instruction_length: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_driver_interrupt {}

/// `view` is filled.
pub const WVMI_DRIVER_EVENT_VIEW: u32 = 1;
/// `memory_virtual` is filled.
pub const WVMI_DRIVER_EVENT_VIRTUAL: u32 = 2;
/// The memory was accessed by the processor's page walk.
pub const WVMI_DRIVER_EVENT_PAGE_WALK: u32 = 4;
/// The port was read (`IN`).
pub const WVMI_DRIVER_EVENT_INPUT: u32 = 8;
/// The port was accessed by a string instruction.
pub const WVMI_DRIVER_EVENT_STRING: u32 = 16;

/// One stopped virtual processor, told by a back end. Zero it first.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_driver_event {
    /// Its registers, valid until it is answered; NULL for all zero. At least
    /// RIP, RSP, RFLAGS, CR0, CR3, CR4, EFER and the segments are needed.
    pub registers: *const wvmi_registers,
    /// `sizeof *registers`.
    pub registers_size: usize,
    /// Memory access: physical address.
    pub memory_physical: u64,
    /// Memory access: virtual address, with `WVMI_DRIVER_EVENT_VIRTUAL`.
    pub memory_virtual: u64,
    /// Written register: value before. `CPUID`: the subleaf.
    pub old_value: u64,
    /// Written register: value after.
    pub new_value: u64,
    /// What was about to be delivered (`WVMI_EVENT_INTERRUPT`).
    pub interrupt: wvmi_driver_interrupt,
    /// Why it stopped: a `WVMI_EVENT_*` number. A breakpoint that was hit is
    /// `WVMI_EVENT_INTERRUPT` with vector 3 and
    /// `WVMI_INTERRUPT_SOFTWARE_EXCEPTION`, RIP at the `INT3`. What the library
    /// does not know is answered with a plain continue.
    pub kind: wvmi_event_kind,
    /// Register 0, 3, 4 or 8 (XCR0), MSR, `CPUID` leaf, or port.
    pub number: u32,
    /// Memory access: read 1, write 2, execute 4, or a sum.
    pub access: u32,
    /// `CPUID`: length of the instruction. Port: bytes accessed.
    pub length: u32,
    /// The stopped processor.
    pub vcpu: u32,
    /// View it ran in, with `WVMI_DRIVER_EVENT_VIEW`.
    pub view: u32,
    /// `WVMI_DRIVER_EVENT_*` bits.
    pub flags: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers and a raw pointer only; every bit pattern is valid.
unsafe impl Plain for wvmi_driver_event {}

/// What a stopped processor does next; one of the `WVMI_DRIVER_*` action numbers.
pub type wvmi_driver_action = u32;

/// Goes on.
pub const WVMI_DRIVER_CONTINUE: wvmi_driver_action = 0;
/// Goes on without the effect of the monitored write.
pub const WVMI_DRIVER_DENY: wvmi_driver_action = 1;
/// Takes the interrupt after all.
pub const WVMI_DRIVER_REINJECT: wvmi_driver_action = 2;
/// Executes one instruction, in `view` if that is set, and is reported with
/// `WVMI_EVENT_SINGLE_STEP`. Where there are no views, only this processor runs
/// meanwhile.
pub const WVMI_DRIVER_SINGLE_STEP: wvmi_driver_action = 3;
/// Executes one instruction in `step_view`, then returns to the event's view,
/// without an event.
pub const WVMI_DRIVER_FAST_SINGLE_STEP: wvmi_driver_action = 4;
/// Has the instruction that accessed memory emulated, rights and all; an `INT3`
/// that a view shows is stepped over in the default view.
pub const WVMI_DRIVER_EMULATE: wvmi_driver_action = 5;

/// `view` is the view to run in from now on; else it is the event's.
pub const WVMI_DRIVER_RESPONSE_VIEW: u32 = 1;

/// The answer to a `wvmi_driver_event`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_driver_response {
    /// General-purpose registers, RIP and RFLAGS to load before the processor
    /// goes on; NULL leaves them. Valid until the next answer is asked for or
    /// `wait_events` returns.
    pub registers: *const wvmi_registers,
    /// Bytes at `registers`: of a newer library it may be more, of an older one
    /// less than `sizeof *registers`.
    pub registers_size: usize,
    /// What the processor does next.
    pub action: wvmi_driver_action,
    /// View of `WVMI_DRIVER_FAST_SINGLE_STEP`.
    pub step_view: u32,
    /// With `WVMI_DRIVER_RESPONSE_VIEW`: view to run in.
    pub view: u32,
    /// `WVMI_DRIVER_RESPONSE_*` bits.
    pub flags: u32,
}

// SAFETY: integers and a raw pointer only; every bit pattern is valid.
unsafe impl Plain for wvmi_driver_response {}

/// Answers an event; given to `wait_events` of a back end, which calls it in
/// its own thread, for one event after the other, before it returns.
///
/// `answer_context` is what `wait_events` was given with it. `event` tells what
/// happened, `event_size` is `sizeof *event`; `response` receives the answer,
/// `response_size` is `sizeof *response`.
///
/// Called in another thread, or while it runs, it answers with a plain continue.
pub type wvmi_driver_answer = Option<
    unsafe extern "C" fn(
        answer_context: *mut c_void,
        event: *const wvmi_driver_event,
        event_size: usize,
        response: *mut wvmi_driver_response,
        response_size: usize,
    ),
>;

/// Kind and number of what the host's back end is asked to report.
pub const fn monitor_numbers(monitor: Monitor) -> (wvmi_event_kind, u32) {
    /// XCR0 as a control register.
    const XCR0: u32 = 8;
    match monitor {
        Monitor::Interrupt(vector) => (WVMI_EVENT_INTERRUPT, vector as u32),
        Monitor::ControlRegister(register) => (WVMI_EVENT_CONTROL_REGISTER, register as u32),
        Monitor::Xcr0 => (WVMI_EVENT_CONTROL_REGISTER, XCR0),
        Monitor::Msr(index) => (WVMI_EVENT_MSR, index),
        Monitor::CpuId => (WVMI_EVENT_CPUID, 0),
        Monitor::SingleStep => (WVMI_EVENT_SINGLE_STEP, 0),
        Monitor::Hypercall => (WVMI_EVENT_HYPERCALL, 0),
        Monitor::Io => (WVMI_EVENT_IO, 0),
    }
}

const KINDS: [(InterruptKind, wvmi_interrupt_kind); 6] = [
    (InterruptKind::External, WVMI_INTERRUPT_EXTERNAL),
    (InterruptKind::Nmi, WVMI_INTERRUPT_NMI),
    (
        InterruptKind::HardwareException,
        WVMI_INTERRUPT_HARDWARE_EXCEPTION,
    ),
    (InterruptKind::Software, WVMI_INTERRUPT_SOFTWARE),
    (
        InterruptKind::PrivilegedSoftwareException,
        WVMI_INTERRUPT_PRIVILEGED_SOFTWARE_EXCEPTION,
    ),
    (
        InterruptKind::SoftwareException,
        WVMI_INTERRUPT_SOFTWARE_EXCEPTION,
    ),
];

impl From<&Interrupt> for wvmi_driver_interrupt {
    fn from(interrupt: &Interrupt) -> Self {
        let kind = KINDS.iter().find(|(kind, _)| *kind == interrupt.kind);
        Self {
            extra: interrupt.extra,
            vector: interrupt.vector.into(),
            kind: kind.map_or(WVMI_INTERRUPT_EXTERNAL, |(_, number)| *number),
            error_code: interrupt.error_code.unwrap_or(0),
            has_error_code: interrupt.error_code.is_some().into(),
            instruction_length: interrupt.instruction_length.into(),
            reserved: 0,
        }
    }
}

impl wvmi_driver_interrupt {
    /// The engine's interrupt; none for what makes no sense.
    pub fn interrupt(&self) -> Option<Interrupt> {
        let kind = KINDS.iter().find(|(_, number)| *number == self.kind)?.0;
        Some(Interrupt {
            vector: u8::try_from(self.vector).ok()?,
            kind,
            error_code: (self.has_error_code != 0).then_some(self.error_code),
            instruction_length: u8::try_from(self.instruction_length).ok()?,
            extra: self.extra,
        })
    }
}

impl wvmi_driver_event {
    const fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// View it ran in.
    pub fn view_id(&self) -> Option<ViewId> {
        let view = u16::try_from(self.view).ok().map(ViewId);
        view.filter(|_| self.has(WVMI_DRIVER_EVENT_VIEW))
    }

    /// Why it came; what makes no sense is unknown.
    pub fn reason(&self) -> EventReason {
        let reason = match self.kind {
            WVMI_EVENT_MEMORY => self.memory_access(),
            WVMI_EVENT_INTERRUPT => self.interrupt.interrupt().map(EventReason::Interrupt),
            WVMI_EVENT_SINGLE_STEP => Some(EventReason::SingleStep),
            WVMI_EVENT_CONTROL_REGISTER => self.control_register(),
            WVMI_EVENT_MSR => Some(EventReason::Msr {
                index: self.number,
                old: self.old_value,
                new: self.new_value,
            }),
            WVMI_EVENT_CPUID => self.cpuid(),
            WVMI_EVENT_IO => self.port(),
            WVMI_EVENT_HYPERCALL => Some(EventReason::Hypercall),
            _ => None,
        };
        reason.unwrap_or(EventReason::Unknown(self.kind))
    }

    fn memory_access(&self) -> Option<EventReason> {
        let access = u8::try_from(self.access).ok()? & 7;
        let va = Va(self.memory_virtual);
        Some(EventReason::MemoryAccess {
            pa: Pa(self.memory_physical),
            va: self.has(WVMI_DRIVER_EVENT_VIRTUAL).then_some(va),
            access: MemoryAccess::from_bits_truncate(access),
            page_walk: self.has(WVMI_DRIVER_EVENT_PAGE_WALK),
        })
    }

    fn control_register(&self) -> Option<EventReason> {
        let register = u8::try_from(self.number).ok()?;
        matches!(register, 0 | 3 | 4 | 8).then_some(EventReason::ControlRegister {
            register,
            old: self.old_value,
            new: self.new_value,
        })
    }

    fn cpuid(&self) -> Option<EventReason> {
        Some(EventReason::CpuId {
            leaf: self.number,
            subleaf: u32::try_from(self.old_value).ok()?,
            length: u8::try_from(self.length).ok()?,
        })
    }

    fn port(&self) -> Option<EventReason> {
        Some(EventReason::Io {
            port: u16::try_from(self.number).ok()?,
            size: u8::try_from(self.length).ok()?,
            input: self.has(WVMI_DRIVER_EVENT_INPUT),
            string: self.has(WVMI_DRIVER_EVENT_STRING),
        })
    }
}

/// The answer as the host gets it, without its registers.
pub fn response_of(response: &EventResponse) -> wvmi_driver_response {
    let mut answer = wvmi_driver_response::zeroed();
    answer.action = match response.action {
        ResponseAction::Continue => WVMI_DRIVER_CONTINUE,
        ResponseAction::Deny => WVMI_DRIVER_DENY,
        ResponseAction::Reinject => WVMI_DRIVER_REINJECT,
        ResponseAction::SingleStep => WVMI_DRIVER_SINGLE_STEP,
        ResponseAction::FastSingleStep(view) => {
            answer.step_view = view.0.into();
            WVMI_DRIVER_FAST_SINGLE_STEP
        }
        ResponseAction::Emulate => WVMI_DRIVER_EMULATE,
    };
    if let Some(view) = response.view {
        answer.view = view.0.into();
        answer.flags = WVMI_DRIVER_RESPONSE_VIEW;
    }
    answer
}
