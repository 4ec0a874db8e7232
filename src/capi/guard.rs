//! The guard that every extern function runs in: no panic leaves the library.

use std::{
    any::Any,
    borrow::Cow,
    panic::{self, AssertUnwindSafe},
    sync::Once,
    thread,
};

use super::{
    caller::Caller,
    error::{self, Failure},
    ffi::Call,
    status::{WVMI_ERROR_INTERNAL, wvmi_status},
};
use crate::error::Error;

/// What a function's body answers: a status that is no error, or why it failed.
pub type Answer = Result<wvmi_status, Failure>;

static HOOK: Once = Once::new();

impl Call {
    /// Runs the body of an extern function: records its failure, catches its panic.
    #[inline]
    pub fn run(&self, body: impl FnOnce() -> Answer) -> wvmi_status {
        match caught(self.caller(), body) {
            Ok(Ok(status)) => status,
            Ok(Err(failure)) => error::record(self.function(), failure),
            Err(panic) => {
                let reason = reason_of(panic);
                let failure = Failure::from(Error::Internal { reason });
                // Recording drops the previous error, the only thing left that could panic.
                let record = || error::record(self.function(), failure);
                caught(self.caller(), record).unwrap_or(WVMI_ERROR_INTERNAL)
            }
        }
    }
}

/// Runs `body`; a panic prints nothing and becomes an `Err`.
#[inline]
pub fn caught<T>(caller: &Caller, body: impl FnOnce() -> T) -> thread::Result<T> {
    let _inside = caller.guarded();
    panic::catch_unwind(AssertUnwindSafe(body))
}

/// Makes panics inside the guard silent and leaves all others to the hook
/// that was there before; false while that cannot be done.
pub fn silence_panics() -> bool {
    if HOOK.is_completed() {
        return true;
    }
    // A hook cannot be set while the thread unwinds.
    if thread::panicking() {
        return false;
    }
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !Caller::is_guarded() {
                previous(info);
            }
        }));
    });
    true
}

fn reason_of(panic: Box<dyn Any + Send>) -> Cow<'static, str> {
    match panic.downcast::<String>() {
        Ok(text) => Cow::Owned(*text),
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(text) => Cow::Borrowed(*text),
            Err(panic) => {
                // Dropping a payload of unknown type could panic again.
                std::mem::forget(panic);
                Cow::Borrowed("a panic without a message")
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::status::WVMI_OK;

    fn call() -> Call {
        // SAFETY: no pointers are passed.
        unsafe { Call::new(c"test") }
    }

    #[test]
    fn a_panic_becomes_an_internal_error() {
        assert_eq!(call().run(|| panic!("oops")), WVMI_ERROR_INTERNAL);
        assert_eq!(call().run(|| panic!("{}", 1)), WVMI_ERROR_INTERNAL);
        assert_eq!(
            call().run(|| panic::panic_any(Box::new(1))),
            WVMI_ERROR_INTERNAL
        );
        assert_eq!(call().run(|| Ok(WVMI_OK)), WVMI_OK);
        assert!(!Caller::is_guarded());
    }
}
