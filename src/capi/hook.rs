//! Inserting and removing breakpoints and monitors of a running guest.

use std::{
    ffi::{c_char, c_void},
    ptr,
};

use super::{
    action::{Limits, wvmi_scope_kind},
    architecture::{wanted, wvmi_architecture},
    callback::{UserData, wvmi_release_callback},
    event::{HostCallback, wvmi_event_callback},
    ffi::{Call, Plain},
    session::{Shared, wvmi_session},
    space::wvmi_space,
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::{Pa, Space, Va},
    error::{Error, Result},
    monitor::{Handler, HookId, HookOptions, NewHook, Place, Target, windows::target_of},
};

/// A hook of a running guest: a number, nothing to free. Never 0; the number of
/// a removed hook never names another one.
pub type wvmi_hook = u64;

/// Where a breakpoint is and whom it concerns. All zero but `symbol` or
/// `address` is a breakpoint for everybody.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_breakpoint_spec {
    /// `"nt!NtCreateFile"`; `"tcpip!IppReceivePackets"` in a driver, or
    /// `"ntdll!NtCreateFile"` in each process of the scope that loads the module, now
    /// or later: the kernel's modules come first; UTF-8. NULL when `address` is set.
    pub symbol: *const c_char,
    /// Virtual address of the instruction, where `symbol` is NULL.
    pub address: u64,
    /// The space that `address` is in.
    pub space: wvmi_space,
    /// The process or thread object of the scope.
    pub scope_object: u64,
    /// The image file name of the scope; UTF-8.
    pub scope_image: *const c_char,
    /// Whom the hook concerns: one of the `WVMI_SCOPE_*` numbers.
    pub scope_kind: wvmi_scope_kind,
    /// Calls allowed within `limit_window_ms`; 0 for any number. A hook that
    /// exceeds them is suspended, and its callback told so.
    pub limit_calls: u32,
    /// Time in which calls are counted, in milliseconds; 0 for 1000.
    pub limit_window_ms: u32,
    /// How long the hook stays suspended, in milliseconds; 0 for 1000.
    pub limit_suspension_ms: u32,
    /// Which modules of a process `symbol` means: one of the
    /// `WVMI_ARCHITECTURE_*` numbers. All zero is those of the process's own code:
    /// the 32-bit `ntdll` of a WoW64 process. Memory that processes share is hooked
    /// in all of them that the scope takes in.
    pub architecture: wvmi_architecture,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: integers and raw pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_breakpoint_spec {}

impl wvmi_breakpoint_spec {
    fn options(&self, call: &Call, session: &Shared) -> Result<HookOptions> {
        let limits = Limits {
            scope_kind: self.scope_kind,
            scope_object: self.scope_object,
            scope_image: self.scope_image,
            limit_calls: self.limit_calls,
            limit_window_ms: self.limit_window_ms,
            limit_suspension_ms: self.limit_suspension_ms,
        };
        limits.options(call, session)
    }

    fn target(&self, call: &Call, session: &Shared, options: &HookOptions) -> Result<Target> {
        let architecture = wanted(self.architecture)?;
        if let Some(symbol) = call.optional_text(self.symbol, "symbol")? {
            return target_of(
                &session.share_engine(),
                symbol,
                architecture,
                &options.scope,
            );
        }
        let root = virtual_root(session, self.space)?;
        let va = Va(self.address);
        Ok(Target::Code(vec![Place { root, va }]))
    }

    /// The hook that the spec asks for.
    pub fn hook(&self, call: &Call, session: &Shared, handler: Handler) -> Result<NewHook> {
        let options = self.options(call, session)?;
        let target = self.target(call, session, &options)?;
        Ok(NewHook {
            target,
            options,
            handler,
        })
    }
}

fn virtual_root(session: &Shared, space: wvmi_space) -> Result<Pa> {
    match session.space(space)? {
        Space::Virtual { root } => Ok(root),
        Space::Physical => Err(Error::invalid_argument(
            "space",
            "code has a virtual address",
        )),
    }
}

/// The callback as the engine calls it. What was registered is released when
/// it is dropped.
pub(super) fn handler(
    session: &Shared,
    callback: wvmi_event_callback,
    user_data: UserData,
) -> Result<Handler> {
    let callback = callback.ok_or(Error::NullArgument {
        argument: "callback",
    })?;
    let host = HostCallback {
        callback,
        user_data,
        session: session.share_engine(),
    };
    Ok(Handler::Event(Box::new(move |event| host.call(event))))
}

/// Inserts a breakpoint that the guest cannot see, where the back end has
/// memory views; see `wvmi_breakpoints_are_visible()`.
///
/// The instruction is executed as the guest wrote it, by every thread that
/// reaches it; the guest reads its own bytes. A page that is not in memory is
/// hooked as soon as it comes in, a module that a process of the scope has not
/// loaded (or a process that does not exist yet) as soon as the module is mapped
/// there, a driver before its first instruction: while the event loop runs, for it
/// is the loop that sees it. Until then it is pending, and again when the module is
/// unloaded, until it is loaded anew, wherever that may be; `wvmi_hook_info()` tells
/// why. `spec` says where and for whom, `size` is
/// `sizeof *spec`; `callback` is called with `user_data` in the thread that
/// runs the event loop; `release` (may be NULL) releases `user_data` once.
/// `hook` receives the number to remove it with.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NOT_FOUND` for a symbol that the
/// kernel or a loaded driver lacks (others may come with the module),
/// `WVMI_ERROR_NOT_SUPPORTED` when the back end has no events,
/// `WVMI_ERROR_NO_SYMBOLS`, or `WVMI_ERROR_BACK_END`. After an error the guest
/// is as before.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_breakpoint_insert(
    session: *mut wvmi_session,
    spec: *const wvmi_breakpoint_spec,
    size: usize,
    callback: wvmi_event_callback,
    user_data: *mut c_void,
    release: wvmi_release_callback,
    hook: *mut wvmi_hook,
) -> wvmi_status {
    let user_data = UserData::new(user_data, release);
    // SAFETY: the caller passes pointers as the header demands.
    let call = &unsafe { Call::new(c"wvmi_breakpoint_insert") };
    call.run(move || {
        let session = call.session(session)?;
        let spec = call.sized_input(spec, size, "spec")?;
        let output = call.output(hook, "hook")?;
        let handler = handler(&session, callback, user_data)?;
        let new = spec.hook(call, &session, handler)?;
        output.write(session.live()?.insert(new)?.to_bits());
        Ok(WVMI_OK)
    })
}

/// Takes over the user data of each breakpoint; what is not used is released, too.
fn user_data_of(
    call: &Call,
    user_data: *const *mut c_void,
    count: usize,
    release: wvmi_release_callback,
) -> Result<Vec<UserData>> {
    if user_data.is_null() {
        return Ok(Vec::new());
    }
    let pointers = call.slice(user_data, count, "user_data")?;
    let take = |pointer: &*mut c_void| UserData::new(*pointer, release);
    Ok(pointers.iter().map(take).collect())
}

/// Inserts many breakpoints in one pause of the guest: all of them, or none.
///
/// `specs` are `count` structures, `stride` bytes apart (`sizeof *specs`).
/// `user_data` is one array element per breakpoint: callback `i` gets
/// `user_data[i]`; NULL gives every callback NULL. `release` (may be NULL)
/// releases each element once, after the last callback that gets it, or at once
/// when the call fails. `hooks` receives `count` numbers; `failed` (may be NULL) receives the index
/// of the breakpoint that could not be inserted.
///
/// Errors as `wvmi_breakpoint_insert()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_breakpoint_insert_many(
    session: *mut wvmi_session,
    specs: *const wvmi_breakpoint_spec,
    stride: usize,
    count: usize,
    callback: wvmi_event_callback,
    user_data: *const *mut c_void,
    release: wvmi_release_callback,
    hooks: *mut wvmi_hook,
    failed: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = &unsafe { Call::new(c"wvmi_breakpoint_insert_many") };
    let data = user_data_of(call, user_data, count, release);
    call.run(move || {
        let mut data = data?.into_iter();
        let session = call.session(session)?;
        let output = call.buffer(hooks, count, "hooks")?;
        let failed = call.optional_output(failed);
        let mut one = |index: usize| {
            let offset = index.saturating_mul(stride);
            let spec = specs.wrapping_byte_add(offset);
            let spec = call.sized_input(spec, stride, "specs")?;
            let nothing = || UserData::new(ptr::null_mut(), None);
            let handler = handler(&session, callback, data.next().unwrap_or_else(nothing))?;
            spec.hook(call, &session, handler)
        };
        let report = |(index, error): (usize, Error)| {
            if let Some(failed) = &failed {
                failed.write(index);
            }
            error
        };
        let new = (0..count).map(|index| one(index).map_err(|error| report((index, error))));
        let new: Vec<_> = new.collect::<Result<_>>()?;
        let ids = session.live()?.insert_many(new).map_err(report)?;
        for (to, id) in output.iter_mut().zip(ids) {
            *to = id.to_bits();
        }
        Ok(WVMI_OK)
    })
}

/// Removes a breakpoint, call hook or monitor.
///
/// No callback of it starts after the call; one that is running is not waited
/// for. Its user data is released after the last callback. Open calls of a call
/// hook end with `WVMI_CALL_DETACHED`, in this thread.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` when there is no such hook any
/// more, or `WVMI_ERROR_BACK_END`: then call again.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_hook_remove(
    session: *mut wvmi_session,
    hook: wvmi_hook,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_hook_remove") };
    call.run(|| {
        let session = call.session(session)?;
        match session.live()?.remove(HookId::from_bits(hook))? {
            true => Ok(WVMI_OK),
            false => Err(Error::not_found("the hook").into()),
        }
    })
}

/// Tells whether the guest can see breakpoints by reading its own code.
///
/// `visible` receives 0 on back ends with memory views, else 1: there, the
/// `INT3` is in the guest's memory, and only this library's reads hide it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_NOT_SUPPORTED`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_breakpoints_are_visible(
    session: *mut wvmi_session,
    visible: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_breakpoints_are_visible") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(visible, "visible")?;
        output.write(session.live()?.is_visible().into());
        Ok(WVMI_OK)
    })
}
