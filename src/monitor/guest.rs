//! What the monitor asks of the guest's operating system.

use crate::{
    core::{
        Pa, Va,
        driver::{Event, MemoryAccess},
    },
    error::Result,
    log::Log,
};

/// A process as it is told from later ones at the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ProcessIdentity {
    /// The process object.
    pub object: Va,
    /// Its id.
    pub id: u32,
    /// Its time of creation, a FILETIME.
    pub created: u64,
}

/// A thread as it is told from later ones at the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ThreadIdentity {
    /// The thread object.
    pub object: Va,
    /// Its id.
    pub id: u32,
    /// Its time of creation, a FILETIME.
    pub created: u64,
}

/// Whom a stopped processor was running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identity {
    /// The process that owns the thread.
    pub process: ProcessIdentity,
    /// The process object whose address space the thread uses.
    pub attached: Va,
    /// The thread.
    pub thread: ThreadIdentity,
}

/// The operating system inside the guest.
pub trait Guest: Send + Sync {
    /// A processor stopped: what was learnt about the guest's memory before may
    /// be wrong by now.
    fn stopped(&self);

    /// Where to tell what happens.
    fn log(&self) -> Log {
        Log::new("")
    }

    /// Whom the stopped processor was running.
    fn identify(&self, event: &Event) -> Result<Identity>;

    /// The objects of all processes.
    fn processes(&self) -> Result<Vec<Va>>;

    /// The process whose object is at `object`.
    fn process(&self, object: Va) -> Result<ProcessIdentity>;

    /// Image file name of a process.
    fn image_name(&self, process: Va) -> Result<String>;

    /// The living process that created `process`.
    fn parent(&self, process: &ProcessIdentity) -> Result<Option<ProcessIdentity>>;

    /// May a page fault at `va` be raised in this thread without harm: does the
    /// page exist, and does its region allow the access?
    fn may_fault(
        &self,
        identity: &Identity,
        root: Pa,
        va: Va,
        access: MemoryAccess,
    ) -> Result<bool>;
}
