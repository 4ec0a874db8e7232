//! What the library keeps for each thread that calls it, found once per call.

mod known;

use std::{
    cell::Cell,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

use super::{
    gate::{self, Record},
    guard,
    session::Shared,
};

/// One calling thread. What it writes shares no cache line, nor the pair of them
/// that processors fetch together, with what another thread writes.
#[derive(Default)]
#[repr(align(128))]
pub struct Caller {
    /// The sessions that its calls are inside of.
    pub record: Record<Shared>,
    /// How many guards it is inside of; only the thread itself looks.
    guards: AtomicU32,
    /// The thread's pointer while its calls find this value by it, else 0.
    thread: AtomicUsize,
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
            known::forget(caller);
            lock(&SPARE).push(caller);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Caller {
    /// This thread, when it called before and is found without a look-up.
    #[inline(always)]
    pub fn known() -> Option<&'static Self> {
        known::find()
    }

    /// This thread.
    #[inline]
    pub fn current() -> &'static Self {
        match Self::known() {
            Some(caller) => caller,
            None => Self::look_up(),
        }
    }

    #[inline(never)]
    fn look_up() -> &'static Self {
        let caller = CURRENT.get().unwrap_or_else(Self::register);
        // Until panics are silent, and where closers cannot make the barriers of
        // those that are inside, each call comes here.
        if guard::silence_panics() && gate::prepare_barrier() {
            known::remember(caller);
        }
        caller
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
        let outer = self.guards.load(Ordering::Relaxed);
        self.guards.store(outer.wrapping_add(1), Ordering::Relaxed);
        Guarded {
            caller: self,
            outer,
        }
    }

    /// Is this thread inside of a guard?
    pub fn is_guarded() -> bool {
        let caller = known::find().or_else(|| CURRENT.get());
        caller.is_some_and(|caller| caller.guards.load(Ordering::Relaxed) > 0)
    }
}

/// A thread inside of a guard.
pub struct Guarded<'a> {
    caller: &'a Caller,
    /// How many guards are around this one, the last to be left.
    outer: u32,
}

impl Drop for Guarded<'_> {
    #[inline]
    fn drop(&mut self) {
        self.caller.guards.store(self.outer, Ordering::Relaxed);
    }
}
