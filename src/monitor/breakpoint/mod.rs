//! Breakpoints: who wants to stop where, in which address space.

mod book;
mod follow;
mod manager;
mod removal;

pub use self::manager::{BreakpointManager, Hit, Inserted};
use super::page_tables::WatchedPage;
use crate::core::{Pa, Va, driver::ViewId};

/// Names the owner of breakpoints; chosen by the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// In which address spaces a breakpoint counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// In the one that it was inserted in.
    Root,
    /// In every one that reaches the same byte.
    Global,
}

/// A breakpoint as its owner asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breakpoint {
    /// View to stop in.
    pub view: ViewId,
    /// Root of the address space that gives `va` its meaning.
    pub root: Pa,
    /// First byte of the instruction.
    pub va: Va,
    /// The owner.
    pub key: Key,
    /// A value of the owner's that comes back with each hit.
    pub tag: u64,
    /// Where it counts.
    pub reach: Reach,
}

impl Breakpoint {
    const fn page(&self) -> WatchedPage {
        WatchedPage::new(self.view, self.root, self.va)
    }
}
