//! Monitors: memory accesses, and what processors do.

use std::ffi::{c_char, c_void};

use super::{
    action::{Limits, wvmi_scope_kind},
    callback::{UserData, wvmi_release_callback},
    event::wvmi_event_callback,
    ffi::{Call, Plain},
    hook::{handler, wvmi_hook},
    session::{Shared, wvmi_session},
    space::wvmi_space,
    status::{WVMI_OK, wvmi_status},
    view::wvmi_view,
};
use crate::{
    core::driver::{MemoryAccess, Monitor},
    error::{Error, Result},
    monitor::{HookOptions, MemoryRange, NewHook, Target},
};

/// What a monitor waits for; one of the `WVMI_MONITOR_*` numbers.
pub type wvmi_monitor_kind = u32;

/// Accesses to `length` bytes at `address` in `space`.
pub const WVMI_MONITOR_MEMORY: wvmi_monitor_kind = 1;
/// Writes to control register `number`: 0, 3, 4, or 8 for XCR0.
pub const WVMI_MONITOR_CONTROL_REGISTER: wvmi_monitor_kind = 2;
/// Writes to the model-specific register `number`.
pub const WVMI_MONITOR_MSR: wvmi_monitor_kind = 3;
/// `CPUID`.
pub const WVMI_MONITOR_CPUID: wvmi_monitor_kind = 4;
/// Port I/O.
pub const WVMI_MONITOR_IO: wvmi_monitor_kind = 5;
/// Interrupts and exceptions of vector `number`, as far as the back end reports
/// them: 1 and 3 on Xen. 3 are the `INT3` of the guest's own. The guest takes them
/// when the callbacks have returned.
pub const WVMI_MONITOR_INTERRUPT: wvmi_monitor_kind = 6;
/// Requests of the guest for attention.
pub const WVMI_MONITOR_HYPERCALL: wvmi_monitor_kind = 7;
/// Accesses that the rights of `view`, a view of the caller's, deny.
pub const WVMI_MONITOR_VIEW: wvmi_monitor_kind = 8;

/// Instructions that processors executed because a callback answered
/// `WVMI_ACTION_STEP`.
pub const WVMI_MONITOR_SINGLE_STEP: wvmi_monitor_kind = 9;

/// What a monitor waits for and whom it concerns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_monitor_spec {
    /// Memory: first address.
    pub address: u64,
    /// Memory: number of bytes, at most 1 GiB.
    pub length: u64,
    /// Memory: the space that `address` is in.
    pub space: wvmi_space,
    /// The process or thread object of the scope.
    pub scope_object: u64,
    /// The image file name of the scope; UTF-8.
    pub scope_image: *const c_char,
    /// What to wait for: one of the `WVMI_MONITOR_*` numbers.
    pub kind: wvmi_monitor_kind,
    /// What the kind says.
    pub number: u32,
    /// Memory: the accesses to report: read 1, write 2, execute 4, or a sum.
    pub access: u32,
    /// Whom the hook concerns: one of the `WVMI_SCOPE_*` numbers.
    pub scope_kind: wvmi_scope_kind,
    /// As in `wvmi_breakpoint_spec`.
    pub limit_calls: u32,
    /// As in `wvmi_breakpoint_spec`.
    pub limit_window_ms: u32,
    /// As in `wvmi_breakpoint_spec`.
    pub limit_suspension_ms: u32,
    /// Must be 0.
    pub reserved: u32,
    /// View: whose rights.
    pub view: *const wvmi_view,
}

// SAFETY: integers and raw pointers only; every bit pattern is valid.
unsafe impl Plain for wvmi_monitor_spec {}

/// XCR0 as a control register.
const XCR0: u32 = 8;

impl wvmi_monitor_spec {
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

    fn target(&self, call: &Call, session: &Shared) -> Result<Target> {
        let number = |most: u32| match u8::try_from(self.number) {
            Ok(number) if self.number <= most => Ok(number),
            _ => Err(Error::invalid_argument("number", "not one of the kind's")),
        };
        Ok(Target::Processor(match self.kind {
            WVMI_MONITOR_MEMORY => return self.range(session).map(Target::Memory),
            WVMI_MONITOR_VIEW => {
                let view = call.input(self.view, "view")?;
                view.check(session)?;
                return Ok(Target::Denied(view.id()));
            }
            WVMI_MONITOR_CONTROL_REGISTER if self.number == XCR0 => Monitor::Xcr0,
            WVMI_MONITOR_CONTROL_REGISTER => match number(4)? {
                register @ (0 | 3 | 4) => Monitor::ControlRegister(register),
                _ => return Err(Error::invalid_argument("number", "not 0, 3, 4 or 8")),
            },
            WVMI_MONITOR_MSR => Monitor::Msr(self.number),
            WVMI_MONITOR_CPUID => Monitor::CpuId,
            WVMI_MONITOR_IO => Monitor::Io,
            WVMI_MONITOR_INTERRUPT => Monitor::Interrupt(number(255)?),
            WVMI_MONITOR_HYPERCALL => Monitor::Hypercall,
            WVMI_MONITOR_SINGLE_STEP => Monitor::SingleStep,
            _ => {
                return Err(Error::invalid_argument("kind", "no WVMI_MONITOR_ number"));
            }
        }))
    }

    fn range(&self, session: &Shared) -> Result<MemoryRange> {
        let access = u8::try_from(self.access).ok();
        let access = access.and_then(MemoryAccess::from_bits);
        Ok(MemoryRange {
            space: session.space(self.space)?,
            start: self.address,
            length: self.length,
            access: access.ok_or_else(|| Error::invalid_argument("access", "not 1 to 7"))?,
        })
    }
}

/// Adds a monitor of memory accesses or of what processors do.
///
/// No code of the guest is changed. Accesses that an instruction makes while it
/// is stepped over at a breakpoint are not reported. Otherwise as
/// `wvmi_breakpoint_insert()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_monitor_add(
    session: *mut wvmi_session,
    spec: *const wvmi_monitor_spec,
    size: usize,
    callback: wvmi_event_callback,
    user_data: *mut c_void,
    release: wvmi_release_callback,
    hook: *mut wvmi_hook,
) -> wvmi_status {
    let user_data = UserData::new(user_data, release);
    // SAFETY: the caller passes pointers as the header demands.
    let call = &unsafe { Call::new(c"wvmi_monitor_add") };
    call.run(move || {
        let session = call.session(session)?;
        let spec: wvmi_monitor_spec = call.sized_input(spec, size, "spec")?;
        let output = call.output(hook, "hook")?;
        let new = NewHook {
            handler: handler(&session, callback, user_data)?,
            target: spec.target(call, &session)?,
            options: spec.options(call, &session)?,
        };
        output.write(session.live()?.insert(new)?.to_bits());
        Ok(WVMI_OK)
    })
}
