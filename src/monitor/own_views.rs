//! Views and frames of the caller's own, beside the view that hooks are in.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{machine::Machine, slots::HookId};
use crate::{
    core::{
        Gfn,
        driver::{MemoryAccess, ViewId, Views},
    },
    error::{Error, Result},
};

/// What a view shows in place of the guest's frames.
type Shown = BTreeMap<Gfn, Gfn>;

/// The caller's views and frames.
#[derive(Default)]
pub struct OwnViews {
    views: BTreeMap<ViewId, Shown>,
    frames: BTreeSet<Gfn>,
    /// Who is told of accesses that a view denies.
    listeners: HashMap<ViewId, Vec<HookId>>,
}

impl OwnViews {
    /// Makes a view in which every page has `access`.
    pub fn create(&mut self, machine: &Machine, access: MemoryAccess) -> Result<ViewId> {
        let view = machine.views()?.create(access)?;
        self.views.insert(view, Shown::new());
        Ok(view)
    }

    /// Is it one of these?
    pub fn check(&self, view: ViewId) -> Result<()> {
        match self.views.contains_key(&view) {
            true => Ok(()),
            false => Err(Error::not_found("the view")),
        }
    }

    /// Destroys a view that no processor runs in.
    pub fn destroy(&mut self, machine: &Machine, view: ViewId) -> Result<()> {
        self.check(view)?;
        gone(machine.views()?.destroy(view))?;
        self.views.remove(&view);
        self.listeners.remove(&view);
        Ok(())
    }

    /// Shows a frame in place of the guest's own; the rights of the page stay.
    pub fn show(&mut self, machine: &Machine, view: ViewId, gfn: Gfn, frame: Gfn) -> Result<()> {
        self.check(view)?;
        if !self.frames.contains(&frame) {
            return Err(Error::not_found("the frame"));
        }
        let views = machine.views()?;
        let _paused = machine.pause()?;
        let access = views.access(view, gfn)?;
        views.remap(view, gfn, frame)?;
        if let Err(error) = views.set_access(view, gfn, access) {
            self.unshow(views, view, gfn, access)?;
            return Err(error);
        }
        self.views.entry(view).or_default().insert(gfn, frame);
        Ok(())
    }

    /// Shows the guest's own frame again; the rights of the page stay.
    pub fn reset(&mut self, machine: &Machine, view: ViewId, gfn: Gfn) -> Result<()> {
        self.check(view)?;
        let views = machine.views()?;
        let _paused = machine.pause()?;
        let access = views.access(view, gfn)?;
        self.unshow(views, view, gfn, access)
    }

    fn unshow(
        &mut self,
        views: &dyn Views,
        view: ViewId,
        gfn: Gfn,
        access: MemoryAccess,
    ) -> Result<()> {
        views.reset(view, gfn)?;
        if let Some(shown) = self.views.get_mut(&view) {
            shown.remove(&gfn);
        }
        views.set_access(view, gfn, access)
    }

    /// Adds a frame of zeros.
    pub fn add_frame(&mut self, machine: &Machine) -> Result<Gfn> {
        let control = machine.control()?;
        let frame = control.allocate_frame()?;
        self.frames.insert(frame);
        let zeroed = machine.write_page(frame, &[0; 4096]);
        if let Err(error) = zeroed {
            self.free(machine, frame)?;
            return Err(error);
        }
        Ok(frame)
    }

    /// Takes a frame back that no view shows.
    pub fn remove_frame(&mut self, machine: &Machine, frame: Gfn) -> Result<()> {
        if !self.frames.contains(&frame) {
            return Err(Error::not_found("the frame"));
        }
        let mut shown = self.views.values().flat_map(BTreeMap::values);
        if shown.any(|it| *it == frame) {
            return Err(Error::Busy {
                reason: "a view shows the frame".into(),
            });
        }
        self.free(machine, frame)
    }

    fn free(&mut self, machine: &Machine, frame: Gfn) -> Result<()> {
        machine.control()?.free_frame(frame)?;
        self.frames.remove(&frame);
        Ok(())
    }

    /// Has a hook hear of what `view` denies.
    pub fn listen(&mut self, view: ViewId, hook: HookId) -> Result<()> {
        self.check(view)?;
        self.listeners.entry(view).or_default().push(hook);
        Ok(())
    }

    /// Who is told of what `view` denies.
    pub fn listeners(&self, view: ViewId) -> &[HookId] {
        self.listeners.get(&view).map_or(&[], Vec::as_slice)
    }

    /// Is the hook told of what some view denies?
    pub fn is_listening(&self, hook: HookId) -> bool {
        self.listeners.values().any(|hooks| hooks.contains(&hook))
    }

    /// Forgets a hook that is removed.
    pub fn forget_hook(&mut self, hook: HookId) {
        for hooks in self.listeners.values_mut() {
            hooks.retain(|other| *other != hook);
        }
    }

    /// Destroys every view, takes every frame back; can be repeated until it succeeds.
    pub fn clear(&mut self, machine: &Machine) -> Result<()> {
        while let Some(view) = self.views.keys().next().copied() {
            self.destroy(machine, view)?;
        }
        while let Some(frame) = self.frames.first().copied() {
            self.free(machine, frame)?;
        }
        Ok(())
    }
}

/// An earlier attempt may have done it.
fn gone(result: Result<()>) -> Result<()> {
    match result {
        Err(Error::NotFound { .. }) => Ok(()),
        result => result,
    }
}
