//! Zero-copy access to a range of guest memory.

use std::sync::Arc;

use super::{Memory, PAGE_SIZE, Pa, Space, Va, driver::PinnedPage};
use crate::error::{Error, Result};

/// Longest range that one mapping pins, in bytes.
const MAX_LENGTH: u64 = 1 << 32;

/// Bytes that lie side by side in this process, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Guest address of the first byte.
    pub address: u64,
    /// Its address in this process.
    pub data: *const u8,
    /// Length in bytes.
    pub length: usize,
}

/// A pinned range: the guest's bytes, where they lie in this process.
///
/// The guest's pages are scattered, so a mapping is a list of segments; pages
/// that happen to be neighbours here form one. The bytes of a running guest, or
/// of a file that others write, change while they are mapped.
pub struct Mapping {
    segments: Vec<Segment>,
    /// Keeps the pages mapped.
    _memory: Arc<Memory>,
}

// SAFETY: the segments point at memory that any thread may read as long as the
// driver lives, which `_memory` sees to.
unsafe impl Send for Mapping {}
// SAFETY: as above; nothing is written through the pointers.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Pins `length` bytes of `space` from `address` on.
    ///
    /// # Errors
    /// The fault of the first absent page; [`Error::NotSupported`] where the
    /// back end cannot pin pages (files that are read, not mapped).
    pub fn new(memory: &Arc<Memory>, space: Space, address: u64, length: u64) -> Result<Self> {
        let end = address.checked_add(length);
        if length == 0 || length > MAX_LENGTH || end.is_none() {
            return Err(Error::invalid_argument(
                "length",
                "a mapping has 1 byte to 4 GiB inside the address space",
            ));
        }
        let mut segments: Vec<Segment> = Vec::new();
        let mut at = address;
        let mut left = length;
        while left > 0 {
            let piece = left.min(Va(at).left_in_page());
            let page = memory.pin(space, at)?;
            push(&mut segments, at, page, piece as usize);
            at = at.wrapping_add(piece);
            left = left.saturating_sub(piece);
        }
        Ok(Self {
            segments,
            _memory: Arc::clone(memory),
        })
    }

    /// The segments in order of their guest addresses, without gaps.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

fn push(segments: &mut Vec<Segment>, address: u64, page: PinnedPage<'_>, length: usize) {
    let data = page
        .as_ptr()
        .wrapping_add((address & (PAGE_SIZE - 1)) as usize);
    if let Some(last) = segments.last_mut()
        && last.data.wrapping_add(last.length) == data
    {
        last.length = last.length.saturating_add(length);
        return;
    }
    segments.push(Segment {
        address,
        data,
        length,
    });
}

impl Memory {
    /// The page of `address` in this process.
    fn pin(&self, space: Space, address: u64) -> Result<PinnedPage<'_>> {
        let physical = self.physical()?;
        let pa = match space {
            Space::Physical => Pa(address),
            Space::Virtual { root } => self.translate(root, Va(address))?.pa,
        };
        if let Some(page) = physical.pin(pa.gfn()) {
            return Ok(page);
        }
        // Absent, or present and not to be pinned: a read tells which.
        self.read(space, address, &mut [0])?;
        Err(Error::not_supported(
            "zero-copy mappings of an image that is read, not mapped",
        ))
    }
}
