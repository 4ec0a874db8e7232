//! What this process has changed in the domain, and putting it back.

use std::{collections::BTreeSet, sync::MutexGuard, thread};

use xen::sys;

use super::{
    XenDriver,
    domain::{Domain, DomainInfo},
    injected::LEFT_ALONE,
    memory::Memory,
    record::{Change, Changes, Record},
    ring,
};
use crate::{
    core::{Gfn, driver::MemoryAccess},
    error::{Error, Result},
};

/// Changes under way; one lock orders them.
#[derive(Default)]
pub(super) struct State {
    /// The domain's record, from the first change on.
    pub(super) record: Option<Record>,
    /// Pauses that were not undone.
    pub(super) pauses: u32,
    /// View that the caller has all processors in.
    pub(super) view: u16,
    /// Processors that the debugger interface holds while another one runs alone.
    pub(super) held: BTreeSet<u16>,
    /// Frames to use again.
    pub(super) spare: Vec<Gfn>,
    /// Rights of untouched pages, per view.
    pub(super) defaults: Vec<(u16, MemoryAccess)>,
}

impl XenDriver {
    /// The state, with a record that this process holds.
    pub(super) fn changing(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.record.is_none() {
            let taken = take_record(&self.domain, &self.info)?;
            let (record, _) = taken.ok_or_else(|| Error::BackEnd {
                reason: format!(
                    "domain {} is being changed by another process",
                    self.domain.id()
                )
                .into(),
            })?;
            state.record = Some(record);
        }
        Ok(state)
    }

    /// What is to be undone, if anything.
    pub(super) fn changed(&self) -> Option<Changes> {
        let state = self.state();
        state.changes().filter(|it| !it.is_empty()).cloned()
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    /// Notes a change before it is made.
    pub(super) fn note(&mut self, change: Change) -> Result<()> {
        match &mut self.record {
            Some(record) => record.note(change),
            None => Ok(()),
        }
    }

    /// What has been changed.
    pub(super) fn changes(&self) -> Option<&Changes> {
        self.record.as_ref().map(Record::changes)
    }
}

/// Notes whether some processors are held by the debugger interface.
pub(super) fn note_held(state: &mut State, held: bool) -> Result<()> {
    match &mut state.record {
        Some(record) => record.set_held(held),
        None => Ok(()),
    }
}

/// Takes the domain's record and restores what a killed process left behind.
/// None when another process holds it; else with what was restored, as text.
pub(super) fn take_record(
    domain: &Domain,
    info: &DomainInfo,
) -> Result<Option<(Record, Option<String>)>> {
    let Some(mut record) = Record::take(domain.id(), info)? else {
        return Ok(None);
    };
    let left = record.changes().clone();
    if !left.is_empty() {
        leave_alone(&left);
        domain.pause()?;
        if left.monitored {
            // Fails where the monitor is off already.
            let _ = domain.disable_monitor();
            ring::release_processors(domain, info.vcpus)?;
        }
        restore(domain, info.vcpus, &left)?;
        record.note_running()?;
        domain.unpause()?;
        leave_alone(&left);
        give_back(domain, None, &left)?;
        record.restored()?;
    }
    let restored = (!left.is_empty()).then(|| left.describe());
    Ok(Some((record, restored)))
}

/// Has processors take what a killed process gave them.
fn leave_alone(changes: &Changes) {
    if changes.monitored {
        thread::sleep(LEFT_ALONE);
    }
}

/// Undoes `changes` in a paused domain whose monitor is silent, the caller's own
/// pause and what [`give_back`] does excepted. One failure does not keep the rest from
/// being undone.
pub(super) fn restore(domain: &Domain, vcpus: u16, changes: &Changes) -> Result<()> {
    let mut result = Ok(());
    let mut attempt = |step: Result<()>| {
        if result.is_ok() {
            result = step;
        }
    };
    if changes.held {
        for vcpu in 0..vcpus {
            // Fails for those that are not held.
            let _ = domain.hold(vcpu, false);
        }
    }
    // A pending step would take its processor back into its view.
    cancel_steps(domain, vcpus);
    if changes.views_enabled || !changes.views.is_empty() {
        attempt(domain.switch_view(0));
    }
    for view in &changes.views {
        attempt(domain.destroy_view(*view));
    }
    if changes.views_enabled {
        attempt(domain.set_views(false));
    }
    if changes.paused {
        attempt(domain.unpause());
    }
    result
}

/// Takes the frames of `changes` back, and the memory limit, from a running domain.
pub(super) fn give_back(domain: &Domain, memory: Option<&Memory>, changes: &Changes) -> Result<()> {
    for gfn in changes.frames.iter().copied().map(Gfn) {
        if let Some(memory) = memory {
            memory.forget(gfn);
        }
        // It may have been noted but never been added.
        let _ = domain.depopulate(gfn);
    }
    match changes.max_memory {
        Some(kib) => domain.set_max_memory(kib),
        None => Ok(()),
    }
}

/// Takes single steps back on all processors; a processor without any is left alone.
pub(super) fn cancel_steps(domain: &Domain, vcpus: u16) {
    for vcpu in 0..vcpus {
        // Fails only where there are no steps at all (no monitor trap flag).
        let _ = domain.debug(vcpu, sys::XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF);
    }
}
