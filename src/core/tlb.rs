//! Translation cache: (root, page) to frame, shared by all readers without locks.
//!
//! Direct-mapped. Each slot is a sequence lock over plain atomics: readers never
//! write, a reader that meets a writer misses. A generation number stamped into
//! each slot makes a flush one increment.

use std::ptr::NonNull;

use super::{
    Pa, Protection, Source, Translation, Va,
    address::{PAGE_SHIFT, PAGE_SIZE},
    atomics::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence},
    driver::PinnedPage,
};

/// Number of cached translations when the configuration does not say.
pub const DEFAULT_TRANSLATION_SLOTS: usize = 8192;

/// One cached 4 KiB piece of a mapping.
#[derive(Debug, Clone, Copy)]
pub struct Cached {
    /// The mapping, resolved at the first byte of the 4 KiB page.
    pub translation: Translation,
    /// The frame's page in this process, if it can be pinned.
    pub page: Option<PinnedPage>,
}

/// What was flushed before a walk began; see [`Tlb::generation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64);

/// A slot fills one cache line, so that a probe touches one.
#[repr(align(64))]
#[derive(Default)]
struct Slot {
    /// Odd while a writer is inside.
    sequence: AtomicU32,
    /// Empty slots have generation 0, which the cache never has.
    generation: AtomicU64,
    root: AtomicU64,
    page: AtomicU64,
    /// Frame address | packed attributes in the low 12 bits.
    frame: AtomicU64,
    /// Host address of the page, 0 when it cannot be pinned.
    host: AtomicU64,
}

/// The cache.
pub struct Tlb {
    slots: Box<[Slot]>,
    mask: u64,
    generation: AtomicU64,
    enabled: AtomicBool,
}

impl Tlb {
    /// A cache of at least `slots` slots (rounded up to a power of two).
    pub fn new(slots: usize) -> Self {
        Self::with_count(slots.clamp(64, 1 << 20).next_power_of_two())
    }

    /// A cache of `count` slots, a power of two.
    pub fn with_count(count: usize) -> Self {
        Self {
            slots: (0..count).map(|_| Slot::default()).collect(),
            mask: (count as u64).wrapping_sub(1),
            generation: AtomicU64::new(1),
            enabled: AtomicBool::new(true),
        }
    }

    /// Forgets everything.
    pub fn flush(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Turns caching on (dumps, paused guests) or off (running guests).
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Release);
        self.flush();
    }

    fn slot(&self, root: Pa, page: u64) -> Option<&Slot> {
        // The root is mixed in so that the same address in two processes does
        // not compete for one slot; neighbouring pages get neighbouring slots.
        let mixed =
            (page >> PAGE_SHIFT) ^ (root.0 >> PAGE_SHIFT).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        self.slots.get((mixed & self.mask) as usize)
    }

    /// The cached mapping of the page of `va`.
    #[inline]
    pub fn lookup(&self, root: Pa, va: Va) -> Option<Cached> {
        let page = va.page().0;
        let slot = self.slot(root, page)?;
        let sequence = slot.sequence.load(Ordering::Acquire);
        let generation = slot.generation.load(Ordering::Relaxed);
        let slot_root = slot.root.load(Ordering::Relaxed);
        let slot_page = slot.page.load(Ordering::Relaxed);
        let frame = slot.frame.load(Ordering::Relaxed);
        let host = slot.host.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        let undisturbed = sequence & 1 == 0 && slot.sequence.load(Ordering::Relaxed) == sequence;
        let hit = slot_root == root.0
            && slot_page == page
            && generation == self.generation.load(Ordering::Acquire);
        (undisturbed && hit).then(|| unpack(frame, host))
    }

    /// The generation of a walk that begins now.
    ///
    /// It is taken before the page tables are read, so that a mapping that was
    /// read before a flush is not remembered after it.
    pub fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::Acquire))
    }

    /// Remembers the mapping that a walk of `generation` found; silently does
    /// nothing when another writer holds the slot.
    pub fn insert(&self, generation: Generation, root: Pa, va: Va, cached: &Cached) {
        // A walk that began after caching was turned off sees that here.
        if !self.enabled.load(Ordering::Acquire) {
            return;
        }
        let page = va.page().0;
        let Some(slot) = self.slot(root, page) else {
            return;
        };
        let sequence = slot.sequence.load(Ordering::Relaxed);
        let free = sequence & 1 == 0
            && slot
                .sequence
                .compare_exchange(
                    sequence,
                    sequence.wrapping_add(1),
                    Ordering::Acquire,
                    Ordering::Relaxed,
                )
                .is_ok();
        if !free {
            return;
        }
        fence(Ordering::Release);
        let (frame, host) = pack(cached);
        slot.generation.store(generation.0, Ordering::Relaxed);
        slot.root.store(root.0, Ordering::Relaxed);
        slot.page.store(page, Ordering::Relaxed);
        slot.frame.store(frame, Ordering::Relaxed);
        slot.host.store(host, Ordering::Relaxed);
        slot.sequence
            .store(sequence.wrapping_add(2), Ordering::Release);
    }
}

const LEVEL_SHIFT: u32 = 4;
const TRANSITION: u64 = 1 << 7;

fn pack(cached: &Cached) -> (u64, u64) {
    let translation = &cached.translation;
    let mut frame = translation.pa.page().0
        | u64::from(translation.protection.bits())
        | u64::from(translation.level & 7) << LEVEL_SHIFT;
    if translation.source == Source::Transition {
        frame |= TRANSITION;
    }
    let host = cached.page.map_or(0, |page| page.as_ptr() as u64);
    (frame, host)
}

fn unpack(frame: u64, host: u64) -> Cached {
    let level = (frame >> LEVEL_SHIFT & 7) as u8;
    Cached {
        translation: Translation {
            pa: Pa(frame & !(PAGE_SIZE - 1)),
            page_shift: page_shift(level),
            level,
            protection: Protection::from_bits_truncate(frame as u8 & 0xf),
            source: if frame & TRANSITION == 0 {
                Source::Hardware
            } else {
                Source::Transition
            },
        },
        page: NonNull::new(host as *mut u8).map(|page| {
            // SAFETY: `insert` stored the address of a page that its driver
            // keeps mapped, and the memory that owns this cache keeps the driver.
            unsafe { PinnedPage::new(page) }
        }),
    }
}

/// log2 of the page size that an entry of `level` maps.
pub const fn page_shift(level: u8) -> u8 {
    match level {
        3 => 30,
        2 => 21,
        _ => 12,
    }
}
