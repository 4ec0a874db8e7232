//! Symbols of Windows modules: ISR profiles from ISR archives, ISF and PDB files.

mod archive;
mod check;
mod guard;
mod isf;
mod layout;
mod pdb_id;
mod profile;

use std::path::Path;

pub use self::{
    layout::{Bits, FieldInfo, extract},
    pdb_id::PdbId,
    profile::Profile,
};
use crate::error::Result;

/// Reads the profile in an ISF file (`.json`, `.json.xz`).
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) when the file cannot be read,
/// [`Error::Format`](crate::Error::Format) when it is damaged.
pub fn read_isf(path: &Path) -> Result<Profile> {
    isf::read(path)
}

/// Reads the profile in an ISR archive; the archive itself does not say whose
/// symbols it holds.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) when the file cannot be read,
/// [`Error::Format`](crate::Error::Format) when it is damaged.
pub fn read_isr(id: PdbId, path: &Path) -> Result<Profile> {
    Profile::from_bytes(id, archive::read(path)?)
}
