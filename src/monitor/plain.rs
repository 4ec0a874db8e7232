//! Visible patches, for back ends without memory views: `INT3` in the guest's own page.
//!
//! The guest can see them. A hit is stepped over by lifting the patch for one
//! instruction, during which such back ends run only the stepping processor.
//! Readers of guest memory are shown the original byte.

use std::collections::HashMap;

use super::{
    machine::Machine,
    patches::{INT3, Location, Medium, StepOver, ViewPage},
};
use crate::error::Result;

/// The bytes under the patches.
#[derive(Default)]
pub struct PlainPatches {
    originals: HashMap<Location, u8>,
    /// How many processors step over a lifted patch.
    lifted: HashMap<Location, u32>,
}

impl PlainPatches {
    /// No patches yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the `INT3`; readers are shown `original`, unless it fails.
    fn patch(&mut self, machine: &Machine, at: Location, original: u8) -> Result<()> {
        if let Some(mask) = machine.mask() {
            mask.cover(at.pa(), original);
        }
        let written = machine.write_byte(at.pa(), INT3);
        match (&written, machine.mask()) {
            (Ok(()), _) => {
                self.originals.insert(at, original);
            }
            (Err(_), Some(mask)) => mask.uncover(at.pa()),
            (Err(_), None) => {}
        }
        written
    }

    /// The byte under a patch: what was there, or what was written over it
    /// through the library since.
    fn under(&self, machine: &Machine, at: Location) -> Option<u8> {
        let original = self.originals.get(&at).copied()?;
        let masked = machine.mask().and_then(|mask| mask.original(at.pa()));
        Some(masked.unwrap_or(original))
    }
}

impl Medium for PlainPatches {
    fn visible(&self) -> bool {
        true
    }

    fn put(&mut self, machine: &Machine, at: Location, _first: bool) -> Result<()> {
        let original = machine.read_byte(at.pa())?;
        self.patch(machine, at, original)
    }

    fn take(&mut self, machine: &Machine, at: Location, _last: bool) -> Result<()> {
        let Some(original) = self.under(machine, at) else {
            return Ok(());
        };
        // What the guest wrote over the patch is the guest's.
        if machine.read_byte(at.pa())? == INT3 {
            machine.write_byte(at.pa(), original)?;
        }
        self.originals.remove(&at);
        self.lifted.remove(&at);
        if let Some(mask) = machine.mask() {
            mask.uncover(at.pa());
        }
        Ok(())
    }

    fn refresh(&mut self, _: &Machine, _: ViewPage, _: &[u16]) -> Result<()> {
        // The guest writes to the patched page itself.
        Ok(())
    }

    fn step_over(&mut self, machine: &Machine, at: Location) -> Result<StepOver> {
        if let Some(original) = self.under(machine, at) {
            machine.write_byte(at.pa(), original)?;
        }
        let steps = self.lifted.entry(at).or_default();
        *steps = steps.saturating_add(1);
        Ok(StepOver::Lifted)
    }

    fn stepped(&mut self, machine: &Machine, at: Location) -> Result<()> {
        let steps = self.lifted.remove(&at).unwrap_or(1).saturating_sub(1);
        if steps > 0 {
            // Another processor was stopped at it too, and is still on its way.
            self.lifted.insert(at, steps);
            return Ok(());
        }
        // The instruction may have changed the byte: that is the new original.
        let original = machine.read_byte(at.pa())?;
        self.patch(machine, at, original)
    }

    fn original(&self, at: Location) -> Option<u8> {
        self.originals.get(&at).copied()
    }

    fn forget(&mut self, page: ViewPage) {
        self.originals.retain(|at, _| at.page != page);
        self.lifted.retain(|at, _| at.page != page);
    }

    fn free(&mut self, _machine: &Machine) -> Result<()> {
        Ok(())
    }
}
