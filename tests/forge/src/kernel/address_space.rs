//! The System process's page tables: the kernel half that all processes share.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, FRAME_MASK, PageSize, PteFlags};

/// Where all physical memory below 1 GiB is mapped by one huge page.
const PHYSICAL_WINDOW: u64 = 0xffff_ac00_0000_0000;

/// Makes the System root with its self-map entry and maps what has a fixed place.
pub(crate) fn build(guest: &mut Guest) {
    let root = guest.kernel_root();
    paging::make_root(&mut guest.memory, &mut guest.frames, root);
    write_self_map(guest, root);
    map_image(guest);
    map_window(guest);
}

/// Makes a root's entry that points to the root itself.
pub(crate) fn write_self_map(guest: &mut Guest, root: u64) {
    let index = guest.layout().facts().self_map_index as u64;
    let entry = root | (PteFlags::KERNEL | PteFlags::NO_EXECUTE).bits();
    guest.memory.write_u64(root + index * 8, entry);
}

/// Maps the frames of the kernel image; with large pages, the whole of those that it touches.
fn map_image(guest: &mut Guest) {
    let size = guest.options.kernel_pages.min(PageSize::Large);
    let kernel = &guest.expected.kernel;
    let start = kernel.base & !(size.bytes() - 1);
    let end = kernel.base + kernel.size;
    let slide = kernel.base - kernel.physical_base;
    for va in (start..end).step_by(size.bytes() as usize) {
        guest.map_kernel_page(va, va - slide, size, PteFlags::KERNEL | PteFlags::GLOBAL);
    }
}

/// Maps the first GiB of physical memory by one huge page.
fn map_window(guest: &mut Guest) {
    let flags = PteFlags::KERNEL | PteFlags::GLOBAL | PteFlags::NO_EXECUTE;
    guest.map_kernel_page(PHYSICAL_WINDOW, 0, PageSize::Huge, flags);
}

/// The address at which the physical window shows physical address `pa` (below 1 GiB).
pub(crate) fn window_address(pa: u64) -> u64 {
    PHYSICAL_WINDOW + pa
}

/// Makes the top-level entries of the kernel half that shadow roots have: tables of their
/// own, which map nothing but the system-call entry, the shared data and the given pages.
pub(crate) fn build_shadow(guest: &mut Guest, pages: &[u64]) {
    let root = guest.frames.frame();
    paging::make_root(&mut guest.memory, &mut guest.frames, root);
    for page in pages.iter().map(|va| va & !(PAGE_SIZE - 1)) {
        let pa = guest
            .translate(page)
            .unwrap_or_else(|| panic!("{page:#x} is not mapped"));
        let (memory, frames) = (&mut guest.memory, &mut guest.frames);
        paging::map(
            memory,
            frames,
            root,
            (page, pa),
            PageSize::Small,
            PteFlags::KERNEL,
        );
    }
    let table = paging::page_map(&guest.memory, root, u64::MAX);
    let entries = (256..512).map(|index| (index, guest.memory.read_u64(table + index as u64 * 8)));
    guest.shadow_entries = entries
        .filter(|(_, value)| value & FRAME_MASK != 0)
        .collect();
}
