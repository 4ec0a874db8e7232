//! What one thread is inside of, for others to see.

use std::{ptr, sync::atomic::compiler_fence};

use super::atomics::{AtomicPtr, AtomicUsize, Ordering};

/// Most calls that one thread can be inside of at once (callbacks within callbacks).
const DEPTH: usize = 8;

/// The sessions that the calls of one thread are inside of, the outermost first.
///
/// One thread enters and leaves; any thread asks for names.
pub struct Record<T> {
    places: [AtomicPtr<T>; DEPTH],
    /// Places in use.
    depth: AtomicUsize,
    /// The place of a call within which no other begins.
    brief: AtomicPtr<T>,
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Self {
            places: Default::default(),
            depth: AtomicUsize::new(0),
            brief: AtomicPtr::default(),
        }
    }
}

impl<T> Record<T> {
    /// Publishes that a call is inside of `session`, and answers its place, which
    /// is for [`Record::leave`]; `None` when [`DEPTH`] calls are.
    ///
    /// `barrier` keeps what the caller reads next behind the publication: either
    /// the closer of the session sees it, or the caller sees the closing.
    #[inline]
    pub fn enter(&self, session: *mut T, barrier: impl FnOnce()) -> Option<usize> {
        let depth = self.depth.load(Ordering::Relaxed);
        let place = self.places.get(depth)?;
        self.depth.store(depth.wrapping_add(1), Ordering::Relaxed);
        // A call from a signal handler takes the next place from here on.
        compiler_fence(Ordering::SeqCst);
        place.store(session, Ordering::Relaxed);
        barrier();
        Some(depth)
    }

    /// Takes the innermost publication back, the one at `place`.
    #[inline]
    pub fn leave(&self, place: usize) {
        if let Some(place) = self.places.get(place) {
            place.store(ptr::null_mut(), Ordering::Release);
        }
        compiler_fence(Ordering::SeqCst);
        self.depth.store(place, Ordering::Relaxed);
    }

    /// As [`Record::enter`], for a call that neither calls back nor is made in a
    /// signal handler; ends with [`Record::leave_briefly`].
    #[inline(always)]
    pub fn enter_briefly(&self, session: *mut T, barrier: impl FnOnce()) {
        self.brief.store(session, Ordering::Relaxed);
        barrier();
    }

    /// Takes the publication of [`Record::enter_briefly`] back.
    #[inline(always)]
    pub fn leave_briefly(&self) {
        self.brief.store(ptr::null_mut(), Ordering::Release);
    }

    /// Is the thread inside of `session`?
    pub fn names(&self, session: *mut T) -> bool {
        let mut places = self.places.iter().chain([&self.brief]);
        places.any(|place| place.load(Ordering::Acquire) == session)
    }
}
