//! What a callback is told, and what it may change.

use std::{cell::OnceCell, time::SystemTime};

use super::{
    guest::{Guest, Identity},
    slots::HookId,
};
use crate::{
    core::{
        Pa, Registers, Va,
        driver::{Event, MemoryAccess},
    },
    error::{Error, Result},
};

/// A page that a callback needs and the guest does not have in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// An address in it.
    pub va: Va,
    /// The access that the guest shall believe was tried.
    pub access: MemoryAccess,
}

/// What a callback wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing special.
    Continue,
    /// Remove this hook.
    Remove,
    /// End the event loop after this event.
    Stop,
    /// Report the instruction after this event to those who monitor single steps.
    Step,
    /// Have the guest bring a page in, then call again for the same event.
    MakeResident(Missing),
}

/// How the stopped processor goes on, as its subscribers want it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Registers to load, and who asked first.
    registers: Option<(HookId, Box<Registers>)>,
    /// The monitored write has no effect.
    pub deny: bool,
}

/// What all subscribers of one event share.
pub struct Stopped<'a> {
    /// The event as the back end sent it.
    pub event: &'a Event,
    /// Rises by one with each event of the session.
    pub sequence: u64,
    /// When the event was handled.
    pub time: SystemTime,
    guest: &'a dyn Guest,
    identity: OnceCell<Result<Identity>>,
}

/// One event, for one subscriber; valid until its callback returns.
pub struct Occurrence<'a> {
    /// What all subscribers share.
    pub stopped: &'a Stopped<'a>,
    /// The hook that is called.
    pub hook: HookId,
    /// Address that the hook was inserted at; 0 for hooks without an address.
    pub va: Va,
    /// 1, and one more each time after [`Action::MakeResident`].
    pub attempt: u32,
    /// The page asked for with [`Action::MakeResident`] cannot be brought in.
    pub not_resident: bool,
    /// Hits that a suspension swallowed since the last call.
    pub missed: u64,
    /// The hook exceeds its rate limit and is suspended from now on.
    pub suspended: bool,
    outcome: &'a mut Outcome,
}

impl Outcome {
    /// The registers to load, if any subscriber changed them.
    pub fn registers(&self) -> Option<&Registers> {
        self.registers.as_ref().map(|(_, registers)| &**registers)
    }

    /// The registers to load.
    pub fn into_registers(self) -> Option<Box<Registers>> {
        self.registers.map(|(_, registers)| registers)
    }
}

impl<'a> Stopped<'a> {
    /// An event that was just taken.
    pub fn new(event: &'a Event, guest: &'a dyn Guest, sequence: u64) -> Self {
        Self {
            event,
            sequence,
            time: SystemTime::now(),
            guest,
            identity: OnceCell::new(),
        }
    }

    /// Whom the processor was running; found out once per event.
    pub fn identity(&self) -> Result<Identity> {
        let identity = self
            .identity
            .get_or_init(|| self.guest.identify(self.event));
        identity.clone()
    }

    /// The page-table root that the processor uses.
    pub const fn root(&self) -> Pa {
        crate::arch::amd64::dtb_to_root(self.event.registers.cr3)
    }
}

impl<'a> Occurrence<'a> {
    /// The event for the subscriber `hook`.
    pub fn new(
        stopped: &'a Stopped<'a>,
        hook: HookId,
        va: Va,
        attempt: u32,
        outcome: &'a mut Outcome,
    ) -> Self {
        Self {
            stopped,
            hook,
            va,
            attempt,
            not_resident: false,
            missed: 0,
            suspended: false,
            outcome,
        }
    }

    /// Interrupt request level of the processor, where the event itself tells it:
    /// some back ends leave out CR8, and user mode runs at level 0.
    pub const fn irql(&self) -> Option<u32> {
        let registers = &self.stopped.event.registers;
        match (registers.cr8, registers.cs.selector & 3) {
            (_, 3) => Some(0),
            (0, _) => None,
            (level, _) => Some(level as u32),
        }
    }

    /// The registers as they will be loaded: the event's, with what subscribers changed.
    pub fn registers(&self) -> &Registers {
        let changed = self.outcome.registers();
        changed.unwrap_or(&self.stopped.event.registers)
    }

    /// Has the processor go on with these registers.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another subscriber of this event has changed them
    /// differently; its change stays.
    pub fn set_registers(&mut self, registers: &Registers) -> Result<()> {
        match &self.outcome.registers {
            Some((owner, current)) if *owner != self.hook && **current != *registers => {
                Err(Error::Conflict {
                    what: "another callback of this event changed the registers".into(),
                })
            }
            _ => {
                self.outcome.registers = Some((self.hook, Box::new(*registers)));
                Ok(())
            }
        }
    }

    /// Lets the monitored write have no effect.
    pub fn deny(&mut self) {
        self.outcome.deny = true;
    }
}
