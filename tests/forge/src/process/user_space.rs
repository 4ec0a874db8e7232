//! The user half of a process: image, PEB and TEBs, native and 32-bit.

use crate::guest::Guest;
use crate::kernel::shared_data;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, PageSize, PteFlags};
use crate::process::ProcessSpec;
use crate::process::vad::{Backing, RegionSpec};
use crate::user::wide::Width;
use crate::user::{ParametersSpec, SystemDll, heap, loader, parameters};

/// Room for the native and the 32-bit TEB of a thread.
pub(crate) const TEB_STEP: u64 = 0x5000;
/// TEBs that a process has room for; further threads share the last.
pub(crate) const TEB_COUNT: u64 = 64;

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

/// Places what a process says about itself, maps its executable and describes its regions.
pub(crate) fn describe(guest: &mut Guest, process: u64, spec: &ProcessSpec, layout: &UserLayout) {
    describe_blocks(guest, process, layout);
    heap::build(guest, process);
    let parameters = match &spec.parameters {
        Some(parameters) => parameters.clone(),
        None => ParametersSpec::of(&spec.name, spec.is_wow64),
    };
    let widths: &[Width] = match spec.is_wow64 {
        true => &[Width::X86, Width::Amd64],
        false => &[Width::Amd64],
    };
    for width in widths {
        parameters::build(guest, process, *width, &parameters);
        loader::build(guest, process, *width);
        guest.poke_peb(
            process,
            *width,
            "SessionId",
            spec.session_id.unwrap_or(0).into(),
        );
        guest.poke_peb(process, *width, "BeingDebugged", spec.being_debugged.into());
    }
    let executable = SystemDll {
        name: &spec.name,
        width: widths[0],
        base: layout.image,
        exports: &[],
        forwarder: None,
    };
    guest.load_executable(process, &executable, &parameters.image_path, widths);
}

/// The regions of shared data, PEBs and TEBs.
fn describe_blocks(guest: &mut Guest, process: u64, layout: &UserLayout) {
    let first = if layout.is_wow64 {
        layout.peb32
    } else {
        layout.peb
    };
    let end = layout.first_teb + TEB_COUNT * TEB_STEP;
    let regions = [
        (shared_data::USER_ADDRESS, PAGE_SIZE, 1),
        (first, end - first, 4),
    ];
    for (start, size, protection) in regions {
        guest.add_region(
            process,
            &RegionSpec {
                start,
                size,
                protection,
                committed: true,
                commit_charge: size / PAGE_SIZE,
                backing: Backing::Private,
            },
        );
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
            paging::copy_user_half(&mut self.memory, state.root, user_root);
        }
    }
}
