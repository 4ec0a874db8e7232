//! The active part: breakpoints that the guest cannot see, and the loop that serves them.

pub mod breakpoint;
mod ground;
mod machine;
pub mod page_tables;
mod patches;
mod plain;
mod rights;
mod shadow;

#[cfg(test)]
mod tests;

pub use self::{
    ground::Ground,
    machine::{Machine, Pause},
    patches::{Location, Medium, Patches, StepOver, ViewPage},
    plain::PlainPatches,
    rights::{Claim, PageRights},
    shadow::ShadowPages,
};
