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
}

impl PlainPatches {
    /// No patches yet.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Medium for PlainPatches {
    fn visible(&self) -> bool {
        true
    }

    fn put(&mut self, machine: &Machine, at: Location, _first: bool) -> Result<()> {
        let original = machine.read_byte(at.pa())?;
        machine.write_byte(at.pa(), INT3)?;
        self.originals.insert(at, original);
        Ok(())
    }

    fn take(&mut self, machine: &Machine, at: Location, _last: bool) -> Result<()> {
        let Some(original) = self.originals.get(&at) else {
            return Ok(());
        };
        // What the guest wrote over the patch is the guest's.
        if machine.read_byte(at.pa())? == INT3 {
            machine.write_byte(at.pa(), *original)?;
        }
        self.originals.remove(&at);
        Ok(())
    }

    fn refresh(&mut self, _: &Machine, _: ViewPage, _: &[u16]) -> Result<()> {
        // The guest writes to the patched page itself.
        Ok(())
    }

    fn step_over(&mut self, machine: &Machine, at: Location) -> Result<StepOver> {
        if let Some(original) = self.originals.get(&at) {
            machine.write_byte(at.pa(), *original)?;
        }
        Ok(StepOver::Lifted)
    }

    fn stepped(&mut self, machine: &Machine, at: Location) -> Result<()> {
        // The instruction may have changed the byte: that is the new original.
        let original = machine.read_byte(at.pa())?;
        machine.write_byte(at.pa(), INT3)?;
        self.originals.insert(at, original);
        Ok(())
    }

    fn original(&self, at: Location) -> Option<u8> {
        self.originals.get(&at).copied()
    }

    fn forget(&mut self, page: ViewPage) {
        self.originals.retain(|at, _| at.page != page);
    }

    fn free(&mut self, _machine: &Machine) -> Result<()> {
        Ok(())
    }
}
