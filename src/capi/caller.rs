//! What the library keeps for each thread that calls it, found once per call.

use std::{
    cell::Cell,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{gate::Record, session::Shared};

/// One calling thread.
#[derive(Default)]
pub struct Caller {
    /// The sessions that its calls are inside of.
    pub record: Record<Shared>,
    /// How many guards it is inside of; only the thread itself looks.
    guards: AtomicU32,
}

/// All threads; what an ended one leaves is used again, none is freed.
static CALLERS: Mutex<Vec<&'static Caller>> = Mutex::new(Vec::new());
static SPARE: Mutex<Vec<&'static Caller>> = Mutex::new(Vec::new());

thread_local! {
    static CURRENT: Cell<Option<&'static Caller>> = const { Cell::new(None) };
    static AT_THREAD_END: AtThreadEnd = const { AtThreadEnd };
}

struct AtThreadEnd;

impl Drop for AtThreadEnd {
    fn drop(&mut self) {
        if let Some(caller) = CURRENT.take() {
            lock(&SPARE).push(caller);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Caller {
    /// This thread.
    #[inline]
    pub fn current() -> &'static Self {
        match CURRENT.get() {
            Some(caller) => caller,
            None => Self::register(),
        }
    }

    #[cold]
    fn register() -> &'static Self {
        let spare = lock(&SPARE).pop();
        let caller = spare.unwrap_or_else(|| {
            let caller: &'static Self = Box::leak(Box::default());
            lock(&CALLERS).push(caller);
            caller
        });
        CURRENT.set(Some(caller));
        // In a thread that is past its destructors the caller is not reused.
        let _ = AT_THREAD_END.try_with(|_| ());
        caller
    }

    /// All threads that ever called.
    pub fn all() -> Vec<&'static Self> {
        lock(&CALLERS).clone()
    }

    /// Enters a guard, to be left when the answer is dropped.
    #[inline]
    pub fn guarded(&self) -> Guarded<'_> {
        self.count_guards(1);
        Guarded(self)
    }

    #[inline]
    fn count_guards(&self, more: u32) {
        let guards = self.guards.load(Ordering::Relaxed);
        self.guards
            .store(guards.wrapping_add(more), Ordering::Relaxed);
    }

    /// Is this thread inside of a guard?
    pub fn is_guarded() -> bool {
        CURRENT
            .get()
            .is_some_and(|caller| caller.guards.load(Ordering::Relaxed) > 0)
    }
}

/// A thread inside of a guard.
pub struct Guarded<'a>(&'a Caller);

impl Drop for Guarded<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.count_guards(u32::MAX);
    }
}
