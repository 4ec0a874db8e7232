//! Field offsets of the structures of the object manager.

use super::{attributes, directory, file, key, key_control_block, name, object_type};
use crate::{error::Result, os::windows::layouts::missing, symbols::Profile};

/// Offsets of every structure that objects are read by.
pub(in crate::os::windows) struct Layouts {
    pub(super) header: super::Layout,
    pub(super) object_type: object_type::Layout,
    pub(super) name: name::Layout,
    pub(super) directory: directory::Layout,
    pub(super) file: file::Layout,
    pub(super) key: key::Layout,
    pub(super) key_control_block: key_control_block::Layout,
    pub(super) attributes: attributes::Layout,
}

impl Layouts {
    pub(in crate::os::windows) fn new(profile: &Profile) -> Result<Self> {
        let isr = profile.isr();
        Ok(Self {
            header: super::Layout::new(isr).map_err(missing)?,
            object_type: object_type::Layout::new(isr).map_err(missing)?,
            name: name::Layout::new(isr).map_err(missing)?,
            directory: directory::Layout::new(isr).map_err(missing)?,
            file: file::Layout::new(isr).map_err(missing)?,
            key: key::Layout::new(isr).map_err(missing)?,
            key_control_block: key_control_block::Layout::new(isr).map_err(missing)?,
            attributes: attributes::Layout::new(isr).map_err(missing)?,
        })
    }
}
