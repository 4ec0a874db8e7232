//! Call hooks: entry and return of a function, paired.

use std::{ffi::c_void, ptr, sync::Arc};

use super::{
    action::wvmi_action,
    callback::{UserData, wvmi_release_callback},
    current_event::lend,
    event::wvmi_event,
    ffi::{Call, Plain},
    hook::{wvmi_breakpoint_spec, wvmi_hook},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
};
use crate::{
    error::Error,
    monitor::{Action, CallEnd, CallHandler, CallTracker, EndedCall, Handler, Occurrence},
    session::Session,
};

/// How a call ended; one of the `WVMI_CALL_*` numbers.
pub type wvmi_call_end = u32;

/// The function returned: `wvmi_event_return_value()` tells what.
pub const WVMI_CALL_RETURNED: wvmi_call_end = 0;
/// An exception or a jump left the function without a return.
pub const WVMI_CALL_UNWOUND: wvmi_call_end = 1;
/// The thread ended inside the function.
pub const WVMI_CALL_THREAD_EXITED: wvmi_call_end = 2;
/// The hook was removed, or the session closed, while the call was open.
pub const WVMI_CALL_DETACHED: wvmi_call_end = 3;

/// A call that ended.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_call_details {
    /// Address of the function.
    pub function: u64,
    /// Where it was to return to.
    pub return_address: u64,
    /// Stack pointer at its entry.
    pub stack: u64,
    /// The thread that made the call.
    pub thread: wvmi_thread,
    /// What the entry's callback stored for the call.
    pub value: *mut c_void,
    /// Id of the thread.
    pub thread_id: u32,
    /// How the call ended: one of the `WVMI_CALL_*` numbers.
    pub end: wvmi_call_end,
}

// SAFETY: integers and raw pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_call_details {}

/// Called when a hooked function is entered.
///
/// `*value` is NULL and may be set: it comes back at the end of this call.
/// After `WVMI_ACTION_RETRY` the function counts as not entered yet. It must
/// return, as a `wvmi_event_callback`.
pub type wvmi_entry_callback = Option<
    unsafe extern "C" fn(
        event: *mut wvmi_event,
        value: *mut *mut c_void,
        user_data: *mut c_void,
    ) -> wvmi_action,
>;

/// Called exactly once for each call that was entered, when it ends.
///
/// `event` is the event that told so: the return itself for
/// `WVMI_CALL_RETURNED`, something later for the others, NULL for
/// `WVMI_CALL_DETACHED`. `WVMI_ACTION_RETRY` is not possible here. `call` is
/// valid until the callback returns. It must return, as a `wvmi_event_callback`.
pub type wvmi_return_callback = Option<
    unsafe extern "C" fn(
        event: *mut wvmi_event,
        call: *const wvmi_call_details,
        user_data: *mut c_void,
    ) -> wvmi_action,
>;

struct HostCalls {
    entry: unsafe extern "C" fn(*mut wvmi_event, *mut *mut c_void, *mut c_void) -> wvmi_action,
    end:
        unsafe extern "C" fn(*mut wvmi_event, *const wvmi_call_details, *mut c_void) -> wvmi_action,
    user_data: UserData,
    session: Arc<Session>,
}

impl CallHandler for HostCalls {
    fn entered(&self, event: &mut Occurrence<'_>, value: &mut usize) -> Action {
        let mut stored = ptr::null_mut();
        let action = lend(&self.session, event, |event| {
            // SAFETY: the host gave this callback for this user data.
            unsafe { (self.entry)(event, &raw mut stored, self.user_data.pointer()) }
        });
        *value = stored.expose_provenance();
        action
    }

    fn ended(&self, event: Option<&mut Occurrence<'_>>, call: &EndedCall) -> Action {
        let details = details_of(call);
        let end = |event| {
            // SAFETY: the host gave this callback for this user data.
            unsafe { (self.end)(event, &raw const details, self.user_data.pointer()) }
        };
        match event {
            Some(event) => lend(&self.session, event, end),
            None => {
                // Nothing is left to be removed or stopped.
                end(ptr::null_mut());
                Action::Continue
            }
        }
    }
}

fn details_of(call: &EndedCall) -> wvmi_call_details {
    wvmi_call_details {
        function: call.frame.instruction.0,
        return_address: call.site.1.0,
        stack: call.frame.stack,
        thread: wvmi_thread {
            object: call.thread.object.0,
        },
        value: ptr::with_exposed_provenance_mut(call.value),
        thread_id: call.thread.id,
        end: match call.end {
            CallEnd::Returned => WVMI_CALL_RETURNED,
            CallEnd::Unwound => WVMI_CALL_UNWOUND,
            CallEnd::ThreadExited => WVMI_CALL_THREAD_EXITED,
            CallEnd::Detached => WVMI_CALL_DETACHED,
        },
    }
}

/// Hooks a function: its entry, and the end of each call.
///
/// Entries and ends are paired by thread and stack, through recursion. `spec`
/// names the function, `size` is `sizeof *spec`; the callbacks are called with
/// `user_data` in the thread that runs the event loop; `release` (may be NULL)
/// releases `user_data` once. `hook` receives the number to remove it with.
/// The kernel's symbols are needed to tell threads apart.
///
/// Errors as `wvmi_breakpoint_insert()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_call_hook_insert(
    session: *mut wvmi_session,
    spec: *const wvmi_breakpoint_spec,
    size: usize,
    on_entry: wvmi_entry_callback,
    on_return: wvmi_return_callback,
    user_data: *mut c_void,
    release: wvmi_release_callback,
    hook: *mut wvmi_hook,
) -> wvmi_status {
    let user_data = UserData::new(user_data, release);
    // SAFETY: the caller passes pointers as the header demands.
    let call = &unsafe { Call::new(c"wvmi_call_hook_insert") };
    call.run(move || {
        let session = call.session(session)?;
        let spec: wvmi_breakpoint_spec = call.sized_input(spec, size, "spec")?;
        let output = call.output(hook, "hook")?;
        let missing = |argument| Error::NullArgument { argument };
        session.engine().windows()?;
        let host = HostCalls {
            entry: on_entry.ok_or(missing("on_entry"))?,
            end: on_return.ok_or(missing("on_return"))?,
            user_data,
            session: session.share_engine(),
        };
        let handler = Handler::Calls(CallTracker::new(Box::new(host)));
        let new = spec.hook(call, &session, handler)?;
        output.write(session.live()?.insert(new)?.to_bits());
        Ok(WVMI_OK)
    })
}
