//! Trap frames: what processors were doing when they entered the kernel.

use super::{
    error::About,
    ffi::{Call, Plain},
    registers::wvmi_registers,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    valid::{Valid, or_zero},
};
use crate::{core::Va, error::Result, os::windows::TrapFrame};

/// What a trap frame holds beside registers, filled by `wvmi_trap_frame_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_trap_frame_details {
    /// Which of the other fields were read: `WVMI_TRAP_FRAME_VALID_*` bits.
    pub valid: u64,
    /// Address of the `_KTRAP_FRAME`; always filled.
    pub address: u64,
    /// Instruction that the processor returns to (`Rip`).
    pub rip: u64,
    /// Stack pointer that it returns to (`Rsp`).
    pub rsp: u64,
    /// Error code of the exception (`ErrorCode`).
    pub error_code: u64,
    /// Address that a page fault was about (`FaultAddress`).
    pub fault_address: u64,
    /// Address of the frame before this one; mostly 0 (`TrapFrame`).
    pub previous_frame: u64,
    /// Places of the first four arguments (`P1Home` to `P4Home`).
    pub homes: [u64; 4],
    /// `XMM0` to `XMM5`, low half first (`Xmm0` to `Xmm5`).
    pub xmm: [[u64; 2]; 6],
    /// SSE control and status (`MxCsr`).
    pub mx_csr: u32,
    /// 1 when the processor came from user mode (`SegCs`).
    pub from_user_mode: u32,
    /// Previous mode of the thread: 0 kernel, 1 user (`PreviousMode`).
    pub previous_mode: u32,
    /// Interrupt level that the processor returns to (`PreviousIrql`).
    pub previous_irql: u32,
    /// 0 after an interrupt, 1 after an exception, 2 after a system call
    /// (`ExceptionActive`).
    pub exception_active: u32,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_trap_frame_details {}

/// `rip` was read.
pub const WVMI_TRAP_FRAME_VALID_RIP: u64 = 1;
/// `rsp` was read.
pub const WVMI_TRAP_FRAME_VALID_RSP: u64 = 2;
/// `error_code` was read.
pub const WVMI_TRAP_FRAME_VALID_ERROR_CODE: u64 = 4;
/// `fault_address` was read.
pub const WVMI_TRAP_FRAME_VALID_FAULT_ADDRESS: u64 = 8;
/// `previous_frame` was read.
pub const WVMI_TRAP_FRAME_VALID_PREVIOUS_FRAME: u64 = 0x10;
/// `homes` was read.
pub const WVMI_TRAP_FRAME_VALID_HOMES: u64 = 0x20;
/// `xmm` was read.
pub const WVMI_TRAP_FRAME_VALID_XMM: u64 = 0x40;
/// `mx_csr` was read.
pub const WVMI_TRAP_FRAME_VALID_MX_CSR: u64 = 0x80;
/// `from_user_mode` was read.
pub const WVMI_TRAP_FRAME_VALID_FROM_USER_MODE: u64 = 0x100;
/// `previous_mode` was read.
pub const WVMI_TRAP_FRAME_VALID_PREVIOUS_MODE: u64 = 0x200;
/// `previous_irql` was read.
pub const WVMI_TRAP_FRAME_VALID_PREVIOUS_IRQL: u64 = 0x400;
/// `exception_active` was read.
pub const WVMI_TRAP_FRAME_VALID_EXCEPTION_ACTIVE: u64 = 0x800;

fn describe(frame: TrapFrame<'_>) -> Result<wvmi_trap_frame_details> {
    let mut buffer = [0; TrapFrame::SNAPSHOT];
    let it = frame.with_copy(&mut buffer);
    let mut v = Valid::default();
    let xmm = it
        .xmm()
        .map(|registers| registers.map(|register| [register as u64, (register >> 64) as u64]));
    let from_user = it.is_from_user_mode();
    let active = it.exception_active();
    let details = wvmi_trap_frame_details {
        valid: 0,
        address: it.address().0,
        rip: v.take(WVMI_TRAP_FRAME_VALID_RIP, it.rip()).0,
        rsp: v.take(WVMI_TRAP_FRAME_VALID_RSP, it.rsp()).0,
        error_code: v.take(WVMI_TRAP_FRAME_VALID_ERROR_CODE, it.error_code()),
        fault_address: v
            .take(WVMI_TRAP_FRAME_VALID_FAULT_ADDRESS, it.fault_address())
            .0,
        previous_frame: v.take(
            WVMI_TRAP_FRAME_VALID_PREVIOUS_FRAME,
            or_zero(it.previous_frame()),
        ),
        homes: v.take(WVMI_TRAP_FRAME_VALID_HOMES, it.homes()),
        xmm: v.take(WVMI_TRAP_FRAME_VALID_XMM, xmm),
        mx_csr: v.take(WVMI_TRAP_FRAME_VALID_MX_CSR, it.mx_csr()),
        from_user_mode: v
            .take(WVMI_TRAP_FRAME_VALID_FROM_USER_MODE, from_user)
            .into(),
        previous_mode: v
            .take(WVMI_TRAP_FRAME_VALID_PREVIOUS_MODE, it.previous_mode())
            .into(),
        previous_irql: v
            .take(WVMI_TRAP_FRAME_VALID_PREVIOUS_IRQL, it.previous_irql())
            .into(),
        exception_active: v
            .take(WVMI_TRAP_FRAME_VALID_EXCEPTION_ACTIVE, active)
            .into(),
        reserved: 0,
    };
    let valid = v.finish()?;
    Ok(wvmi_trap_frame_details { valid, ..details })
}

/// Tells what a trap frame holds beside the registers in one call.
///
/// What a system call does not save is left over from an earlier frame. What
/// cannot be read is left 0 and out of `details->valid`; the rest is filled.
///
/// `frame` is the address of a `_KTRAP_FRAME`: `trap_frame` of
/// `wvmi_thread_info()`. `details` receives the facts, `size` is `sizeof
/// *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_trap_frame_info(
    session: *mut wvmi_session,
    frame: u64,
    details: *mut wvmi_trap_frame_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_trap_frame_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let it = TrapFrame::new(session.engine().windows()?, Va(frame));
        output.write(describe(it).about("trap frame", frame)?);
        Ok(WVMI_OK)
    })
}

/// Reads the registers in a trap frame.
///
/// It holds what calls may change: `r12` to `r15` are not in it and come out 0,
/// like all that is no general, segment or debug register.
///
/// `frame` is the address of a `_KTRAP_FRAME`. `registers` receives them, `size`
/// is `sizeof *registers`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_trap_frame_registers(
    session: *mut wvmi_session,
    frame: u64,
    registers: *mut wvmi_registers,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_trap_frame_registers") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(registers, size, "registers")?;
        let it = TrapFrame::new(session.engine().windows()?, Va(frame));
        let found = it.registers().about("trap frame", frame)?;
        output.write((&found).into());
        Ok(WVMI_OK)
    })
}
