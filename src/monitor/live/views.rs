//! Views of the caller's own, from any thread and inside callbacks.

use super::{LiveGuest, Phase, State};
use crate::{
    core::{
        Gfn,
        driver::{MemoryAccess, ViewId},
    },
    error::{Error, Result},
    monitor::{machine::Machine, own_views::OwnViews},
};

impl LiveGuest {
    /// Takes the guest over, for what needs events but no hook yet.
    fn attached(&self) -> Result<()> {
        self.machine.views()?;
        let mut state = self.state();
        let idle = state.phase == Phase::Idle;
        state.attach()?;
        drop(state);
        if idle {
            self.report_attached();
        }
        Ok(())
    }

    fn own<T>(&self, act: impl FnOnce(&mut OwnViews, &Machine) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        match state.phase {
            Phase::Closed => Err(Error::Closed),
            Phase::Idle | Phase::Attached(_) => act(&mut state.own, &self.machine),
        }
    }

    /// Makes a view in which every page has `access`; no processor runs in it yet.
    ///
    /// # Errors
    /// [`Error::NotSupported`] when the back end has no views.
    pub fn create_view(&self, access: MemoryAccess) -> Result<ViewId> {
        self.attached()?;
        self.own(|own, machine| own.create(machine, access))
    }

    /// Moves all processors into a view of the caller's, or with `None` back into
    /// the one that hooks are in.
    pub fn enter_view(&self, view: Option<ViewId>) -> Result<()> {
        self.attached()?;
        let state = self.state();
        let wanted = match view {
            Some(view) => {
                state.own.check(view)?;
                view
            }
            None => state.view(),
        };
        self.machine.views()?.switch(wanted)
    }

    /// Destroys a view; processors in it go on in the one that hooks are in.
    pub fn destroy_view(&self, view: ViewId) -> Result<()> {
        let mut state = self.state();
        if state.phase == Phase::Closed {
            return Err(Error::Closed);
        }
        state.own.check(view)?;
        let views = self.machine.views()?;
        let _paused = self.machine.pause()?;
        let home = state.view();
        views.switch(home)?;
        let State { own, steps, .. } = &mut *state;
        for step in steps.values_mut().filter(|step| step.view == Some(view)) {
            step.view = Some(home);
        }
        own.destroy(&self.machine, view)?;
        // A back end may have had to take processors out of the view by itself.
        views.switch(home)
    }

    /// Shows a frame of [`LiveGuest::add_frame`] in a view, in place of the guest's own.
    pub fn show_frame(&self, view: ViewId, gfn: Gfn, frame: Gfn) -> Result<()> {
        self.own(|own, machine| own.show(machine, view, gfn, frame))
    }

    /// Shows the guest's own frame again.
    pub fn reset_frame(&self, view: ViewId, gfn: Gfn) -> Result<()> {
        self.own(|own, machine| own.reset(machine, view, gfn))
    }

    /// Access rights of a page in a view.
    pub fn page_access(&self, view: ViewId, gfn: Gfn) -> Result<MemoryAccess> {
        self.own(|own, machine| {
            own.check(view)?;
            machine.views()?.access(view, gfn)
        })
    }

    /// Sets the access rights of a page in a view.
    pub fn set_page_access(&self, view: ViewId, gfn: Gfn, access: MemoryAccess) -> Result<()> {
        self.own(|own, machine| {
            own.check(view)?;
            machine.views()?.set_access(view, gfn, access)
        })
    }

    /// Adds a frame of zeros to the guest, outside of what it knows.
    pub fn add_frame(&self) -> Result<Gfn> {
        self.attached()?;
        self.own(OwnViews::add_frame)
    }

    /// Takes a frame back that no view shows.
    ///
    /// # Errors
    /// [`Error::Busy`] while a view shows it.
    pub fn remove_frame(&self, frame: Gfn) -> Result<()> {
        self.own(|own, machine| own.remove_frame(machine, frame))
    }
}
