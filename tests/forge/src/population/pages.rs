//! Pages of every kind in the address space of `notepad.exe`, and large pages of the kernel.

use super::processes::Processes;
use crate::expected::{ExpectedPage, PageKind};
use crate::guest::Guest;
use crate::kernel::address_space;
use crate::memory::PAGE_SIZE;
use crate::paging::{PageSize, PteFlags};

/// Where the pages lie.
const AREA: u64 = 0x1_8000_0000;
/// Where the large pages lie.
const LARGE_AREA: u64 = 0x2_0000_0000;

/// Places the pages.
pub(super) fn place(guest: &mut Guest, processes: &Processes) {
    let process = processes.notepad;
    place_present(guest, process);
    let content = |text: &str| text.repeat(8).into_bytes();
    guest.place_transition_page(process, AREA + 0x4000, &content("transition"), false);
    guest.place_transition_page(
        process,
        AREA + 0x5000,
        &content("swizzled transition"),
        true,
    );
    guest.place_page_file_page(process, AREA + 0x6000, 0, 0x1234, false);
    guest.place_page_file_page(process, AREA + 0x7000, 2, 0x5678, true);
    guest.place_demand_zero_page(process, AREA + 0x8000);
    let prototype = guest.allocate(8);
    guest.place_prototype_page(process, AREA + 0x9000, prototype);
    place_large(guest, process);
    expect_kernel_pages(guest, processes.system);
}

/// Two neighbouring pages whose frames are no neighbours, and a read-only executable one.
fn place_present(guest: &mut Guest, process: u64) {
    let second = guest.frames.frame();
    let first = guest.frames.frame();
    let code = guest.frames.frame();
    let data = PteFlags::USER_DATA | PteFlags::NO_EXECUTE;
    let pages = [
        (AREA, first, data, 0x11),
        (AREA + 0x1000, second, data, 0x22),
        (AREA + 0x2000, code, PteFlags::USER_READ, 0xc3),
    ];
    for (va, pa, flags, fill) in pages {
        guest.memory.write(pa, &[fill; PAGE_SIZE as usize]);
        guest.map_user_page(process, va, pa, PageSize::Small, flags);
        expect(guest, process, (va, pa), PageSize::Small, flags);
    }
}

fn place_large(guest: &mut Guest, process: u64) {
    let flags = PteFlags::USER_DATA | PteFlags::NO_EXECUTE;
    let large = guest
        .frames
        .take(PageSize::Large.bytes(), PageSize::Large.bytes());
    guest.memory.write(large, b"start of a large page");
    guest
        .memory
        .write(large + PageSize::Large.bytes() - 16, b"its very end....");
    guest.map_user_page(process, LARGE_AREA, large, PageSize::Large, flags);
    expect(guest, process, (LARGE_AREA, large), PageSize::Large, flags);
    let huge = LARGE_AREA + PageSize::Huge.bytes();
    guest.map_user_page(process, huge, 0, PageSize::Huge, flags);
    // The first frames of the huge page are the machine's low memory.
    let at = guest.kernel_root();
    expect(guest, process, (huge, 0), PageSize::Huge, flags);
    expect(guest, process, (huge + at, at), PageSize::Huge, flags);
}

/// The kernel image and the window on physical memory.
fn expect_kernel_pages(guest: &mut Guest, system: u64) {
    let (base, physical) = (
        guest.expected.kernel.base,
        guest.expected.kernel.physical_base,
    );
    let image_pages = guest.options.kernel_pages.min(PageSize::Large);
    expect(
        guest,
        system,
        (base, physical),
        image_pages,
        PteFlags::KERNEL,
    );
    let flags = PteFlags::KERNEL | PteFlags::NO_EXECUTE;
    expect(
        guest,
        system,
        (address_space::window_address(physical), physical),
        PageSize::Huge,
        flags,
    );
}

fn expect(guest: &mut Guest, process: u64, (va, pa): (u64, u64), size: PageSize, flags: PteFlags) {
    let mut content = vec![0; 32];
    guest.memory.read(pa, &mut content);
    guest.expected.pages.push(ExpectedPage {
        process,
        va,
        pa: Some(pa),
        size,
        kind: PageKind::Present,
        content,
        user: flags.contains(PteFlags::USER),
        writable: flags.contains(PteFlags::WRITE),
        executable: !flags.contains(PteFlags::NO_EXECUTE),
    });
}
