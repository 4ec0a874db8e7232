//! What one thread is inside of, for others to see.

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
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Self {
            places: Default::default(),
            depth: AtomicUsize::new(0),
        }
    }
}

impl<T> Record<T> {
    /// Publishes that a call is inside of `session`; false when [`DEPTH`] calls are.
    ///
    /// `barrier` keeps what the caller reads next behind the publication: either
    /// the closer of the session sees it, or the caller sees the closing.
    #[inline]
    pub fn enter(&self, session: *mut T, barrier: impl FnOnce()) -> bool {
        let depth = self.depth.load(Ordering::Relaxed);
        let Some(place) = self.places.get(depth) else {
            return false;
        };
        place.store(session, Ordering::Relaxed);
        self.depth.store(depth.wrapping_add(1), Ordering::Relaxed);
        barrier();
        true
    }

    /// Takes the innermost publication back.
    #[inline]
    pub fn leave(&self) {
        let depth = self.depth.load(Ordering::Relaxed).wrapping_sub(1);
        if let Some(place) = self.places.get(depth) {
            place.store(std::ptr::null_mut(), Ordering::Release);
        }
        self.depth.store(depth, Ordering::Relaxed);
    }

    /// Is the thread inside of `session`?
    pub fn names(&self, session: *mut T) -> bool {
        self.places
            .iter()
            .any(|place| place.load(Ordering::Acquire) == session)
    }
}
