//! The driver itself: opening, facts, and leaving the guest as it was found.

use std::sync::{Arc, Mutex};

use super::{
    domain::{Domain, DomainInfo},
    events::Reporting,
    find,
    handle::{DeviceModel, ForeignMemory},
    hold::Alone,
    injected::Injected,
    memory::Memory,
    registers,
    state::{State, take_record},
};
use crate::{
    core::{
        Driver, PAGE_SIZE, Registers,
        driver::{Capabilities, Control, DriverInfo, Events, PhysicalMemory, VcpuRegisters, Views},
    },
    error::Result,
};

/// A running guest on Xen.
pub(super) struct XenDriver {
    pub(super) memory: Memory,
    pub(super) model: DeviceModel,
    pub(super) info: DomainInfo,
    pub(super) reporting: Reporting,
    pub(super) state: Mutex<State>,
    pub(super) alone: Alone,
    pub(super) injected: Injected,
    pub(super) domain: Domain,
    has_views: bool,
    /// What a killed process had left, and opening undid.
    recovered: Option<String>,
}

/// Opens the guest that `target` names: a domain's name or number, or several of
/// them separated by commas, of which the first that runs is taken.
///
/// What a killed process left changed in the guest is restored first.
pub(in crate::driver) fn open(target: &str) -> Result<Arc<dyn Driver>> {
    let (domain, info) = find::find(target)?;
    // Released again: only who changes the domain keeps its record.
    let recovered = take_record(&domain, &info)?.and_then(|(_, restored)| restored);
    let memory = Memory::new(ForeignMemory::open()?, domain.id(), domain.max_gfn()?);
    Ok(Arc::new(XenDriver {
        memory,
        model: DeviceModel::open()?,
        reporting: Reporting::default(),
        state: Mutex::default(),
        alone: Alone::default(),
        injected: Injected::default(),
        has_views: domain.views_on().is_ok(),
        domain,
        info,
        recovered,
    }))
}

impl Driver for XenDriver {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "xen",
            format: "",
            vcpus: self.info.vcpus,
            memory_size: self.info.pages.saturating_mul(PAGE_SIZE),
        }
    }

    fn recovered(&self) -> Option<&str> {
        self.recovered.as_deref()
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::PHYSICAL_READ
            | Capabilities::WRITE
            | Capabilities::REGISTERS
            | Capabilities::SET_REGISTERS
            | Capabilities::LIVE
            | Capabilities::CONTROL
            | Capabilities::EVENTS;
        capabilities.set(Capabilities::VIEWS, self.has_views);
        capabilities
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(&self.memory)
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        Some(self)
    }

    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }

    fn views(&self) -> Option<&dyn Views> {
        self.has_views.then_some(self as &dyn Views)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(self)
    }
}

impl VcpuRegisters for XenDriver {
    fn get(&self, vcpu: u16) -> Result<Registers> {
        registers::load(&self.domain, vcpu)
    }

    fn set(&self, vcpu: u16, registers: &Registers) -> Result<()> {
        self.pause()?;
        let stored = registers::store(&self.domain, vcpu, registers);
        stored.and(self.resume())
    }
}

impl Drop for XenDriver {
    /// What could not be undone stays in the record, for the next open.
    fn drop(&mut self) {
        let _ = self.leave();
    }
}
