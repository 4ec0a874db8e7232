//! Builds Windows guest memory from real kernel layouts.

pub mod isf;
mod layout;
mod profile;

pub use layout::{KERNEL_PDB, Layout, LayoutFacts, UnknownLayout};
pub use profile::{FieldRef, Profile};
