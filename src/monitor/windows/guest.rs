//! Whom a stopped processor runs, in the eyes of the Windows kernel.

use std::sync::Arc;

use crate::{
    core::{
        Pa, Source, Va,
        driver::{Event, MemoryAccess},
    },
    error::{Error, FaultKind, Result},
    log::Log,
    monitor::guest::{Guest, Identity, ProcessIdentity, ThreadIdentity},
    os::windows::{Process, Region, RegionProtection, Thread},
    session::Session,
};

/// The Windows kernel of a session.
pub struct WindowsGuest {
    session: Arc<Session>,
}

impl WindowsGuest {
    /// The guest of `session`.
    pub const fn new(session: Arc<Session>) -> Self {
        Self { session }
    }
}

/// A process as it is told from later ones at the same address.
pub fn process_identity(process: &Process<'_>) -> Result<ProcessIdentity> {
    Ok(ProcessIdentity {
        object: process.object(),
        id: process.id()?,
        created: process.create_time()?.0,
    })
}

/// A thread as it is told from later ones at the same address.
pub fn thread_identity(thread: &Thread<'_>) -> Result<ThreadIdentity> {
    Ok(ThreadIdentity {
        object: thread.object(),
        id: thread.id()?,
        created: thread.create_time()?.0,
    })
}

impl Guest for WindowsGuest {
    fn stopped(&self) {
        self.session.memory().flush();
    }

    fn log(&self) -> Log {
        self.session.log().clone()
    }

    fn identify(&self, event: &Event) -> Result<Identity> {
        let windows = self.session.windows()?;
        let mut buffer = [0; Thread::SNAPSHOT];
        let thread = windows.current_thread(&event.registers)?;
        let thread = thread.with_copy(&mut buffer);
        let process = process_identity(&thread.process()?)?;
        let attached = thread.current_process()?;
        Ok(Identity {
            process,
            attached: attached.map_or(process.object, |attached| attached.object()),
            thread: thread_identity(&thread)?,
        })
    }

    fn processes(&self) -> Result<Vec<Va>> {
        let processes = self.session.windows()?.processes();
        // A gap hides no more than the processes behind it.
        Ok(processes.flatten().map(|it| it.object()).collect())
    }

    fn process(&self, object: Va) -> Result<ProcessIdentity> {
        process_identity(&self.session.windows()?.process(object))
    }

    fn image_name(&self, process: Va) -> Result<String> {
        self.session.windows()?.process(process).name()
    }

    fn parent(&self, child: &ProcessIdentity) -> Result<Option<ProcessIdentity>> {
        let windows = self.session.windows()?;
        let id = windows.process(child.object).parent_id()?;
        let parent = match windows.process_by_id(id) {
            Ok(parent) => process_identity(&parent)?,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        // An id that was used again belongs to somebody younger than the child.
        Ok((parent.created <= child.created).then_some(parent))
    }

    fn may_fault(
        &self,
        identity: &Identity,
        root: Pa,
        va: Va,
        access: MemoryAccess,
    ) -> Result<bool> {
        let described = match self.session.memory().translate(root, va) {
            Ok(translation) if translation.source == Source::Hardware => return Ok(false),
            Ok(_) => true,
            Err(Error::Fault(fault)) => is_described(fault.kind),
            Err(error) => return Err(error),
        };
        if va.0 >> 63 != 0 {
            return Ok(described);
        }
        let process = self.session.windows()?.process(identity.attached);
        match process.region(va)? {
            Some(region) => allows(&region, described, access),
            None => Ok(false),
        }
    }
}

/// Does the page-table entry say where the page is?
const fn is_described(kind: FaultKind) -> bool {
    matches!(
        kind,
        FaultKind::Transition
            | FaultKind::DemandZero
            | FaultKind::Prototype
            | FaultKind::Pagefile { .. }
            | FaultKind::Compressed
    )
}

/// Would Windows bring the page in for such an access?
fn allows(region: &Region<'_>, described: bool, access: MemoryAccess) -> Result<bool> {
    let protection: RegionProtection = region.protection()?;
    if protection.denies_all() || protection.is_guard() {
        return Ok(false);
    }
    if access.contains(MemoryAccess::WRITE) && !protection.allows_write() {
        return Ok(false);
    }
    // Private memory may be reserved without being committed.
    Ok(described || !region.is_private()? || region.is_committed()?)
}
