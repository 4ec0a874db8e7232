//! Callers found by the thread pointer of their threads.
//!
//! A shared library asks the loader where its thread-local variables are, with a
//! call that costs more than the read which it precedes. The thread pointer is a
//! register: a number that no two living threads share.

use std::{
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

use super::Caller;

/// Threads whose pointers fall on one place share it: the first is found here,
/// the others by their thread-local variable.
const PLACES: usize = 1024;

static KNOWN: [AtomicPtr<Caller>; PLACES] = [const { AtomicPtr::new(ptr::null_mut()) }; PLACES];

/// The thread pointer; never 0.
#[cfg(all(
    target_os = "linux",
    target_pointer_width = "64",
    target_arch = "x86_64"
))]
#[inline]
fn thread_pointer() -> Option<usize> {
    let pointer;
    // SAFETY: the ABI keeps the thread pointer at offset 0 of what FS points at,
    // for every thread; nothing else is read, nothing written.
    unsafe {
        std::arch::asm!("mov {}, fs:0", out(reg) pointer, options(pure, readonly, nostack, preserves_flags));
    }
    Some(pointer)
}

/// The thread pointer; never 0.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
#[inline]
fn thread_pointer() -> Option<usize> {
    let pointer;
    // SAFETY: the ABI keeps the thread pointer in this register, for every thread.
    unsafe {
        std::arch::asm!("mrs {}, tpidr_el0", out(reg) pointer, options(pure, nomem, nostack, preserves_flags));
    }
    Some(pointer)
}

/// Where its ABI is not known here, nobody is found.
#[cfg(not(any(
    all(
        target_os = "linux",
        target_pointer_width = "64",
        target_arch = "x86_64"
    ),
    all(target_os = "linux", target_arch = "aarch64")
)))]
#[inline]
const fn thread_pointer() -> Option<usize> {
    None
}

/// Where the caller of a thread would be.
#[inline]
#[allow(clippy::indexing_slicing, reason = "the remainder is below the length")]
fn place(thread: usize) -> &'static AtomicPtr<Caller> {
    // Control blocks are at the tops of stacks, which have one size mostly.
    let mixed = (thread as u64 >> 6).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    &KNOWN[mixed as usize % PLACES]
}

/// This thread's caller, if it was remembered.
#[inline]
pub fn find() -> Option<&'static Caller> {
    let thread = thread_pointer()?;
    let caller = at(place(thread))?;
    // Only a thread itself writes its pointer into a caller, and takes it out
    // when it ends: an equal one is this thread's.
    (caller.thread.load(Ordering::Relaxed) == thread).then_some(caller)
}

#[inline]
fn at(place: &AtomicPtr<Caller>) -> Option<&'static Caller> {
    // SAFETY: `remember` stores addresses of callers, which are never freed.
    unsafe { place.load(Ordering::Acquire).as_ref() }
}

/// Has this thread's calls find `caller`, unless another living thread has the place.
pub fn remember(caller: &'static Caller) {
    let Some(thread) = thread_pointer() else {
        return;
    };
    let place = place(thread);
    let taken = at(place).is_some_and(|other| is_of(other, place));
    if !taken {
        caller.thread.store(thread, Ordering::Relaxed);
        place.store(ptr::from_ref(caller).cast_mut(), Ordering::Release);
    }
}

/// Is `caller` a living thread's, found at `place`?
fn is_of(caller: &Caller, here: &AtomicPtr<Caller>) -> bool {
    let thread = caller.thread.load(Ordering::Relaxed);
    thread != 0 && ptr::eq(place(thread), here)
}

/// Has no thread find `caller`: its own ends.
pub fn forget(caller: &Caller) {
    caller.thread.store(0, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// A caller that stays, as all do.
    fn caller() -> &'static Caller {
        Box::leak(Box::default())
    }

    /// Runs `test` in a thread that no call of the library came from, and whose
    /// place no thread of another test has.
    fn in_new_thread(test: impl Fn() + Sync) {
        let is_free = || {
            let place = place(thread_pointer().unwrap());
            !at(place).is_some_and(|other| is_of(other, place))
        };
        let run = || {
            is_free() && {
                test();
                true
            }
        };
        while !thread::scope(|scope| scope.spawn(run).join().unwrap()) {
            thread::yield_now();
        }
    }

    #[test]
    fn threads_find_their_own() {
        in_new_thread(|| {
            assert!(find().is_none(), "a thread that ended left its caller");
            let own = caller();
            remember(own);
            assert!(ptr::eq(find().unwrap(), own));
            // Another thread finds none, and what it remembers is not found here.
            in_new_thread(|| {
                assert!(!find().is_some_and(|found| ptr::eq(found, own)));
                let other = caller();
                remember(other);
                assert!(find().is_none_or(|found| ptr::eq(found, other)));
                forget(other);
            });
            assert!(ptr::eq(find().unwrap(), own));
            forget(own);
        });
    }

    #[test]
    fn what_is_forgotten_is_not_found() {
        in_new_thread(|| {
            let own = caller();
            remember(own);
            forget(own);
            assert!(find().is_none());
            // The place is free again, also for another caller.
            let next = caller();
            remember(next);
            assert!(ptr::eq(find().unwrap(), next));
            forget(next);
        });
    }

    #[test]
    fn a_living_threads_place_is_not_taken() {
        in_new_thread(|| {
            let thread = thread_pointer().unwrap();
            // Another thread whose pointer falls on the place of this one.
            let neighbour = (1..)
                .map(|step| thread + step * 64)
                .find(|other| ptr::eq(place(*other), place(thread)))
                .unwrap();
            let first = caller();
            first.thread.store(neighbour, Ordering::Relaxed);
            place(thread).store(ptr::from_ref(first).cast_mut(), Ordering::Release);

            let own = caller();
            remember(own);
            assert!(find().is_none(), "the neighbour is no answer, and stays");
            assert!(ptr::eq(at(place(neighbour)).unwrap(), first));

            forget(first);
            remember(own);
            assert!(ptr::eq(find().unwrap(), own));
            forget(own);
        });
    }

    #[test]
    fn callers_of_ended_threads_are_used_again_by_others_alone() {
        // Stacks of ended threads, and with them their pointers, are used again.
        for _ in 0..64 {
            in_new_thread(|| {
                assert!(find().is_none());
                let current = Caller::current();
                assert!(ptr::eq(Caller::current(), current));
                assert!(find().is_none_or(|found| ptr::eq(found, current)));
            });
        }
    }

    #[test]
    fn places_are_spread() {
        // Stacks of 8 MiB and a guard page, one below the other.
        let mut taken: Vec<_> = (0..256_usize)
            .map(|thread| ptr::from_ref(place(0x7f00_0000_0000 - thread * 0x80_1000)))
            .collect();
        taken.sort_unstable();
        taken.dedup();
        assert!(taken.len() > 192, "{} places for 256 threads", taken.len());
    }
}
