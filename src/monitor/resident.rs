//! "Make this page resident and call me again": page faults on the guest's behalf.
//!
//! The fault is raised at the hooked instruction itself. The guest's handler
//! brings the page in and returns there, the hook is hit again, and the
//! subscribers that were not done yet are called with the next attempt.

use std::collections::HashMap;

use super::{
    guest::Guest,
    occurrence::{Missing, Outcome, Stopped},
    slots::HookId,
};
use crate::{
    core::{
        Va,
        driver::{Interrupt, InterruptKind, MemoryAccess},
    },
    error::{Error, Result},
};

/// Most attempts for one callback of one event.
const MAX_ATTEMPTS: u32 = 3;
/// Threads that were killed inside their page fault leave a record behind.
const MAX_RECORDS: usize = 4096;
const PAGE_FAULT_VECTOR: u8 = 14;
/// IRQL from which on Windows takes no page faults.
const DISPATCH_LEVEL: u64 = 2;
const RFLAGS_IF: u64 = 1 << 9;
const USER_RING: u16 = 3;
const ERROR_WRITE: u32 = 1 << 1;
const ERROR_USER: u32 = 1 << 2;
const ERROR_FETCH: u32 = 1 << 4;

/// Tells one hit of one thread from all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HitKey {
    thread: Va,
    rip: u64,
    rsp: u64,
}

/// A hit whose page is being brought in.
pub struct Waiting {
    /// The subscriber that asked for it.
    pub hook: HookId,
    /// Attempts that it has made.
    pub attempts: u32,
    /// Subscribers that are done with the hit.
    pub done: Vec<HookId>,
    /// What the subscribers before it decided.
    pub outcome: Outcome,
    /// The event's number: the oldest go when there are too many.
    pub sequence: u64,
}

/// All hits whose page is being brought in.
#[derive(Default)]
pub struct Residency {
    waiting: HashMap<HitKey, Waiting>,
}

impl HitKey {
    /// The hit that stopped the processor.
    pub fn of(stopped: &Stopped<'_>) -> Result<Self> {
        let registers = &stopped.event.registers;
        Ok(Self {
            thread: stopped.identity()?.thread.object,
            rip: registers.rip,
            rsp: registers.rsp,
        })
    }
}

impl Residency {
    /// Is no page being brought in, so that hits need no look-up?
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The earlier attempts of a hit.
    pub fn take(&mut self, key: &HitKey) -> Option<Waiting> {
        self.waiting.remove(key)
    }

    /// Remembers where to go on when the page is there.
    pub fn wait(&mut self, key: HitKey, waiting: Waiting) {
        if self.waiting.len() >= MAX_RECORDS {
            let oldest = self.waiting.iter().min_by_key(|(_, it)| it.sequence);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                self.waiting.remove(&oldest);
            }
        }
        self.waiting.insert(key, waiting);
    }
}

/// The page fault that brings `missing` in, if it can be raised without harm.
///
/// `attempt` is the one that asks, from 1 on; `irql` is the processor's CR8,
/// which events do not always carry.
pub fn page_fault(
    stopped: &Stopped<'_>,
    guest: &dyn Guest,
    missing: &Missing,
    attempt: u32,
    irql: u64,
) -> Result<Interrupt> {
    let refuse = |reason: &'static str| {
        Err(Error::NotResident {
            address: missing.va.0,
            reason: reason.into(),
        })
    };
    let registers = &stopped.event.registers;
    let user = registers.cs.selector & USER_RING == USER_RING;
    if attempt > MAX_ATTEMPTS {
        return refuse("the guest was asked three times");
    }
    if irql >= DISPATCH_LEVEL {
        return refuse("the processor is at DISPATCH_LEVEL or above");
    }
    if registers.rflags & RFLAGS_IF == 0 {
        return refuse("interrupts are off");
    }
    if user && missing.va.0 >> 63 != 0 {
        return refuse("user mode may not touch kernel addresses");
    }
    let identity = stopped.identity()?;
    if !guest.may_fault(&identity, stopped.root(), missing.va, missing.access)? {
        return refuse("no region of the address space allows the access");
    }
    Ok(Interrupt {
        vector: PAGE_FAULT_VECTOR,
        kind: InterruptKind::HardwareException,
        error_code: Some(error_code(missing.access, user)),
        instruction_length: 0,
        extra: missing.va.0,
    })
}

/// Error code of a fault at a page that is not present.
fn error_code(access: MemoryAccess, user: bool) -> u32 {
    let bit = |set: bool, bit: u32| if set { bit } else { 0 };
    bit(access.contains(MemoryAccess::WRITE), ERROR_WRITE)
        | bit(user, ERROR_USER)
        | bit(access.contains(MemoryAccess::EXECUTE), ERROR_FETCH)
}
