//! Physical memory through a cache of foreign mappings.
//!
//! Frames are mapped in aligned chunks and stay mapped, so that a read costs a
//! look-up and a copy. A mapping shows what the guest itself sees in its default
//! view: shadow frames of alternative views never show up in it. Mappings are not
//! pinned: a guest may give a frame back (ballooning), so each is renewed after
//! [`LIFETIME`].

use std::{
    collections::HashMap,
    ffi::c_int,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use xen::sys;

use super::handle::{ForeignMemory, Mapping};
use crate::{
    core::{
        Gfn, PAGE_SIZE, Pa,
        driver::{PhysicalMemory, Run},
    },
    error::{Fault, FaultKind},
};

/// Frames per chunk, one bit each in [`Chunk::present`].
const CHUNK: u64 = 32;

/// Parts of the cache, each with a lock of its own.
const SHARDS: usize = 16;

/// Chunks kept per shard: 1 GiB of address space in all.
const SHARD_LIMIT: usize = 512;

/// Frames asked about at once when runs are looked for.
const PROBE: u64 = 512;

/// How long a mapping is believed.
const LIFETIME: Duration = Duration::from_secs(2);

/// Aligned frames, mapped for reading and writing.
struct Chunk {
    mapping: Mapping,
    /// Bit `i`: frame `i` of the chunk exists.
    present: u32,
    mapped_at: Instant,
}

type Shard = RwLock<HashMap<u64, Chunk>>;

/// A guest's physical memory.
pub(super) struct Memory {
    // Declared first: chunks are unmapped before the library is closed.
    shards: [Shard; SHARDS],
    library: ForeignMemory,
    domain: u32,
    /// Frames beyond this one are absent.
    max_gfn: Gfn,
}

impl Memory {
    /// The memory of `domain`, with nothing mapped yet.
    pub(super) fn new(library: ForeignMemory, domain: u32, max_gfn: Gfn) -> Self {
        Self {
            shards: Default::default(),
            library,
            domain,
            max_gfn,
        }
    }

    /// Unmaps what holds `gfn`: it has come, or is about to go.
    pub(super) fn forget(&self, gfn: Gfn) {
        let chunk = gfn.0 / CHUNK;
        if let Some(shard) = self.shard(chunk) {
            shard
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&chunk);
        }
    }

    fn shard(&self, chunk: u64) -> Option<&Shard> {
        self.shards.get(chunk as usize % SHARDS)
    }

    /// Calls `access` with the address of `pa` while its page is mapped.
    fn with_page(&self, pa: Pa, length: usize, access: impl Fn(*mut u8)) -> Result<(), Fault> {
        let absent = Fault::physical(pa, FaultKind::NotInImage);
        if length as u64 > pa.left_in_page() {
            return Err(absent);
        }
        let chunk = pa.gfn().0 / CHUNK;
        let shard = self.shard(chunk).ok_or(absent)?;
        {
            let cached = shard.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(found) = cached.get(&chunk).filter(|found| found.is_fresh()) {
                return found.address(pa).map(access).ok_or(absent);
            }
        }
        let mapped = self
            .map_chunk(chunk)
            .ok_or_else(|| Fault::physical(pa, FaultKind::BackEnd))?;
        let result = mapped.address(pa).map(access).ok_or(absent);
        keep(shard, chunk, mapped);
        result
    }

    fn map_chunk(&self, chunk: u64) -> Option<Chunk> {
        let first = chunk.checked_mul(CHUNK)?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let (mapping, errors) = self.map(first, CHUNK, protection)?;
        let present = errors.iter().enumerate().fold(0, |bits, (index, error)| {
            bits | u32::from(*error == 0) << index
        });
        Some(Chunk {
            mapping,
            present,
            mapped_at: Instant::now(),
        })
    }

    /// Maps `count` frames; the second part tells for each why it is absent, or 0.
    fn map(&self, first: u64, count: u64, protection: c_int) -> Option<(Mapping, Vec<c_int>)> {
        let frames: Vec<u64> = (first..first.checked_add(count)?).collect();
        let mut errors: Vec<c_int> = vec![0; frames.len()];
        // SAFETY: both arrays have `frames.len()` elements.
        let address = unsafe {
            sys::xenforeignmemory_map(
                self.library.raw(),
                self.domain,
                protection,
                frames.len(),
                frames.as_ptr(),
                errors.as_mut_ptr(),
            )
        };
        let mapping = Mapping::adopt("xenforeignmemory_map", address.cast(), frames.len()).ok()?;
        Some((mapping, errors))
    }

    /// First frame in `from..=max_gfn` whose presence is `wanted`.
    fn find(&self, from: u64, wanted: bool) -> Option<u64> {
        let mut first = from;
        while first <= self.max_gfn.0 {
            let count = PROBE.min(self.max_gfn.0.wrapping_sub(first).saturating_add(1));
            let (_, errors) = self.map(first, count, libc::PROT_READ)?;
            if let Some(index) = errors.iter().position(|error| (*error == 0) == wanted) {
                return first.checked_add(index as u64);
            }
            first = first.checked_add(count)?;
        }
        None
    }
}

impl Chunk {
    fn is_fresh(&self) -> bool {
        self.mapped_at.elapsed() < LIFETIME
    }

    /// Address of `pa`, which lies in this chunk, if its frame exists.
    fn address(&self, pa: Pa) -> Option<*mut u8> {
        let index = pa.gfn().0 % CHUNK;
        if self.present >> index & 1 == 0 {
            return None;
        }
        let offset = (pa.0 % (CHUNK * PAGE_SIZE)) as usize;
        // SAFETY: the offset is inside the CHUNK mapped pages.
        Some(unsafe { self.mapping.as_ptr().add(offset) })
    }
}

/// Puts a chunk into the cache, at the cost of an old one where that is full.
fn keep(shard: &Shard, number: u64, chunk: Chunk) {
    let mut cached = shard.write().unwrap_or_else(PoisonError::into_inner);
    if cached.len() >= SHARD_LIMIT {
        cached.retain(|_, old| old.is_fresh());
    }
    if cached.len() >= SHARD_LIMIT {
        let victim = cached.keys().next().copied();
        victim.and_then(|victim| cached.remove(&victim));
    }
    cached.insert(number, chunk);
}

impl PhysicalMemory for Memory {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let (target, length) = (buffer.as_mut_ptr(), buffer.len());
        self.with_page(pa, length, |source| {
            // SAFETY: `with_page` checked that `length` bytes are left in the mapped page, and
            // a `&mut` of ours never overlaps guest memory.
            unsafe { source.copy_to_nonoverlapping(target, length) }
        })
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        let first = self.find(from.0, true)?;
        let end = self
            .find(first, false)
            .unwrap_or(self.max_gfn.0.saturating_add(1));
        Some(Run {
            start: first,
            length: end.checked_sub(first)?,
        })
    }

    fn write(&self, pa: Pa, bytes: &[u8]) -> Result<(), Fault> {
        self.with_page(pa, bytes.len(), |target| {
            // SAFETY: `with_page` checked that the bytes fit into the mapped, writable page, and
            // memory of ours never overlaps guest memory.
            unsafe { target.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
        })
    }
}
