//! Call hooks: each entry of a function paired with its one end.

mod open;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

pub use self::open::{EndedCall, Frame};
use self::open::{OpenCall, Threads};
use super::{
    guest::ThreadIdentity,
    occurrence::{Action, Occurrence},
};
use crate::core::{Pa, Va};

/// Most return addresses that stay patched without an open call.
const MAX_IDLE_SITES: usize = 1024;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// The function returned to its caller.
    Returned,
    /// An exception or a jump left the function without a return.
    Unwound,
    /// The thread ended inside the function.
    ThreadExited,
    /// The hook was removed, or the session closed, while the call was open.
    Detached,
}

/// What a call hook calls. Dropped after its last call, with no lock held.
pub trait CallHandler: Send + Sync {
    /// The function was entered; `value` is the caller's own, kept until the end.
    fn entered(&self, event: &mut Occurrence<'_>, value: &mut usize) -> Action;

    /// The call ended; exactly once for each `entered`.
    ///
    /// The event is the one that told so; there is none when the hook is removed.
    fn ended(&self, event: Option<&mut Occurrence<'_>>, call: &EndedCall) -> Action;
}

/// A patched return address, and the root through which it is reached.
pub type Site = (Pa, Va);

#[derive(Default)]
struct Book {
    threads: Threads,
    /// Calls that are open for each patched return address.
    sites: HashMap<Site, u32>,
}

/// The open calls of one hook.
pub struct CallTracker {
    handler: Box<dyn CallHandler>,
    book: Mutex<Book>,
}

impl CallTracker {
    /// A hook without open calls.
    pub fn new(handler: Box<dyn CallHandler>) -> Self {
        Self {
            handler,
            book: Mutex::default(),
        }
    }

    /// What the hook calls.
    pub fn handler(&self) -> &dyn CallHandler {
        &*self.handler
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is the return address patched already?
    pub fn has_site(&self, site: &Site) -> bool {
        self.book().sites.contains_key(site)
    }

    /// Opens a call whose return address is patched.
    pub fn open(&self, thread: ThreadIdentity, frame: Frame, site: Site, value: usize) {
        let mut book = self.book();
        let open = book.sites.entry(site).or_default();
        *open = open.saturating_add(1);
        book.threads.push(OpenCall {
            thread,
            frame,
            site,
            value,
        });
    }

    /// Calls that a new entry at `frame` shows to be over.
    pub fn overtaken(&self, thread: &ThreadIdentity, frame: &Frame) -> Vec<EndedCall> {
        let mut book = self.book();
        let mut ended = book.threads.of_former_threads(thread);
        ended.extend(book.threads.overtaken(thread, frame));
        book.close(ended)
    }

    /// Calls that a return to `frame` ends, the returning one last.
    pub fn returned(&self, thread: &ThreadIdentity, frame: &Frame) -> Vec<EndedCall> {
        let mut book = self.book();
        let ended = book.threads.returned(thread, frame);
        book.close(ended)
    }

    /// Calls that end with their thread.
    pub fn thread_exits(&self, thread: &ThreadIdentity) -> Vec<EndedCall> {
        let mut book = self.book();
        let ended = book.threads.of_thread(thread);
        book.close(ended)
    }

    /// All open calls, for the end of the hook.
    pub fn detach(&self) -> Vec<EndedCall> {
        let mut book = self.book();
        let ended = book.threads.all();
        book.close(ended)
    }

    /// An address space is gone, and the patches in it.
    pub fn forget_root(&self, root: Pa) {
        let kept = |site: &Site| site.0 != root || site.1.0 >> 63 != 0;
        self.book().sites.retain(|site, _| kept(site));
    }

    /// Return addresses that are patched for no open call, once there are many.
    pub fn idle_sites(&self) -> Vec<Site> {
        let mut book = self.book();
        let idle = book.sites.iter().filter(|(_, open)| **open == 0);
        let idle: Vec<_> = idle.map(|(site, _)| *site).collect();
        if idle.len() < MAX_IDLE_SITES {
            return Vec::new();
        }
        book.sites.retain(|_, open| *open > 0);
        idle
    }
}

impl Book {
    /// Counts calls out of their return addresses.
    fn close(&mut self, calls: Vec<EndedCall>) -> Vec<EndedCall> {
        for call in &calls {
            if let Some(open) = self.sites.get_mut(&call.site) {
                *open = open.saturating_sub(1);
            }
        }
        calls
    }
}
