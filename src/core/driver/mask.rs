//! Patches in a guest's own memory, as its readers are not to see them.
//!
//! Where a back end has no memory views, a breakpoint is an `INT3` in the
//! guest's code. Everybody who reads guest memory through the library is shown
//! the byte that the guest wrote.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use super::{
    Capabilities, Control, Driver, DriverInfo, Events, Hints, PhysicalMemory, Run, VcpuRegisters,
};
use crate::{
    core::{Gfn, Pa},
    error::{Fault, Result},
};

/// The original bytes under patches.
#[derive(Default)]
pub struct PatchMask {
    originals: RwLock<BTreeMap<u64, u8>>,
}

impl PatchMask {
    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<u64, u8>> {
        self.originals
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<u64, u8>> {
        self.originals
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows `original` at `pa` from now on; called before the patch is made.
    pub fn cover(&self, pa: Pa, original: u8) {
        self.write().insert(pa.0, original);
    }

    /// Shows the guest's memory itself again; called when the patch is gone.
    pub fn uncover(&self, pa: Pa) {
        self.write().remove(&pa.0);
    }

    /// What readers are shown at a patch; a writer may have changed it.
    pub fn original(&self, pa: Pa) -> Option<u8> {
        self.read().get(&pa.0).copied()
    }
}

/// A driver whose readers do not see patches.
pub struct Masked {
    driver: Arc<dyn Driver>,
    mask: PatchMask,
}

impl Masked {
    /// Puts a mask before `driver` where patches would show: where a guest can be
    /// stopped at events and has no views.
    pub fn wrap(driver: Arc<dyn Driver>) -> Arc<dyn Driver> {
        match (driver.events(), driver.views(), driver.physical()) {
            (Some(_), None, Some(_)) => Arc::new(Self {
                driver,
                mask: PatchMask::default(),
            }),
            _ => driver,
        }
    }
}

/// The addresses of `length` bytes from `start`.
fn range(start: Pa, length: usize) -> std::ops::Range<u64> {
    start.0..start.0.saturating_add(length as u64)
}

impl PhysicalMemory for Masked {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        // Held while reading: a patch neither comes nor goes meanwhile.
        let originals = self.mask.read();
        let memory = self.driver.physical();
        let memory = memory.ok_or_else(|| lost(pa))?;
        memory.read(pa, buffer)?;
        for (at, original) in originals.range(range(pa, buffer.len())) {
            let offset = at.saturating_sub(pa.0) as usize;
            if let Some(byte) = buffer.get_mut(offset) {
                *byte = *original;
            }
        }
        Ok(())
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        self.driver.physical()?.next_run(from)
    }

    fn write(&self, pa: Pa, bytes: &[u8]) -> Result<(), Fault> {
        let mut originals = self.mask.write();
        let memory = self.driver.physical();
        let memory = memory.ok_or_else(|| lost(pa))?;
        let mut written = bytes.to_vec();
        for (at, original) in originals.range_mut(range(pa, bytes.len())) {
            let offset = at.saturating_sub(pa.0) as usize;
            let Some(byte) = written.get_mut(offset) else {
                continue;
            };
            // The patch stays, and shows the new byte from now on.
            *original = *byte;
            memory.read(Pa(*at), std::slice::from_mut(byte))?;
        }
        memory.write(pa, &written)
    }
}

fn lost(pa: Pa) -> Fault {
    Fault::physical(pa, crate::error::FaultKind::BackEnd)
}

impl Driver for Masked {
    fn info(&self) -> DriverInfo {
        self.driver.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.driver.capabilities().difference(Capabilities::PIN)
    }

    fn hints(&self) -> Hints {
        self.driver.hints()
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }

    fn unmasked(&self) -> Option<&dyn PhysicalMemory> {
        self.driver.physical()
    }

    fn mask(&self) -> Option<&PatchMask> {
        Some(&self.mask)
    }

    fn recovered(&self) -> Option<&str> {
        self.driver.recovered()
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        self.driver.registers()
    }

    fn control(&self) -> Option<&dyn Control> {
        self.driver.control()
    }

    fn events(&self) -> Option<&dyn Events> {
        self.driver.events()
    }
}
