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
mod store;
mod tables;

pub use self::{
    cache::default_cache,
    isf::read_isf,
    layout::{Bits, FieldInfo, extract},
    pdb_id::PdbId,
    places::{environment_stores, local_stores},
    profile::Profile,
    store::Store,
};
