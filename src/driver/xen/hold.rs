//! Having one processor run alone.
//!
//! The others are moved into a view that lets nothing be executed: what they
//! report from there, and what they had reported before, waits until they are let
//! go. Where there are no views, Xen's debugger interface holds single processors;
//! many builds of Xen lack it.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::atomic::{AtomicU32, Ordering},
};

use super::{
    XenDriver,
    ring::Entry,
    state::{State, note_held},
};
use crate::{
    core::driver::{Control, Event, EventResponse, MemoryAccess, ResponseAction, ViewId},
    error::Result,
};

/// First Xen whose views give untouched pages the rights that they were created with.
const HONOURS_RIGHTS: (u16, u16) = (4, 19);

/// No processor, no view.
const NONE: u32 = u32::MAX;

/// Who runs alone, and the view that the others stand in.
pub(super) struct Alone {
    vcpu: AtomicU32,
    view: AtomicU32,
}

impl Default for Alone {
    fn default() -> Self {
        Self {
            vcpu: AtomicU32::new(NONE),
            view: AtomicU32::new(NONE),
        }
    }
}

impl Alone {
    /// Does this processor run alone?
    pub(super) fn is(&self, vcpu: u16) -> bool {
        self.vcpu.load(Ordering::Acquire) == u32::from(vcpu)
    }

    /// Is the processor held, so that what it reports has to wait?
    pub(super) fn holds(&self, vcpu: u32) -> bool {
        let alone = self.vcpu.load(Ordering::Acquire);
        alone != NONE && alone != vcpu
    }

    /// Did the event come about only because its processor was held?
    pub(super) fn caused(&self, event: &Event) -> bool {
        let view = self.view();
        view.is_some() && view == event.view
    }

    fn view(&self) -> Option<ViewId> {
        let view = self.view.load(Ordering::Acquire);
        u16::try_from(view).ok().map(ViewId)
    }

    fn set(&self, vcpu: Option<u16>) {
        self.vcpu
            .store(vcpu.map_or(NONE, u32::from), Ordering::Release);
    }

    fn set_view(&self, view: Option<ViewId>) {
        self.view
            .store(view.map_or(NONE, |view| view.0.into()), Ordering::Release);
    }
}

/// What held processors had to report: one request each, as they stand until it
/// is answered.
#[derive(Default)]
pub(super) struct Later(VecDeque<Entry>);

impl Later {
    /// The next request of a processor that is not held: those put aside first.
    pub(super) fn next(
        &mut self,
        mut take: impl FnMut() -> Option<Entry>,
        is_held: impl Fn(u32) -> bool,
    ) -> Option<Entry> {
        let may_go = |request: &Entry| !is_held(request.vcpu_id);
        if let Some(index) = self.0.iter().position(may_go) {
            return self.0.remove(index);
        }
        loop {
            let request = take()?;
            if may_go(&request) {
                return Some(request);
            }
            self.0.push_back(request);
        }
    }
}

impl XenDriver {
    /// Has only `alone` run, which waits for an answer. The others first take what they were
    /// given: held, they could not before the domain is paused and changed.
    pub(super) fn hold_others(&self, alone: u16) -> Result<()> {
        self.settle_injections();
        match self.view_to_hold_in()? {
            Some(view) => {
                self.domain.switch_view(view.0)?;
                self.alone.set(Some(alone));
                Ok(())
            }
            None => {
                let others = (0..self.info.vcpus).filter(|other| *other != alone);
                self.hold_exactly(&others.collect())
            }
        }
    }

    /// Lets all processors go on, in the view that they were to be in.
    pub(super) fn let_go(&self) -> Result<()> {
        if self.alone.holds(NONE) {
            let state = self.state();
            self.domain.switch_view(state.view)?;
            self.alone.set(None);
        }
        self.hold_exactly(&BTreeSet::new())
    }

    /// Destroys the view that processors are held in; none is.
    pub(super) fn drop_holding_view(&self) -> Result<()> {
        let Some(view) = self.alone.view() else {
            return Ok(());
        };
        let mut state = self.changing()?;
        self.destroy_view(&mut state, view)?;
        self.alone.set_view(None);
        Ok(())
    }

    /// The view that processors are held in, made at its first use; `None` where
    /// there can be none.
    fn view_to_hold_in(&self) -> Result<Option<ViewId>> {
        if let Some(view) = self.alone.view() {
            return Ok(Some(view));
        }
        let capable = self.domain.xen_version()? >= HONOURS_RIGHTS;
        if !capable || !self.domain.views_on().unwrap_or(false) {
            return Ok(None);
        }
        let mut state = self.changing()?;
        let rights = MemoryAccess::READ | MemoryAccess::WRITE;
        // Xen has a handful of views: with none left, there is the other way.
        let made = self.create_view(&mut state, rights).ok();
        self.alone.set_view(made);
        Ok(made)
    }

    /// Holds these processors and no others, by the debugger interface.
    fn hold_exactly(&self, wanted: &BTreeSet<u16>) -> Result<()> {
        if self.state().held == *wanted {
            return Ok(());
        }
        // Xen holds and releases processors of a paused domain only.
        self.pause()?;
        let exchanged = self.exchange_held(wanted);
        exchanged.and(self.resume())
    }

    fn exchange_held(&self, wanted: &BTreeSet<u16>) -> Result<()> {
        let mut state = self.changing()?;
        note_held(&mut state, true)?;
        let known = state.held.clone();
        for vcpu in known.symmetric_difference(wanted) {
            let hold = wanted.contains(vcpu);
            self.domain.hold(*vcpu, hold)?;
            match hold {
                true => state.held.insert(*vcpu),
                false => state.held.remove(vcpu),
            };
        }
        match wanted.is_empty() {
            true => note_held(&mut state, false),
            false => Ok(()),
        }
    }

    /// The answer that sends a processor on, which was held, as it was: in the
    /// caller's view, and reporting steps if it did.
    pub(super) fn as_before(&self, stepping: bool) -> EventResponse {
        EventResponse {
            action: match stepping {
                true => ResponseAction::SingleStep,
                false => ResponseAction::Continue,
            },
            view: Some(ViewId(self.state().view)),
            registers: None,
        }
    }

    /// Moves all processors into the caller's view, at the latest when nobody is held.
    pub(super) fn enter_view(&self, state: &mut State, view: ViewId) -> Result<()> {
        if !self.alone.holds(NONE) {
            self.domain.switch_view(view.0)?;
        }
        state.view = view.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(vcpu_id: u32, reason: u32) -> Entry {
        Entry {
            vcpu_id,
            reason,
            ..Entry::default()
        }
    }

    #[test]
    fn held_processors_are_served_in_order_when_they_are_let_go() {
        let mut ring = [
            request(1, 10),
            request(0, 20),
            request(2, 30),
            request(0, 40),
        ]
        .into_iter();
        let mut later = Later::default();
        let mut next = |held: &[u32]| {
            let next = later.next(|| ring.next(), |vcpu| held.contains(&vcpu));
            next.map(|request| request.reason)
        };
        assert_eq!(next(&[1, 2]), Some(20));
        assert_eq!(next(&[1, 2]), Some(40));
        assert_eq!(next(&[1, 2]), None);
        assert_eq!(next(&[1]), Some(30), "one of them is let go");
        assert_eq!(next(&[]), Some(10));
        assert_eq!(next(&[]), None);
    }

    #[test]
    fn who_runs_alone_holds_all_others() {
        let alone = Alone::default();
        assert!(!alone.holds(0) && !alone.is(0) && !alone.holds(NONE));
        alone.set(Some(1));
        assert!(alone.is(1) && !alone.holds(1));
        assert!(alone.holds(0) && alone.holds(NONE));
        alone.set(None);
        assert!(!alone.holds(0));
    }
}
