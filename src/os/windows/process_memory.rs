//! Memory of a process as the process itself would find it.

use super::{PageContent, Process};
use crate::{
    core::{Partial, Space, Va},
    error::{Error, Fault, FaultKind, Result},
};

/// Memory of a process, also where its page tables lead nowhere: pages of
/// mapped files and of shared memory are found by their prototypes, paged-out
/// ones in the session's page files.
#[derive(Clone, Copy)]
pub struct ProcessMemory<'a> {
    process: Process<'a>,
    space: Space,
    zeros: bool,
}

impl<'a> Process<'a> {
    /// The process's memory.
    pub fn memory(&self) -> Result<ProcessMemory<'a>> {
        Ok(ProcessMemory::of(*self, self.space()?))
    }
}

impl<'a> ProcessMemory<'a> {
    /// The memory of a process whose space is known.
    pub(super) const fn of(process: Process<'a>, space: Space) -> Self {
        Self {
            process,
            space,
            zeros: false,
        }
    }

    /// The same memory; with `zeros`, pages that were never touched read as
    /// zeros instead of failing with [`FaultKind::DemandZero`].
    pub const fn with_zeros(self, zeros: bool) -> Self {
        Self { zeros, ..self }
    }

    /// Reads bytes from `va` on.
    ///
    /// # Errors
    /// What was read before the first byte that is nowhere to be found, and why
    /// that one is not: [`FaultKind::Pagefile`] when its page file is not at
    /// hand, [`FaultKind::Compressed`] when it is in the compressed store,
    /// [`FaultKind::Prototype`] when it is still in the mapped file.
    pub fn read(&self, va: Va, buffer: &mut [u8]) -> Result<(), Partial> {
        let memory = self.process.windows().memory();
        let mut done = 0_usize;
        // Each turn reads at least the rest of a page, or ends.
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = va.wrapping_add(done as u64);
            let Err(partial) = memory.read(self.space, at.0, rest) else {
                break;
            };
            done = done.saturating_add(partial.done);
            done = done.saturating_add(self.read_absent(partial.fault, buffer, done)?);
        }
        Ok(())
    }

    /// Reads the rest of a page that the page tables do not lead to, from
    /// `done` on; returns its length.
    fn read_absent(&self, fault: Fault, buffer: &mut [u8], done: usize) -> Result<usize, Partial> {
        let at = Va(fault.address);
        let rest = buffer.get_mut(done..).unwrap_or_default();
        let length = rest.len().min(at.left_in_page() as usize);
        let piece = rest.get_mut(..length).unwrap_or_default();
        self.fill(at, fault, piece).map_err(|kind| Partial {
            done,
            fault: Fault { kind, ..fault },
        })?;
        Ok(length)
    }

    fn fill(&self, at: Va, fault: Fault, piece: &mut [u8]) -> Result<(), FaultKind> {
        if matches!(fault.kind, FaultKind::NotInImage | FaultKind::BackEnd) {
            return Err(fault.kind);
        }
        let windows = self.process.windows();
        match self.process.page_content(at) {
            Ok(PageContent::Memory(pa)) => windows
                .memory()
                .read(Space::Physical, pa.0, piece)
                .map_err(|partial| partial.fault.kind),
            Ok(PageContent::Pagefile { number, offset }) => {
                let offset = offset.saturating_add(at.page_offset());
                windows.pagefiles().read(number, offset, piece)
            }
            Ok(PageContent::Zero) if self.zeros => {
                piece.fill(0);
                Ok(())
            }
            Ok(PageContent::Zero) => Err(FaultKind::DemandZero),
            Ok(PageContent::Compressed) => Err(FaultKind::Compressed),
            Ok(PageContent::File) => Err(FaultKind::Prototype),
            Err(Error::Fault(found)) if found.address == at.0 => Err(found.kind),
            // What would decide is damaged or absent itself.
            Err(_) => Err(fault.kind),
        }
    }
}
