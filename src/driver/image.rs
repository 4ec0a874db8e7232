//! What all drivers over one file share: frames by file offset, saved registers.

use super::file::ImageFile;
use crate::{
    core::{
        Capabilities, Driver, Gfn, PAGE_SIZE, Pa, Registers,
        driver::{
            DriverInfo, Hints, PhysicalMemory, PinnedPage, PinnedRun, Run, VcpuRegisters,
            VirtualMemory,
        },
    },
    error::{Error, Fault, FaultKind, Result},
};

/// Bytes that are consecutive in memory and in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// File offset of the first one.
    pub offset: u64,
    /// Their number, never 0.
    pub length: u64,
}

/// Most runs that a file pins as a whole: an image of whole memory has a few.
const MAX_PINNED_RUNS: usize = 64;

/// Where an image file holds which physical memory.
pub trait Layout: Send + Sync {
    /// The bytes from `pa` on, `None` when the first one is absent.
    fn piece(&self, pa: Pa) -> Option<Piece>;

    /// First run of present bytes at or after `from`.
    fn next_run(&self, from: Pa) -> Option<Run>;

    /// Number of bytes present.
    fn size(&self) -> u64;
}

/// Physical memory in a file.
pub struct Frames<L> {
    file: ImageFile,
    layout: L,
}

impl<L: Layout> Frames<L> {
    /// Memory that `file` holds as `layout` says.
    pub fn new(file: ImageFile, layout: L) -> Self {
        Self { file, layout }
    }
}

impl<L: Layout> PhysicalMemory for Frames<L> {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let mut rest = buffer;
        let mut at = pa;
        // One piece nearly always; unaligned segments can share a page.
        while !rest.is_empty() {
            let fault = |kind| Fault::physical(at, kind);
            let piece = self.layout.piece(at);
            let piece = piece.ok_or_else(|| fault(FaultKind::NotInImage))?;
            let length = (rest.len() as u64).min(piece.length);
            let Some((now, later)) = rest.split_at_mut_checked(length as usize) else {
                break;
            };
            self.file.read(piece.offset, now).map_err(fault)?;
            at = at.wrapping_add(length);
            rest = later;
        }
        Ok(())
    }

    #[inline]
    fn pin(&self, gfn: Gfn) -> Option<PinnedPage<'_>> {
        let piece = self.layout.piece(gfn.pa())?;
        if piece.length < PAGE_SIZE {
            return None;
        }
        self.file.page(piece.offset)
    }

    /// The first runs of the file.
    fn pinned_runs(&self) -> Vec<PinnedRun<'_>> {
        let mut from = Some(Pa(0));
        let next = || {
            let run = self.layout.next_run(from?)?;
            let start = Pa(run.start);
            let piece = self.layout.piece(start)?;
            from = start.checked_add(piece.length);
            self.file.run(start, piece.offset, piece.length)
        };
        std::iter::from_fn(next).take(MAX_PINNED_RUNS).collect()
    }

    /// Frames that are present in part only are left out.
    fn next_run(&self, from: Gfn) -> Option<Run> {
        let mut from = from.pa();
        loop {
            let run = self.layout.next_run(from)?;
            let end = Pa(run.start.checked_add(run.length)?);
            let first = Pa(run.start.checked_next_multiple_of(PAGE_SIZE)?);
            let length = end.page().0.saturating_sub(first.0);
            if length > 0 {
                return Some(Run {
                    start: first.0,
                    length,
                });
            }
            from = end;
        }
    }
}

/// How an image stores memory.
pub enum Stored {
    /// By frame.
    Frames(Box<dyn PhysicalMemory>),
    /// By virtual address.
    Bytes(Box<dyn VirtualMemory>),
}

/// Registers as they were when the image was taken; `None` where it has none.
#[derive(Default)]
pub struct SavedRegisters(pub Vec<Option<Registers>>);

impl VcpuRegisters for SavedRegisters {
    fn get(&self, vcpu: u16) -> Result<Registers> {
        let saved = self.0.get(usize::from(vcpu)).copied().flatten();
        saved.ok_or_else(|| Error::not_found(format!("registers of processor {vcpu} in the image")))
    }

    fn set(&self, _vcpu: u16, _registers: &Registers) -> Result<()> {
        Err(Error::not_supported(
            "setting registers: an image is read-only",
        ))
    }
}

/// A driver over one file.
pub struct Image {
    /// Facts that never change.
    pub info: DriverInfo,
    /// What the headers say about the guest.
    pub hints: Hints,
    /// Its memory.
    pub memory: Stored,
    /// Its registers.
    pub registers: SavedRegisters,
    /// Can pages be pinned?
    pub mapped: bool,
}

impl Image {
    /// Frames of `file` that come with neither hints nor registers.
    pub fn of_frames(info: DriverInfo, file: ImageFile, layout: impl Layout + 'static) -> Self {
        Self {
            info,
            hints: Hints::default(),
            registers: SavedRegisters::default(),
            mapped: file.is_mapped(),
            memory: Stored::Frames(Box::new(Frames::new(file, layout))),
        }
    }
}

impl Driver for Image {
    fn info(&self) -> DriverInfo {
        self.info
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = match self.memory {
            Stored::Frames(_) => Capabilities::PHYSICAL_READ,
            Stored::Bytes(_) => Capabilities::VIRTUAL_READ,
        };
        let frames = self.physical().is_some();
        capabilities.set(Capabilities::PIN, frames && self.mapped);
        capabilities.set(Capabilities::REGISTERS, self.registers().is_some());
        capabilities
    }

    fn hints(&self) -> Hints {
        self.hints.clone()
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        match &self.memory {
            Stored::Frames(frames) => Some(&**frames),
            Stored::Bytes(_) => None,
        }
    }

    fn by_address(&self) -> Option<&dyn VirtualMemory> {
        match &self.memory {
            Stored::Frames(_) => None,
            Stored::Bytes(bytes) => Some(&**bytes),
        }
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        let any = self.registers.0.iter().any(Option::is_some);
        any.then_some(&self.registers as &dyn VcpuRegisters)
    }
}
