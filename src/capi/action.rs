//! What callbacks of events answer, and whom hooks concern.

use std::{ffi::c_char, time::Duration};

use super::{ffi::Call, session::Shared};
use crate::{
    core::Va,
    error::{Error, Result},
    monitor::{
        HookOptions, ProcessIdentity, RateLimit, Scope, ThreadIdentity,
        windows::{process_identity, thread_identity},
    },
};

/// What a callback wants next; one of the `WVMI_ACTION_*` numbers.
pub type wvmi_action = u32;

/// Nothing special. Numbers that are not named here mean the same.
pub const WVMI_ACTION_CONTINUE: wvmi_action = 0;
/// Remove this hook; its callback is not called again.
pub const WVMI_ACTION_REMOVE: wvmi_action = 1;
/// End the event loop after this event, with `WVMI_STOPPED`.
pub const WVMI_ACTION_STOP: wvmi_action = 2;
/// Have the guest bring in the page named by `wvmi_event_request_page()`, then
/// call again for the same event.
pub const WVMI_ACTION_RETRY: wvmi_action = 3;
/// Have the stopped processor execute one instruction, then call the monitors of
/// single steps (`WVMI_MONITOR_SINGLE_STEP`), whose callbacks may ask for the next
/// step in the same way. Breakpoints and monitors on the way are called as ever; a
/// step that an `INT3` of the guest's own or a denied write takes the place of is not
/// reported.
pub const WVMI_ACTION_STEP: wvmi_action = 4;

/// Whom a hook concerns; one of the `WVMI_SCOPE_*` numbers.
pub type wvmi_scope_kind = u32;

/// Everybody. The default.
pub const WVMI_SCOPE_ALL: wvmi_scope_kind = 0;
/// The process whose object is `scope_object`.
pub const WVMI_SCOPE_PROCESS: wvmi_scope_kind = 1;
/// That process and all its descendants, future ones included.
pub const WVMI_SCOPE_PROCESS_TREE: wvmi_scope_kind = 2;
/// Processes whose image file name is `scope_image`, case ignored.
pub const WVMI_SCOPE_IMAGE: wvmi_scope_kind = 3;
/// The thread whose object is `scope_object`.
pub const WVMI_SCOPE_THREAD: wvmi_scope_kind = 4;

/// Whom a hook concerns and how often it may be called, as the specs of hooks
/// carry it.
pub struct Limits {
    pub scope_kind: wvmi_scope_kind,
    pub scope_object: u64,
    pub scope_image: *const c_char,
    pub limit_calls: u32,
    pub limit_window_ms: u32,
    pub limit_suspension_ms: u32,
}

/// Window and suspension of a rate limit that does not say, in milliseconds.
const DEFAULT_TIME: u32 = 1000;

impl Limits {
    /// The engine's form.
    pub fn options(&self, call: &Call, session: &Shared) -> Result<HookOptions> {
        Ok(HookOptions {
            scope: self.scope(call, session)?,
            limit: RateLimit {
                calls: self.limit_calls,
                window: milliseconds(self.limit_window_ms),
                suspension: milliseconds(self.limit_suspension_ms),
            },
        })
    }

    fn scope(&self, call: &Call, session: &Shared) -> Result<Scope> {
        Ok(match self.scope_kind {
            WVMI_SCOPE_ALL => Scope::All,
            WVMI_SCOPE_PROCESS => Scope::Process(self.process(session)?),
            WVMI_SCOPE_PROCESS_TREE => Scope::ProcessTree(self.process(session)?),
            WVMI_SCOPE_IMAGE => {
                Scope::ImageName(call.text(self.scope_image, "scope_image")?.to_owned())
            }
            WVMI_SCOPE_THREAD => Scope::Thread(self.thread(session)?),
            _ => {
                return Err(Error::invalid_argument(
                    "scope_kind",
                    "no WVMI_SCOPE_ number",
                ));
            }
        })
    }

    fn process(&self, session: &Shared) -> Result<ProcessIdentity> {
        let windows = session.engine().windows()?;
        process_identity(&windows.process(Va(self.scope_object)))
    }

    fn thread(&self, session: &Shared) -> Result<ThreadIdentity> {
        let windows = session.engine().windows()?;
        thread_identity(&windows.thread(Va(self.scope_object)))
    }
}

fn milliseconds(number: u32) -> Duration {
    let number = if number == 0 { DEFAULT_TIME } else { number };
    Duration::from_millis(number.into())
}
