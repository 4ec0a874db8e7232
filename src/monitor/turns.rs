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
    /// once or after those before it. Where processors cannot be held there are
    /// no turns: all run, and a hit may be lost.
    pub fn begin(&mut self, machine: &Machine, vcpu: u16) -> Result<()> {
        if self.queue.contains(&vcpu) {
            return Ok(());
        }
        if self.queue.is_empty() {
            match run_only(machine, Some(vcpu)) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) => {
                    // Some may be held by now.
                    let _ = run_only(machine, None);
                    return Err(error);
                }
            }
        }
        self.queue.push_back(vcpu);
        Ok(())
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
            true => run_only(machine, self.queue.front().copied()).map(drop),
            false => Ok(()),
        }
    }

    /// Lets all processors run, whatever they wait for.
    pub fn clear(&mut self, machine: &Machine) -> Result<()> {
        match std::mem::take(&mut self.queue).is_empty() {
            true => Ok(()),
            false => run_only(machine, None).map(drop),
        }
    }
}

/// Returns false where single processors cannot be held.
fn run_only(machine: &Machine, vcpu: Option<u16>) -> Result<bool> {
    let control = machine.control()?;
    match control.run_only(vcpu) {
        Ok(()) => Ok(true),
        Err(Error::NotSupported { .. }) => Ok(false),
        // A second try costs nothing; a processor that stays held hangs its guest.
        Err(_) => control.run_only(vcpu).map(|()| true),
    }
}
