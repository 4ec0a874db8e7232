//! Interrupts and exceptions of the caller's making.

use super::{
    driver_event::wvmi_driver_interrupt,
    ffi::Call,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::error::Error;

/// Has a processor of a running guest take an interrupt or exception, before its
/// next instruction.
///
/// `vcpu` counts from 0. `interrupt` says which one: a page fault is vector 14,
/// `WVMI_INTERRUPT_HARDWARE_EXCEPTION`, with an error code and CR2 in `extra`; a
/// breakpoint is vector 3, `WVMI_INTERRUPT_SOFTWARE_EXCEPTION`, with an instruction
/// length of 1. `size` is `sizeof *interrupt`.
///
/// The guest sees no difference to one of its own: inject only what its handler can
/// take where the processor is. A breakpoint or monitor that a callback is called
/// for is hit again when the handler returns. To have a page brought in, return
/// `WVMI_ACTION_RETRY`, which looks whether the guest can take the fault.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_SUPPORTED` when the back end cannot inject,
/// `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT` for an impossible
/// interrupt, or `WVMI_ERROR_BACK_END`, also while another one waits.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_inject(
    session: *mut wvmi_session,
    vcpu: u16,
    interrupt: *const wvmi_driver_interrupt,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_inject") };
    call.run(|| {
        let session = call.session(session)?;
        let interrupt = call.sized_input(interrupt, size, "interrupt")?;
        let interrupt = interrupt
            .interrupt()
            .filter(|_| interrupt.has_error_code <= 1 && interrupt.reserved == 0)
            .ok_or_else(|| Error::invalid_argument("interrupt", "there is none like this"))?;
        session.engine().inject(vcpu, &interrupt)?;
        Ok(WVMI_OK)
    })
}
