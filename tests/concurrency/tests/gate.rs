//! Closing a session while calls are inside of it.

use std::ptr;

use loom::{
    cell::UnsafeCell,
    model,
    model::Builder,
    sync::atomic as atomics,
    sync::{
        Arc,
        atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence},
    },
    thread,
};

#[path = "../../../src/capi/gate/record.rs"]
mod record;

#[path = "../../../src/capi/gate/front.rs"]
mod front;

use front::Front;
use record::Record;

/// What is inside of a session; loom tells when it is used and freed at once.
struct Session(UnsafeCell<u64>);

/// One slot of the table of sessions, and the records of two threads.
struct Gate {
    session: *mut Session,
    generation: AtomicU64,
    records: [Record<Session>; 2],
}

// SAFETY: the session is used by the rules under test, which loom watches.
unsafe impl Send for Gate {}
// SAFETY: as above.
unsafe impl Sync for Gate {}

impl Gate {
    fn new() -> Self {
        Self {
            session: Box::into_raw(Box::new(Session(UnsafeCell::new(1)))),
            generation: AtomicU64::new(0),
            records: Default::default(),
        }
    }

    /// A call of thread `caller` with a handle of generation 0, with another
    /// call from inside when `depth` is more than 1.
    fn call(&self, caller: usize, depth: usize) {
        let record = &self.records[caller];
        let place = record
            .enter(self.session, || fence(Ordering::SeqCst))
            .unwrap();
        if self.generation.load(Ordering::Acquire) == 0 {
            // SAFETY: closing waits for this call before it frees the session.
            let session = unsafe { &*self.session };
            // SAFETY: the closer alone writes, and only once all calls have left.
            session.0.with(|value| assert_eq!(unsafe { *value }, 1));
            if depth > 1 {
                self.call(caller, depth - 1);
            }
        }
        record.leave(place);
    }

    /// A call that is answered at once, of thread `caller`.
    fn brief_call(&self, caller: usize) {
        let record = &self.records[caller];
        record.enter_briefly(self.session, || fence(Ordering::SeqCst));
        if self.generation.load(Ordering::Acquire) == 0 {
            // SAFETY: as in `call`.
            let session = unsafe { &*self.session };
            // SAFETY: as in `call`.
            session.0.with(|value| assert_eq!(unsafe { *value }, 1));
        }
        record.leave_briefly();
    }

    fn close(&self) {
        self.generation.store(1, Ordering::Release);
        fence(Ordering::SeqCst);
        for record in &self.records {
            while record.names(self.session) {
                thread::yield_now();
            }
        }
        // SAFETY: all calls have left, and new ones see the new generation.
        let session = unsafe { Box::from_raw(self.session) };
        // SAFETY: nobody else uses it any more.
        session.0.with_mut(|value| unsafe { *value = 0 });
    }
}

#[test]
fn closing_waits_for_calls_and_later_calls_are_refused() {
    model(|| {
        let gate = Arc::new(Gate::new());
        let callers = [0, 1].map(|caller| {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.call(caller, 1))
        });
        gate.close();
        for caller in callers {
            caller.join().unwrap();
        }
    });
}

#[test]
fn closing_waits_for_calls_within_calls() {
    model(|| {
        let gate = Arc::new(Gate::new());
        let caller = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.call(0, 2))
        };
        gate.close();
        caller.join().unwrap();
    });
}

/// Explores all executions with at most so many preemptions, which finds nearly all
/// faults and ends soon.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn closing_waits_for_brief_calls() {
    check(|| {
        let gate = Arc::new(Gate::new());
        let callers = [0, 1].map(|caller| {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.brief_call(caller))
        });
        gate.close();
        for caller in callers {
            caller.join().unwrap();
        }
    });
}

/// What two sessions have, one after the other, is never told of the wrong one.
#[test]
fn nothing_is_told_of_the_next_session() {
    check(|| {
        let front =
            || Front::<AtomicU64>::new(AtomicUsize::new(0), AtomicPtr::new(ptr::null_mut()));
        let fronts = Arc::new([front(), front()]);
        // As a translation cache: each session adds its entries, which it writes with
        // a release, and finds those of the one before gone.
        let cache: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
        fronts[0].publish(1, cache);
        cache.store(10, Ordering::Release);
        let asker = {
            let fronts = Arc::clone(&fronts);
            thread::spawn(move || {
                let entry = |cache: &AtomicU64| {
                    let entry = cache.load(Ordering::Acquire);
                    (entry != 0).then_some(entry)
                };
                assert!(fronts[0].ask(1, entry).is_none_or(|it| it == 10));
                assert!(fronts[1].ask(3, entry).is_none_or(|it| it == 30));
                assert!(fronts[0].ask(5, entry).is_none_or(|it| it == 50));
                assert_eq!(fronts[0].ask(0, entry), None);
            })
        };
        // Another place of the table, and the same.
        for (place, handle) in [(1, 3), (0, 5)] {
            fronts[1 - place].withdraw();
            cache.store(0, Ordering::Release);
            fronts[place].publish(handle, cache);
            cache.store(handle as u64 * 10, Ordering::Release);
        }
        asker.join().unwrap();
    });
}
