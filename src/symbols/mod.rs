//! Symbols of Windows modules.
//!
//! A [`Store`] finds a module's symbols by its [`PdbId`], as an ISR archive, a
//! Volatility ISF table or a PDB; a [`Profile`] answers questions about them.

mod archive;
mod cache;
mod check;
mod guard;
mod isf;
mod layout;
mod pdb;
mod pdb_id;
mod places;
mod profile;
mod registry;
#[cfg(feature = "symbol-server")]
mod server;
mod store;
mod tables;

/// Microsoft's public symbol server.
pub const MICROSOFT_SERVER: &str = "https://msdl.microsoft.com/download/symbols";

pub use self::{
    cache::default_cache,
    isf::read_isf,
    layout::{Bits, FieldInfo, extract},
    pdb_id::PdbId,
    places::SymbolPath,
    profile::Profile,
    store::Store,
};
