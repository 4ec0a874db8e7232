//! The session behind a handle.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use once_cell::sync::OnceCell;

use crate::{
    core::Memory,
    error::Result,
    monitor::{LiveGuest, windows::live_guest},
    session::Session,
};

/// What a session's handle and everything that belongs to it share.
pub struct Shared {
    /// The session's, at hand for the shortest calls.
    memory: Arc<Memory>,
    session: Arc<Session>,
    /// The hooks of a running guest, from the first call about them on.
    live: OnceCell<LiveGuest>,
    closed: AtomicBool,
    /// A callback closed the session: it ends with the event loop.
    ending: AtomicBool,
}

impl Shared {
    /// A session that was just opened.
    pub fn new(session: Session) -> Self {
        Self {
            memory: Arc::clone(session.memory()),
            session: Arc::new(session),
            live: OnceCell::new(),
            closed: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        }
    }

    /// The engine's session.
    #[inline]
    pub fn engine(&self) -> &Session {
        &self.session
    }

    /// Guest memory.
    #[inline]
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// The engine's session, to be kept by a callback.
    pub fn share_engine(&self) -> Arc<Session> {
        Arc::clone(&self.session)
    }

    /// The hooks of a running guest.
    pub fn live(&self) -> Result<&LiveGuest> {
        self.live.get_or_try_init(|| live_guest(&self.session))
    }

    /// Leaves a running guest as it was found.
    pub fn restore(&self) -> Result<()> {
        let unhooked = self.live.get().map_or(Ok(true), LiveGuest::close);
        unhooked.and(self.session.leave())
    }

    /// Called inside a callback of the event loop, has the loop end and close
    /// the session; false when this is no such callback.
    pub fn end_with_loop(&self) -> bool {
        let inside = self.live.get().is_some_and(LiveGuest::is_serving);
        if inside {
            self.ending.store(true, Ordering::Release);
            self.begin_closing();
        }
        inside
    }

    /// Did a callback close the session?
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Was the handle closed?
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Ends long calls and refuses new ones.
    pub fn begin_closing(&self) {
        self.closed.store(true, Ordering::Release);
        self.session.end_calls();
        if let Some(live) = self.live.get() {
            live.request_close();
        }
    }
}
