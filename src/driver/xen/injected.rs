//! Injections, and registers written by answers, that processors may still have to take.
//!
//! Xen hands them over when the processor is next scheduled. Where the domain's memory map is
//! changed in between, they come one time later, at another instruction (docs/XEN.md). So who
//! stops the processors first waits until they have gone on: no longer than a moment, since a
//! processor may stand for other reasons.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::XenDriver;
use crate::core::driver::VcpuRegisters;

/// How often is looked, and how long is waited after each look: in all a few of the time
/// slices that other processors may have first.
const LOOKS: usize = 100;
const MOMENT: Duration = Duration::from_millis(1);

/// How long processors go on that a killed process left, before they are stopped.
pub(super) const LEFT_ALONE: Duration = Duration::from_millis(100);

/// Where each processor stood when it was given something, as long as it has reported
/// nothing from elsewhere since.
#[derive(Default)]
pub(super) struct Injected(Mutex<HashMap<u16, u64>>);

impl Injected {
    fn known(&self) -> MutexGuard<'_, HashMap<u16, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A processor that stands at `rip` is given something.
    pub(super) fn note(&self, vcpu: u16, rip: u64) {
        self.known().insert(vcpu, rip);
    }

    /// A processor reports something at `rip`, and stands until that is answered: nobody
    /// is to wait for it. May it still have something to take then, because it has not moved?
    pub(super) fn stands(&self, vcpu: u16, rip: u64) -> bool {
        self.known().remove(&vcpu) == Some(rip)
    }

    fn take(&self) -> HashMap<u16, u64> {
        std::mem::take(&mut self.known())
    }
}

impl XenDriver {
    /// Waits until processors have taken what they were given, at most [`LOOKS`] times a
    /// [`MOMENT`] for each; those that are held take theirs later.
    pub(super) fn settle_injections(&self) {
        for (vcpu, rip) in self.injected.take() {
            let stands = || {
                !self.alone.holds(u32::from(vcpu))
                    && self.get(vcpu).is_ok_and(|registers| registers.rip == rip)
            };
            let mut looks = 0..LOOKS;
            while stands() && looks.next().is_some() {
                thread::sleep(MOMENT);
            }
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
        assert_eq!(injected.take(), HashMap::from([(2, 0x1000)]));
        assert!(injected.take().is_empty());
    }
}
