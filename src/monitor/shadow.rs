//! Hidden patches: a view shows a patched copy of the page for execution only.
//!
//! The copy is complete before the view shows it, and the view goes back to the
//! guest's own page in one step, so that no processor ever sees half a change.

use std::collections::HashMap;

use super::{
    machine::Machine,
    patches::{INT3, Location, Medium, StepOver, ViewPage},
};
use crate::{
    core::{Gfn, Pa},
    error::Result,
};

/// The copies that views show, and the frames of former copies that wait for
/// their next use.
#[derive(Default)]
pub struct ShadowPages {
    shown: HashMap<ViewPage, Gfn>,
    idle: Vec<Gfn>,
}

impl ShadowPages {
    /// No copies yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn take_frame(&mut self, machine: &Machine) -> Result<Gfn> {
        match self.idle.pop() {
            Some(frame) => Ok(frame),
            None => machine.control()?.allocate_frame(),
        }
    }

    /// Has the view show a copy that is patched at one offset.
    fn show(&mut self, machine: &Machine, at: Location) -> Result<()> {
        let frame = self.take_frame(machine)?;
        let remap = || {
            compose(machine, at.page.gfn, frame, &[at.offset])?;
            let views = machine.views()?;
            views.remap(at.page.view, at.page.gfn, frame)
        };
        match remap() {
            Ok(()) => drop(self.shown.insert(at.page, frame)),
            Err(error) => {
                self.idle.push(frame);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Has the view show the guest's own page again.
    fn hide(&mut self, machine: &Machine, page: ViewPage) -> Result<()> {
        machine.views()?.reset(page.view, page.gfn)?;
        self.forget(page);
        Ok(())
    }

    /// Where the copy holds the byte at `at`.
    fn copy_of(&self, at: Location) -> Option<Pa> {
        let frame = self.shown.get(&at.page)?;
        Some(frame.pa().wrapping_add(at.offset.into()))
    }
}

/// Fills `frame` with the page as the guest has it now, patched at `offsets`.
fn compose(machine: &Machine, gfn: Gfn, frame: Gfn, offsets: &[u16]) -> Result<()> {
    let mut page = machine.read_page(gfn)?;
    for offset in offsets {
        if let Some(byte) = page.get_mut(usize::from(*offset)) {
            *byte = INT3;
        }
    }
    machine.write_page(frame, &page)
}

impl Medium for ShadowPages {
    fn visible(&self) -> bool {
        false
    }

    fn put(&mut self, machine: &Machine, at: Location, _first: bool) -> Result<()> {
        match self.copy_of(at) {
            Some(copy) => machine.write_byte(copy, INT3),
            None => self.show(machine, at),
        }
    }

    fn take(&mut self, machine: &Machine, at: Location, last: bool) -> Result<()> {
        if last {
            return self.hide(machine, at.page);
        }
        match self.copy_of(at) {
            Some(copy) => machine.write_byte(copy, machine.read_byte(at.pa())?),
            None => Ok(()),
        }
    }

    fn refresh(&mut self, machine: &Machine, page: ViewPage, offsets: &[u16]) -> Result<()> {
        match self.shown.get(&page) {
            Some(frame) => compose(machine, page.gfn, *frame, offsets),
            None => Ok(()),
        }
    }

    fn step_over(&mut self, machine: &Machine, _at: Location) -> Result<StepOver> {
        Ok(StepOver::InView(machine.views()?.default_view()))
    }

    fn stepped(&mut self, _machine: &Machine, _at: Location) -> Result<()> {
        Ok(())
    }

    fn original(&self, _at: Location) -> Option<u8> {
        None
    }

    fn forget(&mut self, page: ViewPage) {
        self.idle.extend(self.shown.remove(&page));
    }

    fn free(&mut self, machine: &Machine) -> Result<()> {
        let control = machine.control()?;
        while let Some(frame) = self.idle.last() {
            control.free_frame(*frame)?;
            self.idle.pop();
        }
        Ok(())
    }
}
