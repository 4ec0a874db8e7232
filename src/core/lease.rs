//! Translation caches that are lent to sessions, one after another, and never freed.
//!
//! So a look-up that races with the closing of its session reads memory that is
//! there; whoever looks has to find out afterwards whether the session still was.

use std::{
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::tlb::Tlb;

/// Caches that nobody has.
static SPARE: Mutex<Vec<&'static Tlb>> = Mutex::new(Vec::new());

/// As many of them keep their memory for the next session.
const READY: usize = 4;

fn spare() -> MutexGuard<'static, Vec<&'static Tlb>> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A cache that one session has.
pub struct Lease(&'static Tlb);

impl Lease {
    /// A cache of at least `slots` slots.
    pub fn new(slots: usize) -> Self {
        let count = Tlb::count_for(slots);
        let mut spare = spare();
        let found = spare.iter().position(|cache| cache.count() == count);
        let cache = match found {
            Some(index) => spare.swap_remove(index),
            None => Box::leak(Box::new(Tlb::new(slots))),
        };
        cache.set_enabled(true);
        Self(cache)
    }

    /// The cache, which stays readable when another session has it.
    pub fn lasting(&self) -> &'static Tlb {
        self.0
    }
}

impl Deref for Lease {
    type Target = Tlb;

    #[inline(always)]
    fn deref(&self) -> &Tlb {
        self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.set_enabled(false);
        let mut spare = spare();
        if spare.len() >= READY {
            give_back(self.0);
        }
        spare.push(self.0);
    }
}

/// Gives the memory of a cache back to the system; its slots are empty then, and
/// take memory again when they are filled.
#[cfg(target_os = "linux")]
fn give_back(cache: &Tlb) {
    const PAGE: usize = 4096;
    let (start, length) = cache.extent();
    let skipped = start.align_offset(PAGE);
    let whole = length.saturating_sub(skipped) & !(PAGE - 1);
    let start = start.wrapping_add(skipped).cast_mut();
    if whole > 0 {
        // SAFETY: the pages lie within the slots, which are atomics: zeros are empty
        // slots, and whoever looks meanwhile finds them old or empty.
        unsafe { libc::madvise(start.cast(), whole, libc::MADV_DONTNEED) };
    }
}

#[cfg(not(target_os = "linux"))]
fn give_back(_cache: &Tlb) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Pa, PageMapping, Va};

    #[test]
    fn a_cache_that_is_lent_again_is_empty() {
        const ROOT: Pa = Pa(0x1000);
        let mapping = PageMapping::with_attributes(3);
        let pages = || (0..64_u64).map(|page| Va(page << 12));
        // More than keep their memory, of a size that no other test uses.
        for _ in 0..3 {
            let leases: Vec<_> = (0..READY * 3).map(|_| Lease::new(1 << 11)).collect();
            for lease in &leases {
                for va in pages() {
                    assert_eq!(lease.lookup(ROOT, va), None);
                    lease.insert(lease.generation(), ROOT, va, mapping);
                    assert_eq!(lease.lookup(ROOT, va), Some(mapping));
                }
            }
            let lasting: Vec<_> = leases.iter().map(Lease::lasting).collect();
            drop(leases);
            for cache in lasting {
                assert!(pages().all(|va| cache.lookup(ROOT, va).is_none()));
            }
        }
    }
}
