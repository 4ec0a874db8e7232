//! Switching monitors: what Xen reports.

use std::{
    collections::HashSet,
    ffi::c_int,
    sync::{MutexGuard, PoisonError},
};

use xen::sys;

use super::XenDriver;
use crate::{
    core::driver::Monitor,
    error::{Error, Result},
};

/// A monitor that is on or off, without more to say.
type Switch = unsafe extern "C" fn(*mut sys::xc_interface, u32, bool) -> c_int;

impl XenDriver {
    /// The monitors that the caller has enabled.
    pub(super) fn enabled(&self) -> MutexGuard<'_, HashSet<Monitor>> {
        let enabled = &self.reporting.enabled;
        enabled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has Xen report, or no longer report.
    pub(super) fn set_monitor(&self, monitor: Monitor, on: bool) -> Result<()> {
        match monitor {
            Monitor::Interrupt(3) => self.switch(sys::xc_monitor_software_breakpoint, on),
            Monitor::Interrupt(1) => self.report_debug_exceptions(on),
            Monitor::Interrupt(vector) => Err(Error::not_supported(format!(
                "monitoring of vector {vector}: Xen reports 1 and 3"
            ))),
            Monitor::ControlRegister(0) => self.report_register(sys::VM_EVENT_X86_CR0, on),
            Monitor::ControlRegister(3) => self.report_register(sys::VM_EVENT_X86_CR3, on),
            Monitor::ControlRegister(4) => self.report_register(sys::VM_EVENT_X86_CR4, on),
            Monitor::ControlRegister(register) => Err(Error::not_supported(format!(
                "monitoring of CR{register}: Xen reports 0, 3 and 4"
            ))),
            Monitor::Xcr0 => self.report_register(sys::VM_EVENT_X86_XCR0, on),
            Monitor::Msr(index) => self.report_msr(index, on),
            Monitor::CpuId => self.switch(sys::xc_monitor_cpuid, on),
            // Stays on with the ring: a processor whose step is under way when it goes off
            // is never released from stepping. It reports nothing by itself.
            Monitor::SingleStep if !on => Ok(()),
            Monitor::SingleStep => self.switch(sys::xc_monitor_singlestep, true),
            Monitor::Hypercall => self.report_requests(on),
            Monitor::Io => self.switch(sys::xc_monitor_io, on),
        }
    }

    /// Disables every monitor that was enabled; the ring stays.
    pub(super) fn disable_monitors(&self) -> Result<()> {
        let enabled: Vec<Monitor> = self.enabled().drain().collect();
        let mut result = Ok(());
        for monitor in enabled {
            result = result.and(self.set_monitor(monitor, false));
        }
        result
    }

    fn switch(&self, switch: Switch, on: bool) -> Result<()> {
        self.domain.call("xc_monitor", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { switch(xc, id, on) }
        })?;
        Ok(())
    }

    fn report_debug_exceptions(&self, on: bool) -> Result<()> {
        self.domain.call("xc_monitor_debug_exceptions", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_monitor_debug_exceptions(xc, id, on, true) }
        })?;
        Ok(())
    }

    /// Writes that change the register, before they are made.
    fn report_register(&self, index: u32, on: bool) -> Result<()> {
        self.domain.call("xc_monitor_write_ctrlreg", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_monitor_write_ctrlreg(xc, id, index as u16, on, true, 0, true) }
        })?;
        Ok(())
    }

    /// All writes, those of the old value included.
    fn report_msr(&self, index: u32, on: bool) -> Result<()> {
        self.domain.call("xc_monitor_mov_to_msr", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_monitor_mov_to_msr(xc, id, index, on, false) }
        })?;
        Ok(())
    }

    /// Requests by the guest's kernel; its user mode is not heard.
    fn report_requests(&self, on: bool) -> Result<()> {
        self.domain.call("xc_monitor_guest_request", |xc, id| {
            // SAFETY: no memory is passed.
            unsafe { sys::xc_monitor_guest_request(xc, id, on, true, false) }
        })?;
        Ok(())
    }
}
