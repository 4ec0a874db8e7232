//! Memory as a back end delivers it.

use std::{marker::PhantomData, ptr::NonNull};

use crate::{
    core::{Gfn, PAGE_SIZE, Pa, Va},
    error::{Fault, FaultKind, Result},
};

/// Consecutive present frames, or bytes by virtual address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// First byte.
    pub start: u64,
    /// Length in bytes, never 0.
    pub length: u64,
}

/// Size of a cache line in bytes.
const LINE: u64 = 64;

/// After so many lines the processor goes on by itself.
const PREFETCHED_LINES: u64 = 4;

#[inline]
fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch never faults, whatever the address.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// A whole 4 KiB page that stays mapped into this process as long as its driver lives.
///
/// The bytes may change under the reader (a mapped file, a running guest), so
/// they are only ever copied out, never borrowed.
#[derive(Debug, Clone, Copy)]
pub struct PinnedPage<'a>(PinnedRun<'a>);

impl PinnedPage<'_> {
    /// Wraps the address of a mapped page.
    ///
    /// # Safety
    /// 4096 bytes from `page` on stay readable for the lifetime.
    pub const unsafe fn new(page: NonNull<u8>) -> Self {
        // SAFETY: the caller vouches for the page.
        Self(unsafe { PinnedRun::new(Pa(0), PAGE_SIZE, page) })
    }

    /// Address of the first byte in this process.
    pub const fn as_ptr(self) -> *const u8 {
        self.0.host.as_ptr()
    }

    /// Has the processor fetch the `length` bytes from `offset` on, which are read soon.
    #[inline]
    pub fn prefetch(self, offset: u64, length: u64) {
        let first = self.as_ptr().wrapping_add(offset as usize);
        for line in 0..length.div_ceil(LINE).min(PREFETCHED_LINES) {
            prefetch(first.wrapping_add(line.wrapping_mul(LINE) as usize));
        }
    }

    /// Copies the bytes from `offset` on; false when they leave the page.
    #[inline]
    pub fn copy_to(self, offset: u64, buffer: &mut [u8]) -> bool {
        self.0.copy_to(Pa(offset), buffer)
    }
}

/// Physical memory that lies side by side in this process, too, as long as its
/// driver lives.
#[derive(Debug, Clone, Copy)]
pub struct PinnedRun<'a> {
    start: u64,
    length: u64,
    host: NonNull<u8>,
    driver: PhantomData<&'a ()>,
}

// SAFETY: the bytes are plain memory that any thread may read; the pointer is
// dereferenced only by `copy_to`.
unsafe impl Send for PinnedRun<'_> {}
// SAFETY: as above, reads need no exclusive access.
unsafe impl Sync for PinnedRun<'_> {}

impl<'a> PinnedRun<'a> {
    /// The `length` bytes from `start` on, which are at `host` in this process.
    ///
    /// # Safety
    /// `length` bytes from `host` on stay readable for the lifetime.
    pub const unsafe fn new(start: Pa, length: u64, host: NonNull<u8>) -> Self {
        Self {
            start: start.0,
            length,
            host,
            driver: PhantomData,
        }
    }

    /// No memory at all.
    pub const EMPTY: Self = Self {
        start: 0,
        length: 0,
        host: NonNull::dangling(),
        driver: PhantomData,
    };

    /// Length in bytes.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Where the `length` bytes at `pa` lie, when the run has all of them.
    #[inline(always)]
    fn find(&self, pa: Pa, length: u64) -> Option<NonNull<u8>> {
        let offset = pa.0.wrapping_sub(self.start);
        if offset > self.length || length > self.length.wrapping_sub(offset) {
            return None;
        }
        // SAFETY: offset + length <= the length of the run was checked.
        Some(unsafe { self.host.add(offset as usize) })
    }

    /// Copies the bytes at `pa`; false when the run does not have all of them.
    #[inline(always)]
    pub fn copy_to(&self, pa: Pa, buffer: &mut [u8]) -> bool {
        let Some(source) = self.find(pa, buffer.len() as u64) else {
            return false;
        };
        // SAFETY: the bytes are readable (`new`), and a fresh `&mut` never overlaps them.
        unsafe { source.copy_to_nonoverlapping(NonNull::from(&mut *buffer).cast(), buffer.len()) };
        true
    }

    /// The page at `pa`, when the run has all of it.
    #[inline]
    pub fn page(&self, pa: Pa) -> Option<PinnedPage<'a>> {
        let page = self.find(pa, PAGE_SIZE)?;
        // SAFETY: `find` checked that the page is part of the run.
        Some(unsafe { PinnedPage::new(page) })
    }
}

/// Physical memory.
pub trait PhysicalMemory: Send + Sync {
    /// Copies bytes that lie within one 4 KiB page.
    ///
    /// Fails with [`FaultKind::NotInImage`] when any of them is absent.
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault>;

    /// The frame's page in this process, if it can be pinned.
    fn pin(&self, _gfn: Gfn) -> Option<PinnedPage<'_>> {
        None
    }

    /// Long runs that can be pinned as a whole; asked for once.
    ///
    /// What is not among them is reached by [`PhysicalMemory::pin`] and
    /// [`PhysicalMemory::read`].
    fn pinned_runs(&self) -> Vec<PinnedRun<'_>> {
        Vec::new()
    }

    /// The aligned 8 bytes of a page-table entry.
    fn entry(&self, pa: Pa) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        let page = self.pin(pa.gfn());
        if !page.is_some_and(|page| page.copy_to(pa.page_offset(), &mut bytes)) {
            self.read(pa, &mut bytes)?;
        }
        Ok(u64::from_le_bytes(bytes))
    }

    /// First run of present frames at or after `from`.
    fn next_run(&self, from: Gfn) -> Option<Run>;

    /// Overwrites bytes that lie within one 4 KiB page.
    fn write(&self, pa: Pa, _bytes: &[u8]) -> Result<(), Fault> {
        Err(Fault::physical(pa, FaultKind::BackEnd))
    }
}

/// Memory that is stored by virtual address, in runs of bytes.
pub trait VirtualMemory: Send + Sync {
    /// Copies as many of the leading bytes as are present; 0 when the first is absent.
    fn read(&self, va: Va, buffer: &mut [u8]) -> usize;

    /// First run of present bytes at or after `from` (clipped to start there).
    fn next_run(&self, from: Va) -> Option<Run>;
}
