//! Where a hook acts, and why it does not.

use super::{
    ffi::{Call, Plain},
    hook::wvmi_hook,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::monitor::{HookId, HookState, Lack, Pending};

/// Why a hook acts nowhere; one of the `WVMI_PENDING_*` numbers.
pub type wvmi_pending_reason = u32;

/// It acts somewhere.
pub const WVMI_PENDING_NOTHING: wvmi_pending_reason = 0;
/// Neither the kernel nor a process of the scope has loaded the module of its symbol.
pub const WVMI_PENDING_MODULE: wvmi_pending_reason = 1;
/// A page is not in memory: the one that is hooked, or one that has to be read to
/// find it.
pub const WVMI_PENDING_PAGE: wvmi_pending_reason = 2;
/// The module is loaded and has no such export; its symbols were not found in the
/// places of the configuration.
pub const WVMI_PENDING_SYMBOLS: wvmi_pending_reason = 3;
/// The module is loaded, its symbols are known, and this one is not among them: the
/// name is misspelled, or means another version of the module.
pub const WVMI_PENDING_SYMBOL: wvmi_pending_reason = 4;
/// The view of the monitor was freed.
pub const WVMI_PENDING_VIEW: wvmi_pending_reason = 5;

/// Where a hook acts, filled by `wvmi_hook_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_hook_details {
    /// Places in which it acts: instructions, pages of memory, or 1 for what
    /// processors do.
    pub active: u64,
    /// Places that wait for a page to come in.
    pub waiting: u64,
    /// Processes in which its symbol (`module!symbol`) was found, or 1 for a driver.
    pub processes: u64,
    /// Processes in which its symbol was not looked for: a hook follows 4096.
    pub refused: u64,
    /// While `active` is 0, why: one of the `WVMI_PENDING_*` numbers. Of a symbol
    /// that no process has it is the reason of the process that is nearest to it, in
    /// the order of the numbers 1 to 4.
    pub pending: wvmi_pending_reason,
    /// Always 0.
    pub reserved: u32,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_hook_details {}

impl From<HookState> for wvmi_hook_details {
    fn from(state: HookState) -> Self {
        Self {
            active: state.active as u64,
            waiting: state.waiting as u64,
            processes: state.processes as u64,
            refused: state.refused,
            pending: match state.pending {
                None => WVMI_PENDING_NOTHING,
                Some(Pending::Page | Pending::Symbol(Lack::Page)) => WVMI_PENDING_PAGE,
                Some(Pending::Symbol(Lack::Module)) => WVMI_PENDING_MODULE,
                Some(Pending::Symbol(Lack::Symbols)) => WVMI_PENDING_SYMBOLS,
                Some(Pending::Symbol(Lack::Symbol)) => WVMI_PENDING_SYMBOL,
                Some(Pending::View) => WVMI_PENDING_VIEW,
            },
            reserved: 0,
        }
    }
}

/// Tells where a breakpoint, call hook or monitor acts, or why it is pending.
///
/// A hook on a symbol that its module turns out not to have stays pending, and
/// nothing but this call and a warning in the log says so: ask after the process
/// that was to be hooked has begun, or the driver was loaded. When a module is
/// unloaded, the reason is `WVMI_PENDING_MODULE` of a driver; of a process's module it
/// is `WVMI_PENDING_PAGE` until the next image is mapped there.
///
/// Symbols that were not found are not looked for at each load of their module, but
/// anew once another hook on a symbol is inserted: put them in place, then do that.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` when there is no such hook any more,
/// `WVMI_ERROR_NULL_ARGUMENT` or `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_hook_info(
    session: *mut wvmi_session,
    hook: wvmi_hook,
    details: *mut wvmi_hook_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_hook_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let state = session.live()?.hook_state(HookId::from_bits(hook))?;
        output.write(state.into());
        Ok(WVMI_OK)
    })
}
