//! Guest memory as the processor of an event sees it.

use super::{
    event::wvmi_event,
    ffi::Call,
    space::{WVMI_SPACE_ROOT, wvmi_space},
    status::{WVMI_OK, wvmi_status},
};
use crate::core::Space;

/// Tells the address space that the stopped processor uses: that of `attached`,
/// not always that of `process`.
///
/// `space` receives it, for `wvmi_read()` and whatever else takes a space.
///
/// Returns `WVMI_OK` or `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_space(
    event: *mut wvmi_event,
    space: *mut wvmi_space,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_space") };
    call.run(|| {
        let event = call.event(event)?;
        let output = call.output(space, "space")?;
        output.write(wvmi_space {
            kind: WVMI_SPACE_ROOT,
            value: event.occurrence().stopped.root().0,
        });
        Ok(WVMI_OK)
    })
}

/// Reads memory as the stopped processor sees it.
///
/// `size` bytes at `address` go into `buffer`; `done` (may be NULL) receives how
/// many were read, also after a fault. Hooked code reads as the guest wrote it.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_FAULT`, with the missing address in
/// `wvmi_last_error()`, which `wvmi_event_request_page()` brings in; or
/// `WVMI_ERROR_NULL_ARGUMENT`.
///
/// Only inside the callback that got the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_event_read(
    event: *mut wvmi_event,
    address: u64,
    buffer: *mut u8,
    size: usize,
    done: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_event_read") };
    call.run(|| {
        let event = call.event(event)?;
        let buffer = call.buffer(buffer, size, "buffer")?;
        let root = event.occurrence().stopped.root();
        let memory = event.session().memory();
        let read = memory.read(Space::Virtual { root }, address, buffer);
        if let Some(output) = call.optional_output(done) {
            output.write(read.map_or_else(|partial| partial.done, |()| size));
        }
        read?;
        Ok(WVMI_OK)
    })
}
