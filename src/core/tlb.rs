//! Translation cache: (root, page) to frame, shared by all readers without locks.
//!
//! Direct-mapped. Each slot is a sequence lock over plain atomics: readers never
//! write, a reader that meets a writer misses. A generation number stamped into
//! each slot makes a flush one increment.

use super::{
    Pa, Protection, Source, Translation, Va,
    address::{PAGE_SHIFT, PAGE_SIZE},
    atomics::{AtomicBool, AtomicU8, AtomicU64, Ordering, fence},
};

/// Number of cached translations when the configuration does not say: 256 MiB of
/// small pages, in 2 MiB.
pub const DEFAULT_TRANSLATION_SLOTS: usize = 65536;

/// Puts the slots of the same page in spaces whose roots are neighbours far from
/// each other: odd, and its multiples are spread over the low bits.
const ROOT_MIXER: u64 = 0x1e35_a7bd;

/// Mappings that want a slot in use until one of them gets it.
const RIVALS: u8 = 16;

/// The mapping of one 4 KiB page: frame address | packed attributes in the low 12 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageMapping(u64);

/// What was flushed before a walk began; see [`Tlb::generation`]. A multiple of
/// [`GENERATION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation(u64);

/// The first generation, and the step from one to the next. The bits below count
/// the writers of a slot.
const GENERATION: u64 = 1 << 24;
const COUNT: u64 = GENERATION - 1;

/// Bits of a stamp that are the generation's, or tell of a writer inside.
const STATE: u64 = !COUNT | 1;

/// Two slots fill one cache line, so that a probe touches one.
#[repr(align(32))]
#[derive(Default)]
struct Slot {
    /// Generation, which no empty slot has, and the count of the writers that
    /// came and went, odd while one is inside.
    stamp: AtomicU64,
    root: AtomicU64,
    page: AtomicU64,
    mapping: AtomicU64,
}

/// The cache.
pub struct Tlb {
    slots: Box<[Slot]>,
    /// For each slot, how many mappings wanted it while it was in use.
    rivals: Box<[AtomicU8]>,
    mask: u64,
    generation: AtomicU64,
    enabled: AtomicBool,
}

impl Tlb {
    /// A cache of at least `slots` slots (rounded up to a power of two).
    pub fn new(slots: usize) -> Self {
        Self::with_count(Self::count_for(slots))
    }

    /// How many slots a cache of at least `slots` has.
    pub fn count_for(slots: usize) -> usize {
        slots.clamp(64, 1 << 20).next_power_of_two()
    }

    /// Number of slots.
    pub const fn count(&self) -> usize {
        self.slots.len()
    }

    /// A cache of `count` slots, rounded up to a power of two.
    pub fn with_count(count: usize) -> Self {
        let count = count.max(1).next_power_of_two();
        Self {
            slots: (0..count).map(|_| Slot::default()).collect(),
            rivals: (0..count).map(|_| AtomicU8::default()).collect(),
            mask: (count as u64).wrapping_sub(1),
            generation: AtomicU64::new(GENERATION),
            enabled: AtomicBool::new(true),
        }
    }

    /// Forgets everything.
    pub fn flush(&self) {
        self.generation.fetch_add(GENERATION, Ordering::AcqRel);
    }

    /// Turns caching on (dumps, paused guests) or off (running guests).
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Release);
        self.flush();
    }

    /// Index of the only slot for a page.
    #[inline]
    const fn index(&self, root: Pa, va: Va) -> usize {
        // The root is mixed in so that the same address in two processes does
        // not compete for one slot; neighbouring pages get neighbouring slots.
        let mixed = (va.0 ^ root.0.wrapping_mul(ROOT_MIXER)) >> PAGE_SHIFT;
        (mixed & self.mask) as usize
    }

    #[inline(always)]
    fn slot(&self, root: Pa, va: Va) -> &Slot {
        // SAFETY: `index` is at most `mask`, the index of the last slot.
        unsafe { self.slots.get_unchecked(self.index(root, va)) }
    }

    /// Where the slots are, and their size in bytes.
    pub fn extent(&self) -> (*const u8, usize) {
        (self.slots.as_ptr().cast(), size_of_val(&*self.slots))
    }

    /// Is a mapping that was not found worth its slot? A free slot always, one
    /// in use for every so many rivals.
    ///
    /// Inserting takes a locked instruction, behind which the processor does
    /// not overlap the cache misses of one read with those of the next: reads
    /// all over memory would wait for each other.
    pub fn admits(&self, root: Pa, va: Va) -> bool {
        let index = self.index(root, va);
        let (slot, Some(rivals)) = (self.slot(root, va), self.rivals.get(index)) else {
            return false;
        };
        if slot.stamp.load(Ordering::Relaxed) & !COUNT != self.generation().0 {
            return true;
        }
        // Two threads may count as one: it is a rate, not a number.
        let count = rivals.load(Ordering::Relaxed).wrapping_add(1);
        rivals.store(count, Ordering::Relaxed);
        count % RIVALS == 0
    }

    /// The cached mapping of the page of `va`.
    #[inline(always)]
    pub fn lookup(&self, root: Pa, va: Va) -> Option<PageMapping> {
        let slot = self.slot(root, va);
        let stamp = slot.stamp.load(Ordering::Acquire);
        // Another generation, or a writer inside.
        if (stamp ^ self.generation().0) & STATE != 0 {
            return None;
        }
        if slot.root.load(Ordering::Relaxed) != root.0 {
            return None;
        }
        if slot.page.load(Ordering::Relaxed) ^ va.0 >= PAGE_SIZE {
            return None;
        }
        let mapping = slot.mapping.load(Ordering::Relaxed);
        fence(Ordering::Acquire);
        (slot.stamp.load(Ordering::Relaxed) == stamp).then_some(PageMapping(mapping))
    }

    /// The generation of a walk that begins now.
    ///
    /// It is taken before the page tables are read, so that a mapping that was
    /// read before a flush is not remembered after it.
    #[inline]
    pub fn generation(&self) -> Generation {
        Generation(self.generation.load(Ordering::Acquire))
    }

    /// Remembers the mapping that a walk of `generation` found; silently does
    /// nothing when another writer holds the slot.
    pub fn insert(&self, generation: Generation, root: Pa, va: Va, mapping: PageMapping) {
        // A walk that began after caching was turned off sees that here.
        if !self.enabled.load(Ordering::Acquire) {
            return;
        }
        let slot = self.slot(root, va);
        let before = slot.stamp.load(Ordering::Relaxed);
        let inside = before | 1;
        let free = before & 1 == 0
            && slot
                .stamp
                .compare_exchange(before, inside, Ordering::Acquire, Ordering::Relaxed)
                .is_ok();
        if !free {
            return;
        }
        fence(Ordering::Release);
        slot.root.store(root.0, Ordering::Relaxed);
        slot.page.store(va.page().0, Ordering::Relaxed);
        slot.mapping.store(mapping.0, Ordering::Relaxed);
        let after = generation.0 | inside.wrapping_add(1) & COUNT;
        slot.stamp.store(after, Ordering::Release);
    }
}

const LEVEL_SHIFT: u32 = 4;
const TRANSITION: u64 = 1 << 7;
/// The attributes.
const ATTRIBUTES: u64 = 0xff;

impl PageMapping {
    /// The mapping that a walk to some byte of the page found.
    pub fn new(translation: &Translation) -> Self {
        let mut packed = translation.pa.page().0
            | u64::from(translation.protection.bits())
            | u64::from(translation.level & 7) << LEVEL_SHIFT;
        if translation.source == Source::Transition {
            packed |= TRANSITION;
        }
        Self(packed)
    }

    /// Physical address of the byte that `va` names in this page.
    #[inline]
    pub const fn pa(self, va: Va) -> Pa {
        Pa(self.0 & !(PAGE_SIZE - 1) | va.page_offset())
    }

    /// All that there is to tell of the mapping besides the address, as a number.
    #[inline]
    pub const fn attributes(self) -> u8 {
        (self.0 & ATTRIBUTES) as u8
    }

    /// The mapping of the frame at 0 with these attributes.
    pub const fn with_attributes(attributes: u8) -> Self {
        Self(attributes as u64)
    }

    /// The whole translation of `va`, an address in this page.
    #[inline]
    pub const fn translation(self, va: Va) -> Translation {
        let level = (self.0 >> LEVEL_SHIFT & 7) as u8;
        Translation {
            pa: self.pa(va),
            page_shift: page_shift(level),
            level,
            protection: Protection::from_bits_truncate(self.0 as u8 & 0xf),
            source: if self.0 & TRANSITION == 0 {
                Source::Hardware
            } else {
                Source::Transition
            },
        }
    }
}

/// log2 of the page size that an entry of `level` maps.
const fn page_shift(level: u8) -> u8 {
    match level {
        3 => 30,
        2 => 21,
        _ => 12,
    }
}
