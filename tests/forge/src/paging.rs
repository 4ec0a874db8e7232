//! x64 page tables of four or five levels, written into and walked in physical memory.

use crate::memory::{FrameAllocator, PAGE_SIZE, PhysicalMemory};

bitflags::bitflags! {
    /// Bits of a page-table entry.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct PteFlags: u64 {
        /// The entry maps something.
        const PRESENT = 1 << 0;
        /// Writes are allowed.
        const WRITE = 1 << 1;
        /// User mode has access.
        const USER = 1 << 2;
        /// The processor has used the entry.
        const ACCESSED = 1 << 5;
        /// The processor has written through the entry.
        const DIRTY = 1 << 6;
        /// The entry of an upper level maps a large page.
        const LARGE = 1 << 7;
        /// The translation survives a change of root.
        const GLOBAL = 1 << 8;
        /// Fetching instructions is forbidden.
        const NO_EXECUTE = 1 << 63;
    }
}

impl PteFlags {
    /// Of kernel data and tables.
    pub const KERNEL: Self = Self::PRESENT
        .union(Self::WRITE)
        .union(Self::ACCESSED)
        .union(Self::DIRTY);
    /// Of user-mode memory.
    pub const USER_DATA: Self = Self::KERNEL.union(Self::USER);
    /// Of user-mode memory that must not be written.
    pub const USER_READ: Self = Self::PRESENT.union(Self::ACCESSED).union(Self::USER);
}

/// Bits of an entry that hold a physical address.
pub const FRAME_MASK: u64 = 0x000f_ffff_ffff_f000;

/// Size of a mapped page.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum PageSize {
    /// 4 KiB, mapped by a page table.
    Small,
    /// 2 MiB, mapped by a page directory.
    Large,
    /// 1 GiB, mapped by a page-directory-pointer table.
    Huge,
}

impl PageSize {
    /// Size in bytes.
    pub fn bytes(self) -> u64 {
        1 << self.shift()
    }

    fn shift(self) -> u32 {
        match self {
            PageSize::Small => 12,
            PageSize::Large => 21,
            PageSize::Huge => 30,
        }
    }

    fn from_shift(shift: u32) -> Self {
        match shift {
            12 => PageSize::Small,
            21 => PageSize::Large,
            _ => PageSize::Huge,
        }
    }
}

/// Index of the entry for `va` in the table whose entries map `1 << shift` bytes.
fn index(va: u64, shift: u32) -> u64 {
    va >> shift & 0x1ff
}

/// Index of the entry for `va` in a page-map level 4.
pub fn top_index(va: u64) -> usize {
    index(va, 39) as usize
}

/// The number of bits below those that index the table at a root.
fn top_shift(memory: &PhysicalMemory) -> u32 {
    if memory.five_levels { 48 } else { 39 }
}

/// Makes an empty root. With five levels it gets a page-map level 4 for either half of
/// what four levels reach, so that the halves lie where they do with four.
pub fn make_root(memory: &mut PhysicalMemory, frames: &mut FrameAllocator, root: u64) {
    memory.write(root, &[0; PAGE_SIZE as usize]);
    if memory.five_levels {
        for (va, flags) in [(0, PteFlags::USER_DATA), (u64::MAX, PteFlags::KERNEL)] {
            let table = frames.frame();
            memory.write(table, &[0; PAGE_SIZE as usize]);
            memory.write_u64(root + index(va, 48) * 8, table | flags.bits());
        }
    }
}

/// The page-map level 4 that `va` is reached through: the root itself, with four levels.
pub fn page_map(memory: &PhysicalMemory, root: u64, va: u64) -> u64 {
    if memory.five_levels {
        memory.read_u64(root + index(va, 48) * 8) & FRAME_MASK
    } else {
        root
    }
}

/// Gives `to` the user half of the page-map level 4 of `from`.
pub fn copy_user_half(memory: &mut PhysicalMemory, from: u64, to: u64) {
    let mut half = [0; PAGE_SIZE as usize / 2];
    memory.read(page_map(memory, from, 0), &mut half);
    memory.write(page_map(memory, to, 0), &half);
}

/// Gives `to` the kernel half of the page-map level 4 of `from`.
pub fn copy_kernel_half(memory: &mut PhysicalMemory, from: u64, to: u64) {
    let mut half = [0; PAGE_SIZE as usize / 2];
    let offset = PAGE_SIZE / 2;
    memory.read(page_map(memory, from, u64::MAX) + offset, &mut half);
    memory.write(page_map(memory, to, u64::MAX) + offset, &half);
}

/// The entry that maps, or would map, an address.
#[derive(Clone, Copy, Debug)]
pub struct Leaf {
    /// Physical address of the entry.
    pub address: u64,
    /// Its value.
    pub value: u64,
    /// The size of the page that it maps.
    pub size: PageSize,
}

impl Leaf {
    /// Whether the entry maps a page.
    pub fn is_present(&self) -> bool {
        self.value & PteFlags::PRESENT.bits() != 0
    }
}

/// The entry for `va`, present or not, under the tables of `root`; nothing where an
/// upper table is absent.
pub fn leaf(memory: &PhysicalMemory, root: u64, va: u64) -> Option<Leaf> {
    let mut table = root;
    for shift in (12..=top_shift(memory)).rev().step_by(9) {
        let address = table + index(va, shift) * 8;
        let value = memory.read_u64(address);
        let is_large = value & PteFlags::LARGE.bits() != 0 && shift < 39;
        if shift == 12 || (is_large && value & 1 != 0) {
            return Some(Leaf {
                address,
                value,
                size: PageSize::from_shift(shift),
            });
        }
        if value & PteFlags::PRESENT.bits() == 0 {
            return None;
        }
        table = value & FRAME_MASK;
    }
    None
}

/// The physical address of `va` under the tables of `root`.
pub fn translate(memory: &PhysicalMemory, root: u64, va: u64) -> Option<u64> {
    let leaf = leaf(memory, root, va).filter(Leaf::is_present)?;
    let low = leaf.size.bytes() - 1;
    Some(leaf.value & FRAME_MASK & !low | va & low)
}

/// The physical address of the 4 KiB entry for `va`, its tables made where absent.
///
/// # Panics
/// When a large page maps the address.
pub fn entry(
    memory: &mut PhysicalMemory,
    frames: &mut FrameAllocator,
    root: u64,
    va: u64,
    size: PageSize,
) -> u64 {
    let user = va >> 47 == 0;
    let flags = if user {
        PteFlags::USER_DATA
    } else {
        PteFlags::KERNEL
    };
    let mut table = root;
    let mut shift = top_shift(memory);
    loop {
        let address = table + index(va, shift) * 8;
        if shift == size.shift() {
            return address;
        }
        let mut value = memory.read_u64(address);
        if value & PteFlags::PRESENT.bits() == 0 {
            value = frames.frame() | flags.bits();
            memory.write(value & FRAME_MASK, &[0; PAGE_SIZE as usize]);
            memory.write_u64(address, value);
        }
        assert!(
            value & PteFlags::LARGE.bits() == 0,
            "{va:#x} is in a large page"
        );
        table = value & FRAME_MASK;
        shift -= 9;
    }
}

/// Maps one page.
pub fn map(
    memory: &mut PhysicalMemory,
    frames: &mut FrameAllocator,
    root: u64,
    (va, pa): (u64, u64),
    size: PageSize,
    flags: PteFlags,
) {
    let address = entry(memory, frames, root, va, size);
    let large = match size {
        PageSize::Small => PteFlags::empty(),
        _ => PteFlags::LARGE,
    };
    memory.write_u64(address, pa | (flags | large).bits());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(size: PageSize, va: u64, pa: u64) -> (PhysicalMemory, u64) {
        let mut memory = PhysicalMemory::new(0x1000_0000);
        let mut frames = FrameAllocator::new(0x10_0000, 0..0);
        let root = frames.frame();
        map(
            &mut memory,
            &mut frames,
            root,
            (va, pa),
            size,
            PteFlags::KERNEL,
        );
        (memory, root)
    }

    #[test]
    fn five_levels_reach_what_four_do_and_more() {
        let mut memory = PhysicalMemory::new(0x1000_0000);
        memory.five_levels = true;
        let mut frames = FrameAllocator::new(0x10_0000, 0..0);
        let root = frames.frame();
        make_root(&mut memory, &mut frames, root);
        let kernel = page_map(&memory, root, u64::MAX);
        for (va, pa) in [
            (0x1000, 0x5000),
            (0xffff_8000_0000_0000, 0x6000),
            (0xff00_0000_0000_0000, 0x7000),
            (0x00ff_ffff_ffff_f000, 0x8000),
        ] {
            let (small, flags) = (PageSize::Small, PteFlags::KERNEL);
            map(&mut memory, &mut frames, root, (va, pa), small, flags);
            assert_eq!(translate(&memory, root, va + 1), Some(pa + 1), "{va:#x}");
        }
        assert_ne!(memory.read_u64(kernel + 256 * 8), 0);
    }

    #[test]
    fn translates_every_page_size() {
        for (size, pa) in [
            (PageSize::Small, 0x5000),
            (PageSize::Large, 0x40_0000),
            (PageSize::Huge, 0x4000_0000),
        ] {
            let va = 0xffff_8000_4000_0000;
            let (memory, root) = mapped(size, va, pa);
            let offset = size.bytes() - 5;
            assert_eq!(translate(&memory, root, va + offset), Some(pa + offset));
            assert_eq!(translate(&memory, root, va + size.bytes()), None);
        }
    }
}
