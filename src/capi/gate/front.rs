//! What can be asked of an open session without entering it.

use super::atomics::{AtomicPtr, AtomicUsize, Ordering, fence};

/// The handle of an open session, and something of it that is never freed: when
/// the session is closed, another one may have it.
pub struct Front<T: 'static> {
    /// 0 while there is no session.
    handle: AtomicUsize,
    value: AtomicPtr<T>,
}

impl<T> Front<T> {
    /// A front of no session: 0 and NULL.
    pub const fn new(handle: AtomicUsize, value: AtomicPtr<T>) -> Self {
        Self { handle, value }
    }

    /// Shows what the session of `handle`, which no session had before, has.
    pub fn publish(&self, handle: usize, value: &'static T) {
        let value = std::ptr::from_ref(value).cast_mut();
        self.value.store(value, Ordering::Release);
        self.handle.store(handle, Ordering::Release);
    }

    /// Shows nothing any more; to be called before another session has the value.
    pub fn withdraw(&self) {
        self.handle.store(0, Ordering::Release);
    }

    /// Asks the value of the session of `handle`: `None` when that is not open, or
    /// was closed before the answer was complete.
    ///
    /// What `question` reads was written with a release and is read with an acquire:
    /// so whoever sees what another session wrote sees the handle gone, too.
    #[inline(always)]
    pub fn ask<R>(&self, handle: usize, question: impl FnOnce(&T) -> Option<R>) -> Option<R> {
        if handle == 0 || self.handle.load(Ordering::Acquire) != handle {
            return None;
        }
        let value = self.value.load(Ordering::Acquire);
        // SAFETY: it was published before the handle was, and is never freed.
        let answer = question(unsafe { &*value })?;
        fence(Ordering::Acquire);
        (self.handle.load(Ordering::Relaxed) == handle).then_some(answer)
    }
}
