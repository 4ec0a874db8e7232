//! The translation cache: readers, writers and flushes at the same time.

use loom::{
    model::Builder,
    sync::atomic as atomics,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use winvmi::core::{Pa, Protection, Source, Translation, Va};

#[allow(dead_code, reason = "no test needs the whole cache")]
#[path = "../../../src/core/tlb.rs"]
mod tlb;

/// What the cache expects beside it.
mod address {
    pub use winvmi::core::PAGE_SIZE;
    pub const PAGE_SHIFT: u32 = PAGE_SIZE.trailing_zeros();
}

use tlb::{PageMapping, Tlb};

const ROOT: Pa = Pa(0x1000);

/// A mapping to the frame at `pa`.
fn mapping_to(pa: Pa) -> PageMapping {
    PageMapping::new(&Translation {
        pa,
        page_shift: 12,
        level: 1,
        protection: Protection::READ,
        source: Source::Hardware,
    })
}

/// A page whose mapping can be told from all others: frame = page + root.
fn mapping(va: Va) -> PageMapping {
    mapping_to(Pa(va.0 + ROOT.0))
}

/// Explores all executions with at most so many preemptions, which finds nearly
/// all faults and ends.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

fn assert_whole(cache: &Tlb, va: Va) {
    if let Some(cached) = cache.lookup(ROOT, va) {
        assert_eq!(cached, mapping(va));
    }
}

const FIRST: Va = Va(0x10_0000);
const SECOND: Va = Va(0x20_0000);

fn insert(cache: &Tlb, va: Va) {
    cache.insert(cache.generation(), ROOT, va, mapping(va));
}

#[test]
fn a_reader_never_sees_half_of_two_mappings() {
    check(|| {
        // One slot, so that the pages compete for it.
        let cache = Arc::new(Tlb::with_count(1));
        insert(&cache, FIRST);
        let writer = {
            let cache = Arc::clone(&cache);
            thread::spawn(move || insert(&cache, SECOND))
        };
        assert_whole(&cache, FIRST);
        assert_whole(&cache, SECOND);
        writer.join().unwrap();
        assert!(cache.lookup(ROOT, SECOND).is_some());
    });
}

#[test]
fn writers_do_not_mix_their_mappings() {
    check(|| {
        let cache = Arc::new(Tlb::with_count(1));
        let writer = {
            let cache = Arc::clone(&cache);
            thread::spawn(move || insert(&cache, FIRST))
        };
        insert(&cache, SECOND);
        writer.join().unwrap();
        assert_whole(&cache, FIRST);
        assert_whole(&cache, SECOND);
    });
}

#[test]
fn a_mapping_that_was_read_before_a_flush_is_not_found_after_it() {
    check(|| {
        let cache = Arc::new(Tlb::with_count(1));
        let va = FIRST;
        // A page table of one entry: the writer changes it, then flushes.
        let table = Arc::new(AtomicU64::new(mapping(va).pa(va).0));
        let reader = {
            let (cache, table) = (Arc::clone(&cache), Arc::clone(&table));
            thread::spawn(move || {
                let generation = cache.generation();
                let found = mapping_to(Pa(table.load(Ordering::Acquire)));
                cache.insert(generation, ROOT, va, found);
            })
        };
        table.store(0x77_0000, Ordering::Release);
        cache.flush();
        let stale = mapping(va);
        assert!(cache.lookup(ROOT, va).is_none_or(|it| it != stale));
        reader.join().unwrap();
        assert!(cache.lookup(ROOT, va).is_none_or(|it| it != stale));
    });
}

#[test]
fn nothing_is_remembered_while_caching_is_off() {
    check(|| {
        let cache = Arc::new(Tlb::with_count(1));
        let va = FIRST;
        let reader = {
            let cache = Arc::clone(&cache);
            thread::spawn(move || insert(&cache, va))
        };
        cache.set_enabled(false);
        reader.join().unwrap();
        assert!(cache.lookup(ROOT, va).is_none());
    });
}
