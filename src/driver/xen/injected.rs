//! Injections, and registers written by answers, that processors may still have to take.
//!
//! Xen hands them over when the processor is next scheduled, but not on the first turn after a
//! page was taken from the domain or from a view of it: then they come one turn later, at
//! another instruction (docs/XEN.md). So who may do that first waits until the processors have
//! gone on: no longer than a moment, since one may stand for other reasons.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::XenDriver;
use crate::core::driver::VcpuRegisters;

/// How often is looked for a processor, and how long is waited after each look: in all a few
/// of the time slices that other processors may have first.
const LOOKS: u32 = 100;
const MOMENT: Duration = Duration::from_millis(1);

/// How long processors go on that a killed process left, before they are stopped and before
/// their domain's memory is taken back.
pub(super) const LEFT_ALONE: Duration = Duration::from_millis(100);

/// Who was given something, until it has gone on.
#[derive(Default)]
pub(super) struct Injected(Mutex<BTreeMap<u16, Given>>);

/// A processor stood here when it was given something, and has reported nothing from
/// elsewhere since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Given {
    rip: u64,
    /// How often it may still be looked for.
    looks: u32,
}

impl Injected {
    fn known(&self) -> MutexGuard<'_, BTreeMap<u16, Given>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A processor that stands at `rip` is given something.
    pub(super) fn note(&self, vcpu: u16, rip: u64) {
        self.known().insert(vcpu, Given { rip, looks: LOOKS });
    }

    /// A processor reports something at `rip`, and stands until that is answered: nobody
    /// is to wait for it. May it still have something to take then, because it has not moved?
    pub(super) fn stands(&self, vcpu: u16, rip: u64) -> bool {
        self.known()
            .remove(&vcpu)
            .is_some_and(|given| given.rip == rip)
    }

    /// Looks once for each processor, which `place` tells the RIP of, and forgets it when it
    /// has gone on or was looked for often enough. True when there are others.
    fn look(&self, place: impl Fn(u16) -> Option<u64>) -> bool {
        let mut known = self.known();
        known.retain(|vcpu, given| {
            given.looks = given.looks.saturating_sub(1);
            given.looks > 0 && place(*vcpu) == Some(given.rip)
        });
        !known.is_empty()
    }
}

impl XenDriver {
    /// Waits until processors have taken what they were given, at most [`LOOKS`] times a
    /// [`MOMENT`], whatever they are given meanwhile; in a paused domain they cannot.
    pub(super) fn settle_injections(&self) {
        if self.state().pauses > 0 {
            return;
        }
        let place = |vcpu| self.get(vcpu).ok().map(|registers| registers.rip);
        let mut looks = 0..LOOKS;
        while looks.next().is_some() && self.injected.look(place) {
            thread::sleep(MOMENT);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reports_is_not_waited_for_until_it_is_answered() {
        let injected = Injected::default();
        for vcpu in 0..3 {
            injected.note(vcpu, 0x1000);
        }
        assert!(!injected.stands(0, 0x1008), "it has gone on");
        assert!(injected.stands(1, 0x1000), "it has not moved");
        assert!(!injected.stands(1, 0x1000), "it is told once");
        assert_eq!(Vec::from_iter(injected.known().keys().copied()), [2]);
    }

    #[test]
    fn who_has_gone_on_is_forgotten() {
        let injected = Injected::default();
        injected.note(0, 0x1000);
        injected.note(1, 0x1000);
        assert!(injected.look(|vcpu| Some(0x1000 + u64::from(vcpu))));
        assert_eq!(Vec::from_iter(injected.known().keys().copied()), [0]);
        assert!(!injected.look(|_| None), "it cannot be seen");
        assert!(injected.known().is_empty());
    }

    #[test]
    fn nobody_is_waited_for_without_end() {
        let injected = Injected::default();
        injected.note(0, 0x1000);
        let looks = (0..).take_while(|_| injected.look(|_| Some(0x1000)));
        assert_eq!(looks.count() + 1, LOOKS as usize);
    }
}
