//! Steps under way that a page-out must not overtake.
//!
//! The callbacks of a hit run before the processor makes its step. If the page
//! went in between, the step would fault, and the same call hit again once the
//! page is back; a step that is held is begun anew. So who writes to a page table
//! waits until the steps are made.

use std::collections::HashMap;

use super::machine::Machine;
use crate::core::Va;

/// Most tries of a page-table write that wait for a step: no guest may be
/// brought to a stop by a processor that keeps coming back to one instruction.
const PATIENCE: u32 = 1000;

/// Where processors were let go to make one step.
#[derive(Default)]
pub struct Hurried {
    places: HashMap<u16, Va>,
    waited: u32,
}

impl Hurried {
    /// `vcpu` is about to make a step from `va`.
    pub fn begin(&mut self, vcpu: u16, va: Va) {
        self.places.insert(vcpu, va);
    }

    /// `vcpu` has come to another event.
    pub fn end(&mut self, vcpu: u16) {
        self.places.remove(&vcpu);
    }

    /// Has a processor other than `vcpu` still to make its step? Then what
    /// `vcpu` is about to do is tried again later.
    pub fn holds_up(&mut self, machine: &Machine, vcpu: u16) -> bool {
        let stands = |other, va| machine.instruction_pointer(other) == Some(va);
        self.places
            .retain(|other, va| *other == vcpu || stands(*other, *va));
        let standing = self.places.keys().any(|other| *other != vcpu);
        self.waited = match standing && self.waited < PATIENCE {
            true => self.waited.saturating_add(1),
            false => 0,
        };
        self.waited > 0
    }
}
