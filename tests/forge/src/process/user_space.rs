//! The user half of a process: image, PEB and TEBs, native and 32-bit.

use crate::guest::Guest;
use crate::kernel::pe::{self, Extent, Headers, Section};
use crate::kernel::shared_data;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, PageSize, PteFlags};

/// Room for the native and the 32-bit TEB of a thread.
const TEB_STEP: u64 = 0x5000;
/// TEBs that a process has room for; further threads share the last.
const TEB_COUNT: u64 = 64;

/// Where things lie in a user space.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UserLayout {
    pub image: u64,
    pub peb: u64,
    /// The 32-bit PEB, of WoW64 processes only.
    pub peb32: u64,
    pub first_teb: u64,
    is_wow64: bool,
}

impl UserLayout {
    pub(crate) fn new(guest: &Guest, is_wow64: bool) -> Self {
        let is_small = guest.expected.kernel.highest_user_address >> 43 == 0;
        let (image, peb) = match (is_wow64, is_small) {
            (true, _) => (0x40_0000, 0x7e00_1000),
            (false, true) => (0x1_3fd0_0000, 0x7ff_ff80_1000),
            (false, false) => (0x7ff6_5a30_0000, 0x5f_3c20_1000),
        };
        let peb32 = if is_wow64 { peb - PAGE_SIZE } else { 0 };
        Self {
            image,
            peb,
            peb32,
            first_teb: peb + 0x2000,
            is_wow64,
        }
    }
}

/// Maps and writes what a process has before its first thread.
pub(crate) fn build(guest: &mut Guest, process: u64, layout: &UserLayout) {
    map_shared_data(guest, process);
    build_image(guest, process, layout);
    guest.map_user(
        process,
        layout.peb,
        PAGE_SIZE,
        PteFlags::USER_DATA | PteFlags::NO_EXECUTE,
    );
    let mut peb = guest.record("_PEB");
    peb.set("ImageBaseAddress", layout.image);
    guest.write_user(process, layout.peb, peb.bytes());
    if layout.is_wow64 {
        guest.map_user(
            process,
            layout.peb32,
            PAGE_SIZE,
            PteFlags::USER_DATA | PteFlags::NO_EXECUTE,
        );
        let mut peb32 = guest.record("_PEB32");
        peb32.set("ImageBaseAddress", layout.image);
        guest.write_user(process, layout.peb32, peb32.bytes());
    }
}

fn map_shared_data(guest: &mut Guest, process: u64) {
    let root = guest.processes[&process].root;
    shared_data::map_for_user(guest, root);
    guest.share_user_entries(process);
}

fn build_image(guest: &mut Guest, process: u64, layout: &UserLayout) {
    let machine = if layout.is_wow64 {
        pe::MACHINE_I386
    } else {
        pe::MACHINE_AMD64
    };
    let headers = Headers {
        machine,
        is_dll: false,
        time_stamp: 0x5f00_0001,
        entry_point: 0x1000,
        image_base: layout.image,
        image_size: 0x3000,
        os_version: (6, 1),
        exports: Extent::default(),
        debug: Extent::default(),
        sections: vec![Section {
            name: ".text",
            extent: Extent {
                rva: 0x1000,
                size: 0x1000,
            },
            characteristics: pe::CODE,
        }],
    };
    guest.map_user(
        process,
        layout.image,
        PAGE_SIZE,
        PteFlags::USER_READ | PteFlags::NO_EXECUTE,
    );
    guest.map_user(
        process,
        layout.image + 0x1000,
        PAGE_SIZE,
        PteFlags::USER_READ,
    );
    guest.write_user(process, layout.image, &headers.bytes());
    guest.write_user(process, layout.image + 0x1000, &[0xcc; 16]);
}

/// Offset of the 32-bit TEB from the native one.
pub(crate) fn teb32_offset(guest: &Guest) -> u64 {
    guest.profile.size_of("_TEB").next_multiple_of(PAGE_SIZE)
}

/// A user-mode stack pointer to go with a TEB.
pub(crate) fn stack_pointer(teb: u64) -> u64 {
    teb - 0x1000_0000 + 0xf58
}

/// Places the TEBs of a new thread: the address of the native one, or 0 without user space.
pub(crate) fn take_teb(guest: &mut Guest, process: u64, tid: u32) -> u64 {
    let Some(state) = guest.processes.get_mut(&process) else {
        return 0;
    };
    let teb = state.next_teb;
    if teb == 0 {
        return 0;
    }
    let last = state.peb + 0x2000 + (TEB_COUNT - 1) * TEB_STEP;
    state.next_teb = (teb + TEB_STEP).min(last);
    write_teb(guest, process, teb, tid);
    teb
}

fn write_teb(guest: &mut Guest, process: u64, teb: u64, tid: u32) {
    let state = guest.processes[&process].clone();
    guest.map_user(
        process,
        teb,
        0x2000,
        PteFlags::USER_DATA | PteFlags::NO_EXECUTE,
    );
    let mut record = guest.record("_TEB");
    record
        .set("NtTib.Self", teb)
        .set("ProcessEnvironmentBlock", state.peb)
        .set("ClientId.UniqueProcess", state.pid.into())
        .set("ClientId.UniqueThread", tid.into());
    guest.write_user(process, teb, record.bytes());
    if state.is_wow64 {
        let teb32 = teb + teb32_offset(guest);
        guest.map_user(
            process,
            teb32,
            0x2000,
            PteFlags::USER_DATA | PteFlags::NO_EXECUTE,
        );
        let mut record = guest.record("_TEB32");
        record
            .set("NtTib.Self", teb32)
            .set("ProcessEnvironmentBlock", state.peb - PAGE_SIZE)
            .set("ClientId.UniqueProcess", state.pid.into())
            .set("ClientId.UniqueThread", tid.into());
        guest.write_user(process, teb32, record.bytes());
    }
}

impl Guest {
    /// Maps fresh zeroed frames at every page of a user range of a process that has none.
    pub fn map_user(&mut self, process: u64, va: u64, size: u64, flags: PteFlags) {
        let root = self.processes[&process].root;
        for page in (va..va + size).step_by(PAGE_SIZE as usize) {
            if paging::translate(&self.memory, root, page).is_none() {
                let pa = self.frames.frame();
                self.memory.write(pa, &[0; PAGE_SIZE as usize]);
                self.map_user_page(process, page, pa, PageSize::Small, flags);
            }
        }
    }

    /// Maps one page in the user half of a process.
    pub fn map_user_page(
        &mut self,
        process: u64,
        va: u64,
        pa: u64,
        size: PageSize,
        flags: PteFlags,
    ) {
        let root = self.processes[&process].root;
        if size != PageSize::Huge {
            let first = pa / PAGE_SIZE;
            self.user_frames
                .extend(first..first + size.bytes() / PAGE_SIZE);
        }
        paging::map(
            &mut self.memory,
            &mut self.frames,
            root,
            (va, pa),
            size,
            flags,
        );
        self.share_user_entries(process);
    }

    /// Writes memory of a process.
    ///
    /// # Panics
    /// Where nothing is mapped.
    pub fn write_user(&mut self, process: u64, va: u64, bytes: &[u8]) {
        self.write_in(self.processes[&process].root, va, bytes);
    }

    /// Gives the user-mode root the same user half as the kernel's root.
    pub(crate) fn share_user_entries(&mut self, process: u64) {
        let state = &self.processes[&process];
        if let Some(user_root) = state.user_root {
            let mut half = [0; PAGE_SIZE as usize / 2];
            self.memory.read(state.root, &mut half);
            self.memory.write(user_root, &half);
        }
    }
}
