//! Where everything of a running guest lies: what its code is assembled from.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, PageSize, PteFlags};
use crate::running::actors::ACTOR_COUNT;
use crate::running::words::STEP;

/// Where the first part of physical memory is mapped by large pages.
pub(super) const WINDOW: u64 = 0xffff_ac80_0000_0000;
/// Bytes of physical memory that the window shows.
pub(super) const WINDOW_SIZE: u64 = 0x1000_0000;
/// Where the registers of the local APIC are mapped.
pub(super) const APIC: u64 = WINDOW + 0x4000_0000;
/// Physical address of the registers of the local APIC.
const APIC_FRAME: u64 = 0xfee0_0000;
/// Uncached (PCD and PWT).
const UNCACHED: u64 = 0x18;
/// Base of the driver, alone under its top-level entry.
pub(super) const DRIVER: u64 = 0xffff_f960_0000_0000;
/// Offset of the driver's function.
pub(super) const DRIVER_FUNCTION: u64 = 0x1040;
/// Room for the code of the kernel's side.
const CODE_SIZE: u64 = 0x4000;
/// Where the plugin, a DLL of the first process, is loaded: below all else.
pub(super) const PLUGINS: [u64; 2] = [0x10_0000, 0x30_0000];
/// Size of its record: region, where the tree of regions points to it, function, and the place
/// and value of the page-table entry of each of its pages.
pub(super) const PLUGIN_SIZE: u64 = 128;
/// Where the late driver is loaded, in turn.
pub(super) const LATE: [u64; 2] = [0xffff_f950_0a20_0000, 0xffff_f950_0c60_0000];
/// Size of its record: loader entry, function, and the place and value of the page-table entry
/// of each of its pages.
pub(super) const LATE_SIZE: u64 = 64;
/// Spare processes that there is room for.
pub(super) const SPARE_COUNT: u64 = 4;
/// Size of a spare process's record: object, entry of the id table, and its two words.
pub(super) const SPARE_SIZE: u64 = 32;
/// Pages that the integrity checker can watch.
pub(super) const WATCHED: u64 = 32;

/// Addresses of what the code uses. All are virtual.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Words of the guest.
    pub words: u64,
    /// Words of the actors.
    pub actors: u64,
    pub actor_count: u64,
    /// Words of the processors.
    pub processors: u64,
    pub processor_count: u64,
    /// Roots in which the driver's top-level entry lies (physical addresses), then zero.
    pub roots: u64,
    /// Records of the spare processes.
    pub spares: u64,
    /// Records of the late driver, one for each place.
    pub late: u64,
    /// Records of the plugin, one for each place.
    pub plugins: u64,
    /// Watched pages: address and sum, then zero.
    pub watched: u64,
    /// Addresses of the services.
    pub services: u64,
    /// Code that only the kernel's roots map.
    pub code: u64,
    /// Code that user-mode roots map too: entries, and the way back to user mode.
    pub gates: u64,
    pub fields: Fields,
    pub kva_shadow: bool,
    pub system_root: u64,
    pub self_map_index: u64,
}

impl Plan {
    /// Takes room for everything.
    pub fn new(guest: &mut Guest) -> Self {
        map_window(guest);
        let kernel = guest.expected.kernel.clone();
        Self {
            words: guest.allocate_pages(PAGE_SIZE),
            actors: guest.allocate_pages(ACTOR_COUNT * STEP),
            actor_count: ACTOR_COUNT,
            processors: guest.allocate_pages(PAGE_SIZE),
            processor_count: u64::from(kernel.processors),
            roots: guest.allocate_pages(PAGE_SIZE),
            spares: guest.allocate(SPARE_COUNT * SPARE_SIZE),
            late: guest.allocate(LATE.len() as u64 * LATE_SIZE),
            plugins: guest.allocate(PLUGINS.len() as u64 * PLUGIN_SIZE),
            watched: guest.allocate(WATCHED * 16),
            services: guest.allocate(8 * 8),
            code: guest.allocate_pages(CODE_SIZE),
            gates: guest.allocate_pages(PAGE_SIZE),
            fields: Fields::new(guest),
            kva_shadow: kernel.kva_shadow,
            system_root: kernel.system_root,
            self_map_index: kernel.self_map_index as u64,
        }
    }

    /// The list of roots in reverse.
    pub fn roots_reversed(&self) -> u64 {
        self.roots + PAGE_SIZE / 2
    }

    /// Words of an actor.
    pub fn actor(&self, index: u64) -> u64 {
        self.actors + index * STEP
    }

    /// Words of a processor.
    pub fn processor(&self, number: u64) -> u64 {
        self.processors + number * STEP
    }

    /// Where the self-map shows the lowest-level entry for an address of the current root.
    pub fn page_table_entry(&self, va: u64) -> u64 {
        self.self_map(1) + (va >> 9 & 0x7f_ffff_fff8)
    }

    /// Where the self-map shows all entries of a level: 1 page tables to 4 the top level.
    pub fn self_map(&self, level: u32) -> u64 {
        (0..level).fold(0xffff << 48, |base, step| {
            base | self.self_map_index << (39 - 9 * step)
        })
    }
}

/// Maps the first part of physical memory and the local APIC.
fn map_window(guest: &mut Guest) {
    let flags = PteFlags::KERNEL | PteFlags::NO_EXECUTE;
    for pa in (0..WINDOW_SIZE).step_by(PageSize::Large.bytes() as usize) {
        guest.map_kernel_page(WINDOW + pa, pa, PageSize::Large, flags);
    }
    let uncached = flags | PteFlags::from_bits_retain(UNCACHED);
    guest.map_kernel_page(APIC, APIC_FRAME, PageSize::Small, uncached);
}

/// Offsets of members that the code uses. Those of `_KPRCB` count from the `_KPCR`.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub user_stack: u64,
    pub kernel_stack: u64,
    pub kernel_stack_shadow: u64,
    pub kernel_root: u64,
    pub current_thread: u64,
    pub idle_thread: u64,
    pub thread_process: u64,
    pub thread_state: u64,
    /// `_KTHREAD.Win32Thread` belongs to a driver: here it leads to the actor or, from an idle
    /// thread, to the processor.
    pub thread_owner: u64,
    pub user_root: u64,
    pub process_links: u64,
    pub process_id: u64,
    pub parent_id: u64,
    pub exit_time: u64,
    pub trap_frame: TrapFields,
}

/// Offsets in `_KTRAP_FRAME`, and its size.
#[derive(Clone, Debug)]
pub(super) struct TrapFields {
    pub size: u64,
    pub previous_mode: u64,
    pub rbx: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rbp: u64,
    pub rip: u64,
    pub cs: u64,
    pub flags: u64,
    pub rsp: u64,
    pub ss: u64,
}

impl Fields {
    fn new(guest: &Guest) -> Self {
        let region = |path| guest.profile.offset("_KPCR", path);
        let thread = |path| guest.profile.offset("_ETHREAD", path);
        let process = |path| guest.profile.offset("_EPROCESS", path);
        let trap = |path| guest.profile.offset("_KTRAP_FRAME", path);
        Self {
            user_stack: region("UserRsp"),
            kernel_stack: region("Prcb.RspBase"),
            kernel_stack_shadow: region("Prcb.RspBaseShadow"),
            kernel_root: region("Prcb.KernelDirectoryTableBase"),
            current_thread: region("Prcb.CurrentThread"),
            idle_thread: region("Prcb.IdleThread"),
            thread_process: thread("Tcb.Process"),
            thread_state: thread("Tcb.State"),
            thread_owner: thread("Tcb.Win32Thread"),
            user_root: process("Pcb.UserDirectoryTableBase"),
            process_links: process("ActiveProcessLinks"),
            process_id: process("UniqueProcessId"),
            parent_id: process("InheritedFromUniqueProcessId"),
            exit_time: process("ExitTime"),
            trap_frame: TrapFields {
                size: guest.profile.size_of("_KTRAP_FRAME"),
                previous_mode: trap("PreviousMode"),
                rbx: trap("Rbx"),
                rdi: trap("Rdi"),
                rsi: trap("Rsi"),
                rbp: trap("Rbp"),
                rip: trap("Rip"),
                cs: trap("SegCs"),
                flags: trap("EFlags"),
                rsp: trap("Rsp"),
                ss: trap("SegSs"),
            },
        }
    }
}

impl Guest {
    /// Maps a kernel page in the roots of user mode too, as the code of the system-call entry
    /// is under KVA shadow. Without KVA shadow, nothing is to be done.
    pub(super) fn map_in_shadow(&mut self, va: u64) {
        let page = va & !(PAGE_SIZE - 1);
        let pa = self.translate(page).unwrap_or_default();
        let roots: Vec<u64> = self
            .processes
            .values()
            .filter_map(|it| it.user_root)
            .collect();
        let Some(first) = roots.first() else { return };
        let (memory, frames) = (&mut self.memory, &mut self.frames);
        paging::map(
            memory,
            frames,
            *first,
            (page, pa),
            PageSize::Small,
            PteFlags::KERNEL,
        );
        // The tables below are shared: only a new top-level entry must be told to all.
        let top = paging::top_index(page) as u64 * 8;
        let value = self.memory.read_u64(first + top);
        for root in roots {
            self.memory.write_u64(root + top, value);
        }
    }
}
