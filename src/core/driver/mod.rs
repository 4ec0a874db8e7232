//! What a back end offers: small capability traits behind one [`Driver`].
//!
//! A driver answers `Some` for each capability it has; everything else in the
//! engine reaches it only through these traits, once per page.

mod hints;
mod live;
mod mask;
mod memory;

use bitflags::bitflags;

pub use self::{
    hints::{BugCheck, Hints, ModuleHint},
    live::{
        Control, Event, EventReason, EventResponse, Events, Interrupt, InterruptKind, MemoryAccess,
        Monitor, ResponseAction, ViewId, Views,
    },
    mask::{Masked, PatchMask},
    memory::{PhysicalMemory, PinnedPage, PinnedRun, Run, VirtualMemory},
};
use super::Registers;
use crate::error::Result;

bitflags! {
    /// What a back end can do.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Capabilities: u32 {
        /// Frames can be read.
        const PHYSICAL_READ = 1 << 0;
        /// Bytes can be read by virtual address without page tables (triage dumps).
        const VIRTUAL_READ = 1 << 1;
        /// Frames can be written.
        const WRITE = 1 << 2;
        /// Registers can be read.
        const REGISTERS = 1 << 3;
        /// Registers can be set.
        const SET_REGISTERS = 1 << 4;
        /// Pages can be pinned for zero-copy access.
        const PIN = 1 << 5;
        /// The guest is running: its memory changes.
        const LIVE = 1 << 6;
        /// The guest can be paused and resumed.
        const CONTROL = 1 << 7;
        /// Alternative memory views can be made.
        const VIEWS = 1 << 8;
        /// Guest events can be delivered.
        const EVENTS = 1 << 9;
    }
}

/// Facts about a back end that never change while it is open.
#[derive(Debug, Clone, Copy)]
pub struct DriverInfo {
    /// Short name of the back end: `"kdmp"`, `"raw"`, `"xen"`.
    pub name: &'static str,
    /// Name of the format inside it: `"bitmap dump"`; empty where there is one only.
    pub format: &'static str,
    /// Number of virtual processors, 0 when unknown.
    pub vcpus: u16,
    /// Physical bytes that can be read.
    pub memory_size: u64,
}

/// Registers of the virtual processors.
pub trait VcpuRegisters: Send + Sync {
    /// Registers of processor `vcpu`.
    fn get(&self, vcpu: u16) -> Result<Registers>;

    /// Sets all registers of processor `vcpu`.
    fn set(&self, vcpu: u16, registers: &Registers) -> Result<()>;
}

/// A back end.
pub trait Driver: Send + Sync {
    /// Facts that never change.
    fn info(&self) -> DriverInfo;

    /// What the back end can do.
    fn capabilities(&self) -> Capabilities;

    /// What the image's own headers say about the guest.
    fn hints(&self) -> Hints {
        Hints::default()
    }

    /// What a killed process had left changed in the guest, and opening it undid.
    fn recovered(&self) -> Option<&str> {
        None
    }

    /// Physical memory, by frame.
    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        None
    }

    /// Physical memory with the patches in it, for whoever makes them.
    fn unmasked(&self) -> Option<&dyn PhysicalMemory> {
        self.physical()
    }

    /// What hides patches in the guest's own memory from readers, where needed.
    fn mask(&self) -> Option<&PatchMask> {
        None
    }

    /// Memory that is stored by virtual address.
    fn by_address(&self) -> Option<&dyn VirtualMemory> {
        None
    }

    /// Registers of the virtual processors.
    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        None
    }

    /// Pausing, resuming, injection and frame allocation.
    fn control(&self) -> Option<&dyn Control> {
        None
    }

    /// Alternative memory views.
    fn views(&self) -> Option<&dyn Views> {
        None
    }

    /// Guest events.
    fn events(&self) -> Option<&dyn Events> {
        None
    }
}
