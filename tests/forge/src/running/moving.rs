//! What the pager moves: the driver's code page with the tables above it, and a page of the
//! kernel image.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, FRAME_MASK, PageSize};
use crate::running::plan::{DRIVER, DRIVER_FUNCTION, Plan};
use crate::running::words::Word;

/// [`Word::PendingLevel`] of the page of the kernel image.
pub(super) const IMAGE_LEVEL: i32 = 5;

/// Physical addresses of the page of the kernel image that moves.
#[derive(Clone, Debug, Default)]
pub(super) struct Moving {
    /// The large page that it is part of.
    pub large_page: u64,
    /// Its entry's address and value.
    pub image_entry: u64,
    pub large_entry: u64,
    /// Frame for the page table of the split page.
    pub image_table: u64,
    /// The page and the frame that it moves to.
    pub image_page: u64,
    pub image_copy: u64,
}

impl Moving {
    /// Takes spare frames and writes down where the driver's page and tables are.
    ///
    /// # Panics
    /// When `address`, in the kernel image, is not in a large page.
    pub fn new(guest: &mut Guest, plan: &Plan, address: u64) -> Self {
        write_driver_frames(guest, plan);
        let leaf = paging::leaf(&guest.memory, guest.kernel_root(), address);
        let leaf = leaf.filter(|leaf| leaf.size == PageSize::Large);
        let leaf = leaf.unwrap_or_else(|| panic!("{address:#x} is not in a large page"));
        let large_page = leaf.value & FRAME_MASK & !(PageSize::Large.bytes() - 1);
        let offset = (address % PageSize::Large.bytes()) & !(PAGE_SIZE - 1);
        Self {
            large_page,
            image_entry: leaf.address,
            large_entry: leaf.value,
            image_table: guest.frames.frame(),
            image_page: large_page + offset,
            image_copy: guest.frames.frame(),
        }
    }

    /// Address of the entry for the page in the page table of the split page.
    pub fn image_page_entry(&self) -> u64 {
        self.image_table + (self.image_page - self.large_page) / PAGE_SIZE * 8
    }

    /// Offset of the driver's entry in a table of a level, 1 to 4.
    pub fn entry_offset(level: u32) -> u64 {
        ((DRIVER + DRIVER_FUNCTION) >> (3 + 9 * level) & 0x1ff) * 8
    }
}

/// Writes the frames of the driver's page and of the tables above it, and spare ones.
fn write_driver_frames(guest: &mut Guest, plan: &Plan) {
    let words = [
        (Word::DriverPointers, Word::SparePointers),
        (Word::DriverDirectory, Word::SpareDirectory),
        (Word::DriverTable, Word::SpareTable),
        (Word::DriverPage, Word::SparePage),
    ];
    let mut frame = guest.kernel_root();
    for (level, (word, spare)) in (1..=4).rev().zip(words) {
        let entry = frame + Moving::entry_offset(level);
        frame = guest.memory.read_u64(entry) & FRAME_MASK;
        guest.write_u64(plan.words + word.offset(), frame);
        let other = guest.frames.frame();
        guest.write_u64(plan.words + spare.offset(), other);
    }
}
