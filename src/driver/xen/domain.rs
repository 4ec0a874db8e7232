//! One guest domain: the hypercalls that this driver makes on it.

use std::{ffi::c_int, io, ptr};

use xen::sys;

use super::handle::{Interface, Mapping, check, explained};
use crate::{
    core::Gfn,
    error::{Error, Result},
};

/// Pages of 4 KiB in KiB, the unit of Xen's memory limits.
const KIB_PER_PAGE: u64 = 4;

/// What Xen tells about a domain.
#[derive(Debug, Clone, Copy)]
pub(super) struct DomainInfo {
    /// Pages that it has.
    pub(super) pages: u64,
    /// Limit of its memory, in KiB.
    pub(super) max_memory: u64,
    /// Number of virtual processors.
    pub(super) vcpus: u16,
    /// UUID: tells a domain from a later one with the same number.
    pub(super) uuid: [u8; 16],
}

/// A guest domain, addressed through a handle of its own.
pub(super) struct Domain {
    interface: Interface,
    id: u32,
}

impl Domain {
    /// Addresses domain `id`; whether it exists, [`Domain::info`] tells.
    pub(super) fn new(interface: Interface, id: u32) -> Self {
        Self { interface, id }
    }

    /// Its number.
    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Runs one libxenctrl call with the handle and the domain's number.
    pub(super) fn call(
        &self,
        name: &'static str,
        call: impl FnOnce(*mut sys::xc_interface, u32) -> c_int,
    ) -> Result<c_int> {
        check(name, call(self.interface.raw(), self.id))
    }

    /// As [`Domain::call`], for callers that look at the system's error number.
    pub(super) fn attempt(
        &self,
        call: impl FnOnce(*mut sys::xc_interface, u32) -> c_int,
    ) -> io::Result<()> {
        match call(self.interface.raw(), self.id) {
            result if result < 0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// Facts about the domain; fails when it is gone or cannot be introspected.
    pub(super) fn info(&self) -> Result<DomainInfo> {
        let mut info = sys::xc_domaininfo_t::default();
        self.call("xc_domain_getinfo_single", |xc, id| {
            // SAFETY: `info` is written, and only it.
            unsafe { sys::xc_domain_getinfo_single(xc, id, &mut info) }
        })?;
        if info.flags & (sys::XEN_DOMINF_dying | sys::XEN_DOMINF_shutdown) != 0 {
            return Err(Error::not_found(format!(
                "domain {}: it has shut down",
                self.id
            )));
        }
        if info.flags & sys::XEN_DOMINF_hvm_guest == 0 {
            return Err(Error::not_supported(format!(
                "domain {}: it is paravirtualised; HVM and PVH guests can be introspected",
                self.id
            )));
        }
        Ok(DomainInfo {
            pages: info.tot_pages,
            max_memory: info.max_pages.saturating_mul(KIB_PER_PAGE),
            vcpus: u16::try_from(info.max_vcpu_id.saturating_add(1)).unwrap_or(u16::MAX),
            uuid: info.handle,
        })
    }

    /// Stops all processors; returns when they stand. Xen counts.
    pub(super) fn pause(&self) -> Result<()> {
        self.call("xc_domain_pause", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_domain_pause(xc, id) }
        })?;
        Ok(())
    }

    /// Undoes one [`Domain::pause`].
    pub(super) fn unpause(&self) -> Result<()> {
        self.call("xc_domain_unpause", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_domain_unpause(xc, id) }
        })?;
        Ok(())
    }

    /// Highest frame number in use.
    pub(super) fn max_gfn(&self) -> Result<Gfn> {
        let mut gfn = 0;
        self.call("xc_domain_maximum_gpfn", |xc, id| {
            // SAFETY: `gfn` is written.
            unsafe { sys::xc_domain_maximum_gpfn(xc, id, &mut gfn) }
        })?;
        Ok(Gfn(gfn))
    }

    /// Sets the limit of its memory, in KiB.
    pub(super) fn set_max_memory(&self, kib: u64) -> Result<()> {
        self.call("xc_domain_setmaxmem", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_domain_setmaxmem(xc, id, kib) }
        })?;
        Ok(())
    }

    /// Puts a fresh frame at `gfn`.
    pub(super) fn populate(&self, gfn: Gfn) -> Result<()> {
        let mut frame = gfn.0;
        self.call("xc_domain_populate_physmap_exact", |xc, id| {
            // SAFETY: one extent is passed and one counted.
            unsafe { sys::xc_domain_populate_physmap_exact(xc, id, 1, 0, 0, &mut frame) }
        })?;
        Ok(())
    }

    /// Takes the frame at `gfn` away.
    pub(super) fn depopulate(&self, gfn: Gfn) -> Result<()> {
        let mut frame = gfn.0;
        self.call("xc_domain_decrease_reservation_exact", |xc, id| {
            // SAFETY: one extent is passed and one counted.
            unsafe { sys::xc_domain_decrease_reservation_exact(xc, id, 1, 0, &mut frame) }
        })?;
        Ok(())
    }

    /// Starts or cancels single steps of one processor.
    pub(super) fn debug(&self, vcpu: u16, operation: u32) -> Result<()> {
        self.call("xc_domain_debug_control", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_domain_debug_control(xc, id, operation, u32::from(vcpu)) }
        })?;
        Ok(())
    }

    /// Has one processor of a paused domain stay behind when the others go on, or
    /// takes that back. libxenctrl has no call for it.
    pub(super) fn hold(&self, vcpu: u16, held: bool) -> Result<()> {
        let mut operation = self.operation(match held {
            true => sys::XEN_DOMCTL_gdbsx_pausevcpu,
            false => sys::XEN_DOMCTL_gdbsx_unpausevcpu,
        })?;
        operation.u.gdbsx_pauseunp_vcpu.vcpu = vcpu.into();
        let held = self.attempt(|xc, _| {
            // SAFETY: the operation is whole and of the bindings' interface version, which Xen checks.
            unsafe { sys::xc_domctl(xc, &mut operation) }
        });
        held.map_err(|cause| match cause.raw_os_error() {
            Some(libc::ENOSYS | libc::EOPNOTSUPP) => {
                Error::not_supported("holding single processors: this Xen was built without GDBSX")
            }
            _ => explained("XEN_DOMCTL_gdbsx_pausevcpu", &cause),
        })
    }

    /// Major and minor version of Xen.
    pub(super) fn xen_version(&self) -> Result<(u16, u16)> {
        let version = self.call("xc_version", |xc, _| {
            // SAFETY: XENVER_version takes no memory.
            unsafe { sys::xc_version(xc, sys::XENVER_version as c_int, std::ptr::null_mut()) }
        })?;
        Ok(((version >> 16) as u16, version as u16))
    }

    /// An operation on this domain that libxenctrl has no call for.
    fn operation(&self, command: u32) -> Result<sys::xen_domctl> {
        let domain =
            u16::try_from(self.id).map_err(|_| Error::not_found(format!("domain {}", self.id)))?;
        Ok(sys::xen_domctl {
            cmd: command,
            interface_version: sys::XEN_DOMCTL_INTERFACE_VERSION,
            domain,
            ..Default::default()
        })
    }

    /// Are alternative views on? Fails where Xen or the domain lacks them.
    pub(super) fn views_on(&self) -> Result<bool> {
        let mut on = false;
        self.call("xc_altp2m_get_domain_state", |xc, id| {
            // SAFETY: `on` is written with 0 or 1.
            unsafe { sys::xc_altp2m_get_domain_state(xc, id, &mut on) }
        })?;
        Ok(on)
    }

    /// Switches alternative views on or off; off destroys all of them.
    pub(super) fn set_views(&self, on: bool) -> Result<()> {
        self.call("xc_altp2m_set_domain_state", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_altp2m_set_domain_state(xc, id, on) }
        })?;
        Ok(())
    }

    /// Destroys a view; EBUSY while a processor is in it.
    pub(super) fn destroy_view(&self, view: u16) -> Result<()> {
        self.call("xc_altp2m_destroy_view", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_altp2m_destroy_view(xc, id, view) }
        })?;
        Ok(())
    }

    /// Moves all processors into `view`.
    pub(super) fn switch_view(&self, view: u16) -> Result<()> {
        self.call("xc_altp2m_switch_to_view", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_altp2m_switch_to_view(xc, id, view) }
        })?;
        Ok(())
    }

    /// Enables the monitor: its ring page, and the remote port to bind.
    pub(super) fn enable_monitor(&self) -> Result<(Mapping, u32)> {
        let mut port = 0;
        // SAFETY: `port` is written.
        let page = unsafe { sys::xc_monitor_enable(self.interface.raw(), self.id, &mut port) };
        Ok((Mapping::adopt("xc_monitor_enable", page, 1)?, port))
    }

    /// Disables the monitor and all that it reports.
    pub(super) fn disable_monitor(&self) -> Result<()> {
        self.call("xc_monitor_disable", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_monitor_disable(xc, id) }
        })?;
        Ok(())
    }

    /// Has Xen wait for the answer before it carries out a monitored register write,
    /// so that the write can be denied. libxenctrl has no call for it.
    pub(super) fn control_registers(&self) -> Result<()> {
        let mut operation = self.operation(sys::XEN_DOMCTL_monitor_op)?;
        operation.u.monitor_op.op = sys::XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS;
        self.call("XEN_DOMCTL_MONITOR_OP_CONTROL_REGISTERS", |xc, _| {
            // SAFETY: the operation is whole and of the bindings' interface version, which Xen checks.
            unsafe { sys::xc_domctl(xc, &mut operation) }
        })?;
        Ok(())
    }

    /// Reads one record of a processor's saved state into `record`.
    pub(super) fn save_record<T>(&self, kind: u16, vcpu: u16, record: &mut T) -> Result<()> {
        let size = u32::try_from(size_of::<T>()).unwrap_or(0);
        let target: *mut T = record;
        self.call("xc_domain_hvm_getcontext_partial", |xc, id| {
            // SAFETY: Xen writes at most `size` bytes, integers all.
            unsafe {
                sys::xc_domain_hvm_getcontext_partial(xc, id, kind, vcpu, target.cast(), size)
            }
        })?;
        Ok(())
    }

    /// The domain's whole saved state, devices included.
    pub(super) fn save_all(&self) -> Result<Vec<u8>> {
        let size = self.call("xc_domain_hvm_getcontext", |xc, id| {
            // SAFETY: without a buffer, Xen only tells the size.
            unsafe { sys::xc_domain_hvm_getcontext(xc, id, ptr::null_mut(), 0) }
        })?;
        let mut image = vec![0; size.unsigned_abs() as usize];
        let size = self.call("xc_domain_hvm_getcontext", |xc, id| {
            // SAFETY: at most `size` bytes are written.
            unsafe {
                sys::xc_domain_hvm_getcontext(xc, id, image.as_mut_ptr(), size.unsigned_abs())
            }
        })?;
        image.truncate(size.unsigned_abs() as usize);
        Ok(image)
    }

    /// Loads saved state: a header, records, an end.
    pub(super) fn load_records(&self, image: &mut [u8]) -> Result<()> {
        let size = u32::try_from(image.len()).unwrap_or(0);
        self.call("xc_domain_hvm_setcontext", |xc, id| {
            // SAFETY: `size` bytes are read.
            unsafe { sys::xc_domain_hvm_setcontext(xc, id, image.as_mut_ptr(), size) }
        })?;
        Ok(())
    }

    /// The version of events that the hypervisor speaks.
    pub(super) fn event_version(&self) -> Result<c_int> {
        self.call("xc_vm_event_get_version", |xc, _| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_vm_event_get_version(xc) }
        })
    }
}
