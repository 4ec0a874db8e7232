//! Memory as a back end delivers it.

use std::ptr::NonNull;

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

/// A whole 4 KiB page that stays mapped into this process as long as its driver lives.
///
/// The bytes may change under the reader (a mapped file, a running guest), so
/// they are only ever copied out, never borrowed.
#[derive(Debug, Clone, Copy)]
pub struct PinnedPage(NonNull<u8>);

// SAFETY: the page is plain memory that any thread may read; the pointer is
// dereferenced only by `copy_to`.
unsafe impl Send for PinnedPage {}
// SAFETY: as above, reads need no exclusive access.
unsafe impl Sync for PinnedPage {}

impl PinnedPage {
    /// Wraps the address of a mapped page.
    ///
    /// # Safety
    /// 4096 bytes from `page` on stay readable as long as the driver that
    /// hands the value out lives.
    pub const unsafe fn new(page: NonNull<u8>) -> Self {
        Self(page)
    }

    /// Address of the first byte in this process.
    pub fn as_ptr(self) -> *const u8 {
        self.0.as_ptr()
    }

    /// Copies the bytes from `offset` on; false when they leave the page.
    #[inline]
    pub fn copy_to(self, offset: u64, buffer: &mut [u8]) -> bool {
        let length = buffer.len() as u64;
        if offset > PAGE_SIZE || length > PAGE_SIZE.wrapping_sub(offset) {
            return false;
        }
        // SAFETY: offset + length <= 4096 was checked, so the result stays inside the page.
        let source = unsafe { self.0.as_ptr().add(offset as usize) };
        // SAFETY: the page is readable (`new`), and a fresh `&mut` never overlaps it.
        unsafe { source.copy_to_nonoverlapping(buffer.as_mut_ptr(), buffer.len()) };
        true
    }
}

/// Physical memory.
pub trait PhysicalMemory: Send + Sync {
    /// Copies bytes that lie within one 4 KiB page.
    ///
    /// Fails with [`FaultKind::NotInImage`] when any of them is absent.
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault>;

    /// The frame's page in this process, if it can be pinned.
    fn pin(&self, _gfn: Gfn) -> Option<PinnedPage> {
        None
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
