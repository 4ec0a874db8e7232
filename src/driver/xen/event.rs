//! Events: from Xen's requests, and back into answers.

use xen::sys;

use super::{registers, ring::Entry};
use crate::core::{
    Gfn, Pa, Va,
    driver::{
        Event, EventReason, EventResponse, Interrupt, InterruptKind, MemoryAccess, ResponseAction,
        ViewId,
    },
};

/// Vectors of the exceptions that Xen reports.
const DEBUG: u8 = 1;
const BREAKPOINT: u8 = 3;

/// Number under which [`EventReason::ControlRegister`] reports XCR0.
const XCR0: u8 = 8;

/// The event that a request tells of.
pub(super) fn decode(request: &Entry) -> Event {
    let view = match request.flags & sys::VM_EVENT_FLAG_ALTERNATE_P2M {
        0 => 0,
        _ => request.altp2m_idx,
    };
    Event {
        vcpu: request.vcpu_id as u16,
        view: Some(ViewId(view)),
        registers: registers::from_event(&state(request)),
        reason: reason(request),
    }
}

/// Part of a request that depends on its reason.
macro_rules! part {
    ($request:ident.$name:ident) => {
        // SAFETY: every part is integers only, so that any bytes are a value of it.
        unsafe { $request.u.$name }
    };
}

fn reason(request: &Entry) -> EventReason {
    match request.reason {
        sys::VM_EVENT_REASON_MEM_ACCESS => memory_access(&part!(request.mem_access)),
        sys::VM_EVENT_REASON_SOFTWARE_BREAKPOINT => {
            interrupt(BREAKPOINT, &part!(request.software_breakpoint))
        }
        sys::VM_EVENT_REASON_DEBUG_EXCEPTION => interrupt(DEBUG, &part!(request.debug_exception)),
        sys::VM_EVENT_REASON_SINGLESTEP => EventReason::SingleStep,
        sys::VM_EVENT_REASON_GUEST_REQUEST => EventReason::Hypercall,
        sys::VM_EVENT_REASON_WRITE_CTRLREG => control_register(&part!(request.write_ctrlreg)),
        sys::VM_EVENT_REASON_MOV_TO_MSR => msr(&part!(request.mov_to_msr)),
        sys::VM_EVENT_REASON_CPUID => cpuid(&part!(request.cpuid)),
        sys::VM_EVENT_REASON_IO_INSTRUCTION => io(&part!(request.io)),
        other => EventReason::Unknown(other),
    }
}

fn memory_access(access: &sys::vm_event_mem_access) -> EventReason {
    let has = |flag: u32| access.flags & flag != 0;
    // Bits 0 to 2 of the flags are read, write and execute, as ours.
    let kind = MemoryAccess::from_bits_truncate(access.flags as u8 & 7);
    EventReason::MemoryAccess {
        pa: Pa(Gfn(access.gfn).pa().0 | access.offset & 0xfff),
        va: has(sys::MEM_ACCESS_GLA_VALID).then_some(Va(access.gla)),
        access: kind,
        page_walk: has(sys::MEM_ACCESS_FAULT_IN_GPT),
    }
}

fn interrupt(vector: u8, debug: &sys::vm_event_debug) -> EventReason {
    EventReason::Interrupt(Interrupt {
        vector,
        kind: kind_of(debug.type_),
        error_code: None,
        instruction_length: debug.insn_length as u8,
        extra: debug.pending_dbg,
    })
}

fn control_register(write: &sys::vm_event_write_ctrlreg) -> EventReason {
    let register = match write.index {
        sys::VM_EVENT_X86_CR0 => 0,
        sys::VM_EVENT_X86_CR3 => 3,
        sys::VM_EVENT_X86_CR4 => 4,
        sys::VM_EVENT_X86_XCR0 => XCR0,
        _ => return EventReason::Unknown(sys::VM_EVENT_REASON_WRITE_CTRLREG),
    };
    EventReason::ControlRegister {
        register,
        old: write.old_value,
        new: write.new_value,
    }
}

fn msr(write: &sys::vm_event_mov_to_msr) -> EventReason {
    EventReason::Msr {
        index: write.msr as u32,
        old: write.old_value,
        new: write.new_value,
    }
}

fn cpuid(cpuid: &sys::vm_event_cpuid) -> EventReason {
    EventReason::CpuId {
        leaf: cpuid.leaf,
        subleaf: cpuid.subleaf,
        length: cpuid.insn_length as u8,
    }
}

fn io(io: &sys::vm_event_io) -> EventReason {
    EventReason::Io {
        port: io.port,
        size: io.bytes as u8,
        input: io.in_ != 0,
        string: io.str_ != 0,
    }
}

fn state(request: &Entry) -> sys::vm_event_regs_x86 {
    // SAFETY: requests carry registers, and those are integers only.
    let registers = unsafe { request.data.regs };
    // SAFETY: as above, of this architecture.
    unsafe { registers.x86 }
}

fn kind_of(code: u8) -> InterruptKind {
    match code {
        0 => InterruptKind::External,
        2 => InterruptKind::Nmi,
        4 => InterruptKind::Software,
        5 => InterruptKind::PrivilegedSoftwareException,
        6 => InterruptKind::SoftwareException,
        _ => InterruptKind::HardwareException,
    }
}

/// The code of an interrupt's kind in the VMCS.
pub(super) fn code_of(kind: InterruptKind) -> u8 {
    match kind {
        InterruptKind::External => 0,
        InterruptKind::Nmi => 2,
        InterruptKind::HardwareException => 3,
        InterruptKind::Software => 4,
        InterruptKind::PrivilegedSoftwareException => 5,
        InterruptKind::SoftwareException => 6,
    }
}

/// The answer that only lets the processor go on.
pub(super) fn plain(request: &Entry) -> Entry {
    Entry {
        version: sys::VM_EVENT_INTERFACE_VERSION,
        flags: request.flags & sys::VM_EVENT_FLAG_VCPU_PAUSED,
        reason: request.reason,
        vcpu_id: request.vcpu_id,
        altp2m_idx: request.altp2m_idx,
        // A denied write and an emulated access are looked up here.
        u: request.u,
        ..Entry::default()
    }
}

/// The answer to `request` that `response` asks for; injection is not part of it.
///
/// `stepping` is whether the processor reports single steps now, and is updated.
pub(super) fn encode(
    request: &Entry,
    event: &Event,
    response: &EventResponse,
    stepping: &mut bool,
) -> Entry {
    let mut answer = plain(request);
    if answer.flags & sys::VM_EVENT_FLAG_VCPU_PAUSED == 0 {
        return answer;
    }
    let action = match (response.action, event.reason) {
        // Nothing to emulate but the INT3 itself: the default view has the instruction.
        (ResponseAction::Emulate, EventReason::Interrupt(_)) => {
            ResponseAction::FastSingleStep(ViewId(0))
        }
        (action, _) => action,
    };
    let step = action == ResponseAction::SingleStep;
    if step != *stepping {
        answer.flags |= sys::VM_EVENT_FLAG_TOGGLE_SINGLESTEP;
        *stepping = step;
    }
    let mut next = response.view;
    match action {
        ResponseAction::Deny => answer.flags |= sys::VM_EVENT_FLAG_DENY,
        ResponseAction::Emulate => answer.flags |= sys::VM_EVENT_FLAG_EMULATE,
        ResponseAction::FastSingleStep(view) => {
            let back = response.view.or(event.view).unwrap_or(ViewId(0));
            answer.flags |= sys::VM_EVENT_FLAG_FAST_SINGLESTEP;
            answer.u.fast_singlestep.p2midx = back.0;
            next = Some(view);
        }
        _ => {}
    }
    if let Some(view) = next {
        answer.flags |= sys::VM_EVENT_FLAG_ALTERNATE_P2M;
        answer.altp2m_idx = view.0;
    }
    set_registers(&mut answer, request, event, response);
    answer
}

/// Loads registers where the response says so, and where Xen would otherwise
/// execute CPUID again.
fn set_registers(answer: &mut Entry, request: &Entry, event: &Event, response: &EventResponse) {
    let mut wanted = response.registers.as_deref().copied();
    if let EventReason::CpuId { length, .. } = event.reason {
        // Xen has put the results into the registers but stays at the instruction.
        let registers = wanted.get_or_insert(event.registers);
        if registers.rip == event.registers.rip {
            registers.rip = registers.rip.wrapping_add(u64::from(length));
        }
    }
    let Some(wanted) = wanted else { return };
    let mut state = state(request);
    registers::into_answer(&wanted, &mut state);
    answer.data.regs.x86 = state;
    answer.flags |= sys::VM_EVENT_FLAG_SET_REGISTERS;
}
