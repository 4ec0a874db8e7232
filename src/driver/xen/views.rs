//! Alternative views: Xen's altp2m.

use xen::sys;

use super::{
    XenDriver,
    handle::explained,
    record::Change,
    state::{State, cancel_steps},
};
use crate::{
    core::{
        Gfn,
        driver::{MemoryAccess, ViewId, Views},
    },
    error::{Error, Result},
};

/// "No frame": undoes a remapping.
const INVALID: u64 = u64::MAX;

/// The host's own view.
const DEFAULT: ViewId = ViewId(0);

impl Views for XenDriver {
    fn default_view(&self) -> ViewId {
        DEFAULT
    }

    fn create(&self, access: MemoryAccess) -> Result<ViewId> {
        let mut state = self.changing()?;
        self.enable_views(&mut state)?;
        self.create_view(&mut state, access)
    }

    fn destroy(&self, view: ViewId) -> Result<()> {
        let mut state = self.changing()?;
        self.destroy_view(&mut state, view)
    }

    fn switch(&self, view: ViewId) -> Result<()> {
        let mut state = self.changing()?;
        self.enter_view(&mut state, view)
    }

    fn remap(&self, view: ViewId, old: Gfn, new: Gfn) -> Result<()> {
        let _state = self.changing()?;
        self.change_frame(view, old, new.0)
    }

    fn reset(&self, view: ViewId, gfn: Gfn) -> Result<()> {
        self.settle_injections();
        let _state = self.changing()?;
        self.change_frame(view, gfn, INVALID)
    }

    fn access(&self, view: ViewId, gfn: Gfn) -> Result<MemoryAccess> {
        let mut access = 0;
        let read = self.domain.attempt(|xc, id| {
            // SAFETY: `access` is written.
            unsafe { sys::xc_altp2m_get_mem_access(xc, id, view.0, gfn.0, &mut access) }
        });
        match read {
            Ok(()) => Ok(rights(access)),
            // A page that the view has not copied yet.
            Err(cause) if cause.raw_os_error() == Some(libc::ESRCH) => {
                Ok(self.default_access(view))
            }
            Err(cause) => Err(explained("xc_altp2m_get_mem_access", &cause)),
        }
    }

    fn set_access(&self, view: ViewId, gfn: Gfn, access: MemoryAccess) -> Result<()> {
        let _state = self.changing()?;
        self.domain.call("xc_altp2m_set_mem_access", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_altp2m_set_mem_access(xc, id, view.0, gfn.0, code(access)) }
        })?;
        Ok(())
    }
}

impl XenDriver {
    fn enable_views(&self, state: &mut State) -> Result<()> {
        let on = self.domain.views_on().map_err(|_| {
            Error::not_supported(
                "views: altp2m is off (Xen: altp2m=1; xl.cfg: altp2m = \"external\"; Intel only)",
            )
        })?;
        if on {
            return Ok(());
        }
        state.note(Change::EnableViews)?;
        self.domain.set_views(true)
    }

    pub(super) fn create_view(&self, state: &mut State, access: MemoryAccess) -> Result<ViewId> {
        let mut view = 0;
        self.domain.call("xc_altp2m_create_view", |xc, id| {
            // SAFETY: `view` is written.
            unsafe { sys::xc_altp2m_create_view(xc, id, code(access), &mut view) }
        })?;
        // Not noted in between: a view that is not known goes when views are switched off.
        state.note(Change::View(view))?;
        state.defaults.retain(|(known, _)| *known != view);
        state.defaults.push((view, access));
        Ok(ViewId(view))
    }

    pub(super) fn destroy_view(&self, state: &mut State, view: ViewId) -> Result<()> {
        if state.view == view.0 {
            state.view = DEFAULT.0;
        }
        if self.domain.destroy_view(view.0).is_err() {
            self.evict(view, state.view)?;
        }
        state.defaults.retain(|(known, _)| *known != view.0);
        state.note(Change::ViewGone(view.0))
    }

    /// Destroys a view that some processor is still in, or will come back to after
    /// a fast step: all move to `home`.
    fn evict(&self, view: ViewId, home: u16) -> Result<()> {
        self.domain.pause()?;
        cancel_steps(&self.domain, self.info.vcpus);
        let result = self
            .domain
            .switch_view(home)
            .and_then(|()| self.domain.destroy_view(view.0));
        self.domain.unpause()?;
        result
    }

    fn change_frame(&self, view: ViewId, old: Gfn, new: u64) -> Result<()> {
        self.domain.call("xc_altp2m_change_gfn", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_altp2m_change_gfn(xc, id, view.0, old.0, new) }
        })?;
        Ok(())
    }

    fn default_access(&self, view: ViewId) -> MemoryAccess {
        let state = self.state();
        let mut known = state.defaults.iter();
        let found = known.find(|(id, _)| *id == view.0);
        found.map_or(
            MemoryAccess::READ | MemoryAccess::WRITE | MemoryAccess::EXECUTE,
            |(_, access)| *access,
        )
    }
}

/// Xen's number of a set of rights: its bits are ours, page walks apart.
fn code(access: MemoryAccess) -> sys::xenmem_access_t {
    let walks = MemoryAccess::READ | MemoryAccess::IGNORE_PAGE_WALK;
    if access == walks {
        return sys::xenmem_access_t_XENMEM_access_r_pw;
    }
    CODES
        .iter()
        .find(|(rights, _)| *rights == access.bits() & 7)
        .map_or(sys::xenmem_access_t_XENMEM_access_n, |(_, code)| *code)
}

fn rights(code: sys::xenmem_access_t) -> MemoryAccess {
    if code == sys::xenmem_access_t_XENMEM_access_r_pw {
        return MemoryAccess::READ | MemoryAccess::IGNORE_PAGE_WALK;
    }
    let found = CODES.iter().find(|(_, known)| *known == code);
    MemoryAccess::from_bits_truncate(found.map_or(0, |(rights, _)| *rights))
}

/// Read 1, write 2, execute 4, and Xen's number of each combination.
const CODES: [(u8, sys::xenmem_access_t); 8] = [
    (0, sys::xenmem_access_t_XENMEM_access_n),
    (1, sys::xenmem_access_t_XENMEM_access_r),
    (2, sys::xenmem_access_t_XENMEM_access_w),
    (3, sys::xenmem_access_t_XENMEM_access_rw),
    (4, sys::xenmem_access_t_XENMEM_access_x),
    (5, sys::xenmem_access_t_XENMEM_access_rx),
    (6, sys::xenmem_access_t_XENMEM_access_wx),
    (7, sys::xenmem_access_t_XENMEM_access_rwx),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_survive_the_way_to_xen() {
        for bits in 0..8 {
            let access = MemoryAccess::from_bits_truncate(bits);
            assert_eq!(rights(code(access)), access);
        }
        let walks = MemoryAccess::READ | MemoryAccess::IGNORE_PAGE_WALK;
        assert_eq!(rights(code(walks)), walks);
        assert_ne!(code(walks), code(MemoryAccess::READ));
    }
}
