//! The events that a thread's callbacks were lent, and when they are over.
//!
//! An event's handle is a number, not an address: it is looked up among the
//! events of the calling thread. So a handle that is used after its callback
//! has returned, or in another thread, is recognised for ever.

use std::{
    cell::{Cell, RefCell},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    action::{
        WVMI_ACTION_CONTINUE, WVMI_ACTION_REMOVE, WVMI_ACTION_RETRY, WVMI_ACTION_STEP,
        WVMI_ACTION_STOP, wvmi_action,
    },
    event::wvmi_event,
    ffi::Call,
};
use crate::{
    error::{Error, Result},
    monitor::{Action, Missing, Occurrence},
    os::windows::Frame,
    session::Session,
};

/// An event that a callback of the host's is looking at.
struct Lent {
    handle: usize,
    /// Lives as long as the callback runs; its true lifetime is that of `lend`.
    occurrence: *mut Occurrence<'static>,
    session: Arc<Session>,
    requested: Cell<Option<Missing>>,
    /// A function is at work with it.
    in_use: Cell<bool>,
}

/// Handles are odd, so that no real pointer looks like one.
static NEXT: AtomicUsize = AtomicUsize::new(1);

thread_local! {
    /// The innermost callback's event is the last one.
    static LENT: RefCell<Vec<*const Lent>> = const { RefCell::new(Vec::new()) };
}

/// Takes the innermost event back, also when its callback unwinds.
struct Return;

impl Drop for Return {
    fn drop(&mut self) {
        LENT.with_borrow_mut(Vec::pop);
    }
}

/// Lends an event to a callback of the host's, and turns its answer around.
pub fn lend(
    session: &Arc<Session>,
    occurrence: &mut Occurrence<'_>,
    call: impl FnOnce(*mut wvmi_event) -> wvmi_action,
) -> Action {
    let lent = Lent {
        handle: NEXT.fetch_add(2, Ordering::Relaxed),
        occurrence: (&raw mut *occurrence).cast(),
        session: Arc::clone(session),
        requested: Cell::new(None),
        in_use: Cell::new(false),
    };
    LENT.with_borrow_mut(|events| events.push(&raw const lent));
    let lending = Return;
    let action = call(ptr::without_provenance_mut(lent.handle));
    drop(lending);
    match (action, lent.requested.get()) {
        (WVMI_ACTION_CONTINUE, _) => Action::Continue,
        (WVMI_ACTION_REMOVE, _) => Action::Remove,
        (WVMI_ACTION_STOP, _) => Action::Stop,
        (WVMI_ACTION_STEP, _) => Action::Step,
        (WVMI_ACTION_RETRY, Some(missing)) => Action::MakeResident(missing),
        _ => Action::Continue,
    }
}

/// A function's sole use of an event.
pub struct Event<'call>(&'call Lent);

impl Call {
    /// The event behind a handle.
    pub fn event(&self, handle: *const wvmi_event) -> Result<Event<'_>> {
        if handle.is_null() {
            return Err(Error::NullArgument { argument: "event" });
        }
        let lent = LENT.with_borrow(|events| {
            let mut lent = events.iter().map(|&lent| {
                // SAFETY: `lend` takes the pointer out of the list before it returns,
                // and this call is inside of the callback that it is waiting for.
                unsafe { &*lent }
            });
            lent.find(|lent| lent.handle == handle.addr())
        });
        let lent = lent.ok_or(Error::Closed)?;
        if lent.in_use.replace(true) {
            return Err(Error::Busy {
                reason: "a function is at work with this event".into(),
            });
        }
        Ok(Event(lent))
    }
}

impl Drop for Event<'_> {
    fn drop(&mut self) {
        self.0.in_use.set(false);
    }
}

impl Event<'_> {
    /// The engine's event.
    pub fn occurrence(&self) -> &Occurrence<'_> {
        // SAFETY: `lend` holds it, and `in_use` keeps others away.
        unsafe { &*self.0.occurrence }
    }

    /// The engine's event, to be changed.
    pub fn occurrence_mut(&mut self) -> &mut Occurrence<'static> {
        // SAFETY: as above; this value is borrowed alone.
        unsafe { &mut *self.0.occurrence }
    }

    /// The session whose event it is.
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// The stopped processor in the middle of a call.
    pub fn frame(&self) -> Frame<'_> {
        let registers = &self.occurrence().stopped.event.registers;
        Frame::new(self.session().memory(), registers)
    }

    /// Notes the page that the callback asks for.
    pub fn request(&self, missing: Missing) {
        self.0.requested.set(Some(missing));
    }
}
