//! Steps that no other processor may run beside, one at a time.
//!
//! While one processor writes to a watched page table, or executes the instruction
//! under a lifted patch, another one could run through the hooked code unseen:
//! the others stand until the step is done and looked at.

use std::collections::VecDeque;

use super::machine::Machine;
use crate::error::{Error, Result};

/// Processors that step or wait for their turn; the first one runs alone.
#[derive(Default)]
pub struct Turns {
    queue: VecDeque<u16>,
}

impl Turns {
    /// Gives `vcpu`, which is stopped, the next turn: it steps when it goes on, at
    /// once or after those before it.
    pub fn begin(&mut self, machine: &Machine, vcpu: u16) -> Result<()> {
        if self.queue.contains(&vcpu) {
            return Ok(());
        }
        self.queue.push_back(vcpu);
        match self.queue.len() {
            1 => run_only(machine, Some(vcpu)),
            _ => Ok(()),
        }
    }

    /// Does another processor than `vcpu` have its turn?
    pub fn is_other(&self, vcpu: u16) -> bool {
        self.queue.front().is_some_and(|first| *first != vcpu)
    }

    /// Ends the turn of `vcpu`, which has made its step.
    pub fn end(&mut self, machine: &Machine, vcpu: u16) -> Result<()> {
        let was_alone = self.queue.front() == Some(&vcpu);
        self.queue.retain(|other| *other != vcpu);
        match was_alone {
            true => run_only(machine, self.queue.front().copied()),
            false => Ok(()),
        }
    }

    /// Lets all processors run, whatever they wait for.
    pub fn clear(&mut self, machine: &Machine) -> Result<()> {
        match std::mem::take(&mut self.queue).is_empty() {
            true => Ok(()),
            false => run_only(machine, None),
        }
    }
}

/// Back ends that cannot hold single processors run them all: a hit may be lost there.
fn run_only(machine: &Machine, vcpu: Option<u16>) -> Result<()> {
    let control = machine.control()?;
    match control.run_only(vcpu) {
        Ok(()) | Err(Error::NotSupported { .. }) => Ok(()),
        // A second try costs nothing; a processor that stays held hangs its guest.
        Err(_) => control.run_only(vcpu),
    }
}
