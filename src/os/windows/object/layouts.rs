//! Field offsets of the structures of the object manager.

use super::{
    alpc_port, attributes, device, device_map, directory, dispatcher, driver, file, key,
    key_control_block, mutant, name, object_type, section, semaphore, symbolic_link, timer,
};
use crate::{error::Result, os::windows::layouts::missing, symbols::Profile};

/// Offsets of every structure that objects are read by.
pub(in crate::os::windows) struct Layouts {
    pub(super) header: super::Layout,
    pub(super) object_type: object_type::Layout,
    pub(super) name: name::Layout,
    pub(super) directory: directory::Layout,
    pub(super) symbolic_link: symbolic_link::Layout,
    pub(super) device_map: device_map::Layout,
    pub(super) file: file::Layout,
    pub(super) device: device::Layout,
    pub(super) driver: driver::Layout,
    pub(super) key: key::Layout,
    pub(super) key_control_block: key_control_block::Layout,
    pub(super) alpc_port: alpc_port::Layout,
    pub(super) dispatcher: dispatcher::Layout,
    pub(super) mutant: mutant::Layout,
    pub(super) semaphore: semaphore::Layout,
    pub(super) timer: timer::Layout,
    pub(super) attributes: attributes::Layout,
    pub(super) section: section::Layout,
}

impl Layouts {
    pub(in crate::os::windows) fn new(profile: &Profile) -> Result<Self> {
        let isr = profile.isr();
        Ok(Self {
            header: super::Layout::new(isr).map_err(missing)?,
            object_type: object_type::Layout::new(isr).map_err(missing)?,
            name: name::Layout::new(isr).map_err(missing)?,
            directory: directory::Layout::new(isr).map_err(missing)?,
            symbolic_link: symbolic_link::Layout::new(isr).map_err(missing)?,
            device_map: device_map::Layout::new(isr).map_err(missing)?,
            file: file::Layout::new(isr).map_err(missing)?,
            device: device::Layout::new(isr).map_err(missing)?,
            driver: driver::Layout::new(isr).map_err(missing)?,
            key: key::Layout::new(isr).map_err(missing)?,
            key_control_block: key_control_block::Layout::new(isr).map_err(missing)?,
            alpc_port: alpc_port::Layout::new(isr).map_err(missing)?,
            dispatcher: dispatcher::Layout::new(isr).map_err(missing)?,
            mutant: mutant::Layout::new(isr).map_err(missing)?,
            semaphore: semaphore::Layout::new(isr).map_err(missing)?,
            timer: timer::Layout::new(isr).map_err(missing)?,
            attributes: attributes::Layout::new(isr).map_err(missing)?,
            section: section::Layout::new(isr)?,
        })
    }
}
