//! `wvmi_event`: what a callback is told, and what it may change.

use std::{ffi::c_void, sync::Arc};

use super::{
    action::wvmi_action,
    callback::UserData,
    current_event::lend,
    ffi::Call,
    registers::wvmi_registers,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::{Registers, Va, driver::MemoryAccess},
    error::{Error, Result},
    monitor::{Action, Missing, Occurrence},
    session::Session,
};

/// One event; valid until the callback that gets it returns, in the thread of
/// that callback only: everywhere else, and later, functions answer
/// `WVMI_ERROR_CLOSED`.
pub struct wvmi_event {
    _incomplete: (),
}

/// Called when a hook is hit, in the thread that runs the event loop.
///
/// Returns what is to happen next: one of the `WVMI_ACTION_*` numbers. The
/// processor that was stopped waits until all callbacks of the event are done.
///
/// It must return: no `longjmp`, no C++ exception (catch all of them inside).
pub type wvmi_event_callback =
    Option<unsafe extern "C" fn(event: *mut wvmi_event, user_data: *mut c_void) -> wvmi_action>;

/// What `wvmi_event_*()` functions and callbacks share: a callback of the
/// host's, with the session whose events it gets.
pub struct HostCallback {
    pub callback: unsafe extern "C" fn(*mut wvmi_event, *mut c_void) -> wvmi_action,
    pub user_data: UserData,
    pub session: Arc<Session>,
}

impl HostCallback {
    /// Calls back for one event.
    pub fn call(&self, occurrence: &mut Occurrence<'_>) -> Action {
        lend(&self.session, occurrence, |event| {
            // SAFETY: the host gave this callback for this user data.
            unsafe { (self.callback)(event, self.user_data.pointer()) }
        })
    }
}

/// Reads an argument of the function whose first instruction was reached.
///
/// `index` counts from 0. 64-bit code: RCX, RDX, R8, R9, then the stack; 32-bit
/// code: the stack. `value` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_FAULT` when the stack cannot be read, or
/// `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_argument(
    event: *mut wvmi_event,
    index: u32,
    value: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_argument") };
    call.run(|| {
        let event = call.event(event)?;
        let output = call.output(value, "value")?;
        output.write(event.frame().argument(index)?);
        Ok(WVMI_OK)
    })
}

/// Reads the first `count` arguments of the function whose first instruction
/// was reached into `values`; as `wvmi_event_argument()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_arguments(
    event: *mut wvmi_event,
    values: *mut u64,
    count: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_arguments") };
    call.run(|| {
        let event = call.event(event)?;
        let values = call.buffer(values, count, "values")?;
        let frame = event.frame();
        let read: Result<Vec<_>> = (0..)
            .take(count)
            .map(|index| frame.argument(index))
            .collect();
        values.copy_from_slice(&read?);
        Ok(WVMI_OK)
    })
}

/// Reads an argument of a system call at its entry (`KiSystemCall64`), where R10
/// takes the place of RCX; as `wvmi_event_argument()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_syscall_argument(
    event: *mut wvmi_event,
    index: u32,
    value: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_syscall_argument") };
    call.run(|| {
        let event = call.event(event)?;
        let output = call.output(value, "value")?;
        output.write(event.frame().syscall_argument(index)?);
        Ok(WVMI_OK)
    })
}

/// Reads where the function whose first instruction was reached returns to.
///
/// `address` receives it. Errors as `wvmi_event_argument()`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_return_address(
    event: *mut wvmi_event,
    address: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_return_address") };
    call.run(|| {
        let event = call.event(event)?;
        let output = call.output(address, "address")?;
        output.write(event.frame().return_address()?.0);
        Ok(WVMI_OK)
    })
}

/// Tells the result of a function that has just returned: RAX.
///
/// `value` receives it.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_return_value(
    event: *mut wvmi_event,
    value: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_return_value") };
    call.run(|| {
        let event = call.event(event)?;
        let output = call.output(value, "value")?;
        output.write(event.frame().return_value());
        Ok(WVMI_OK)
    })
}

/// Has the stopped processor go on with other general-purpose registers, RIP
/// and RFLAGS.
///
/// `size` is `sizeof *registers`. When RIP changes, the hooked instruction is
/// not executed.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_CONFLICT` when another callback of this event
/// has changed them differently (its change stays), or
/// `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_set_registers(
    event: *mut wvmi_event,
    registers: *const wvmi_registers,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_set_registers") };
    call.run(|| {
        let mut event = call.event(event)?;
        let registers = call.sized_input(registers, size, "registers")?;
        let registers = Registers::from(&registers);
        event.occurrence_mut().set_registers(&registers)?;
        Ok(WVMI_OK)
    })
}

/// Has the function whose first instruction was reached return at once.
///
/// `result` is what it returns. In 32-bit `stdcall` code, `arguments` is the
/// number of arguments that the function removes from the stack; else it does
/// not matter.
///
/// Errors as `wvmi_event_set_registers()`, and `WVMI_ERROR_FAULT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_skip_function(
    event: *mut wvmi_event,
    result: u64,
    arguments: u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_skip_function") };
    call.run(|| {
        let mut event = call.event(event)?;
        let registers = event.frame().skip(result, arguments)?;
        event.occurrence_mut().set_registers(&registers)?;
        Ok(WVMI_OK)
    })
}

/// Lets the monitored register write have no effect.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_deny(event: *mut wvmi_event) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_deny") };
    call.run(|| {
        call.event(event)?.occurrence_mut().deny();
        Ok(WVMI_OK)
    })
}

/// Names the page that the callback needs and the guest does not have in
/// memory; return `WVMI_ACTION_RETRY` then.
///
/// The guest takes a page fault at `address` as if the hooked instruction had
/// made the access (`access`: read 1, write 2, execute 4), brings the page in,
/// and the callback is called again with the next `attempt`. Where that would
/// do harm, and after three attempts, the callback is called at once with
/// `WVMI_EVENT_NOT_RESIDENT` instead.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT` for an unknown access, or
/// `WVMI_ERROR_NOT_RESIDENT` when this call of the callback is the one that
/// says so.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_request_page(
    event: *mut wvmi_event,
    address: u64,
    access: u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_request_page") };
    call.run(|| {
        let event = call.event(event)?;
        let access = match access {
            1 => MemoryAccess::READ,
            2 => MemoryAccess::WRITE,
            4 => MemoryAccess::EXECUTE,
            _ => return Err(Error::invalid_argument("access", "not 1, 2 or 4").into()),
        };
        if event.occurrence().not_resident {
            let reason = "the guest was asked in vain".into();
            return Err(Error::NotResident { address, reason }.into());
        }
        event.request(Missing {
            va: Va(address),
            access,
        });
        Ok(WVMI_OK)
    })
}
