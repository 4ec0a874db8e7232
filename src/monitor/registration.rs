//! One registered hook: whom it concerns, how often, and what to call.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::{
    breakpoint::Key,
    calls::CallTracker,
    guest::{Guest, Identity},
    limit::{Admission, Limiter, RateLimit},
    occurrence::{Action, Occurrence},
    scope::{Scope, ScopeFilter},
    search::Search,
    slots::HookId,
};
use crate::core::Pa;

/// What a subscriber is called with. Dropped after its last call, by whichever
/// thread is last, with no lock held.
pub type Callback = Box<dyn Fn(&mut Occurrence<'_>) -> Action + Send + Sync>;

/// Whom a hook concerns, and how often it may be called.
#[derive(Debug, Clone)]
pub struct HookOptions {
    /// Whom it concerns.
    pub scope: Scope,
    /// How often it may be called.
    pub limit: RateLimit,
}

/// What a hook does when it is hit.
pub enum Handler {
    /// Calls back once per event.
    Event(Callback),
    /// Pairs entries and returns of functions.
    Calls(CallTracker),
}

/// A registered hook.
pub struct Registration {
    /// Its id.
    pub id: HookId,
    /// What it does.
    pub handler: Handler,
    filter: ScopeFilter,
    search: Option<Arc<dyn Search>>,
    limiter: Mutex<Limiter>,
    removed: AtomicBool,
}

impl Default for HookOptions {
    fn default() -> Self {
        Self {
            scope: Scope::All,
            limit: RateLimit::NONE,
        }
    }
}

impl Registration {
    /// A hook that is about to be inserted.
    pub fn new(id: HookId, options: HookOptions, handler: Handler) -> Self {
        Self {
            id,
            handler,
            filter: ScopeFilter::new(options.scope),
            search: None,
            limiter: Mutex::new(Limiter::new(options.limit)),
            removed: AtomicBool::new(false),
        }
    }

    /// The same, whose symbol is looked for in processes.
    pub fn with_search(self, search: Option<Arc<dyn Search>>) -> Self {
        Self { search, ..self }
    }

    /// What looks for its symbol in processes.
    pub fn search(&self) -> Option<&dyn Search> {
        self.search.as_deref()
    }

    /// The address space of this root is gone, and the return addresses patched in it.
    pub fn forget_root(&self, root: Pa) {
        if let Handler::Calls(tracker) = &self.handler {
            tracker.forget_root(root);
        }
    }

    /// Key of its breakpoints and memory hooks.
    pub const fn key(&self) -> Key {
        key_of(self.id)
    }

    /// Has it callbacks no more? Checked right before each call.
    pub fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Acquire)
    }

    /// From now on no callback starts.
    pub fn mark_removed(&self) {
        self.removed.store(true, Ordering::Release);
    }

    /// Whom it concerns.
    pub const fn filter(&self) -> &ScopeFilter {
        &self.filter
    }

    /// Does the hook concern whoever was stopped?
    pub fn concerns(
        &self,
        guest: &dyn Guest,
        identity: impl FnOnce() -> crate::Result<Identity>,
    ) -> bool {
        if self.filter.is_all() {
            return true;
        }
        // Who cannot be told is nobody that was asked for.
        identity().is_ok_and(|identity| self.filter.admits(guest, &identity))
    }

    /// Counts a hit against the rate limit.
    pub fn admit(&self) -> Admission {
        let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.admit(Instant::now())
    }
}

/// Key of the breakpoints and memory hooks of a registration.
pub const fn key_of(id: HookId) -> Key {
    Key(id.to_bits())
}

/// The registration behind a key.
pub const fn id_of(key: Key) -> HookId {
    HookId::from_bits(key.0)
}
