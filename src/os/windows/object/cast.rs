//! From objects to what they are.

use super::{
    AlpcPort, DeviceObject, DirectoryObject, DriverObject, EventObject, FileObject, KeyObject,
    MutantObject, Object, ObjectKind, ObjectType, SectionObject, SemaphoreObject, SymbolicLink,
    TimerObject,
};
use crate::{
    core::Va,
    error::Result,
    os::windows::{JobObject, Process, Thread, Token, Windows},
};

impl<'a> Object<'a> {
    fn cast<T>(&self, kind: ObjectKind, new: fn(&'a Windows, Va) -> T) -> Result<Option<T>> {
        let is_kind = self.kind()? == kind;
        Ok(is_kind.then(|| new(self.windows, self.address())))
    }

    /// The object as a process, `None` when it is something else.
    pub fn as_process(&self) -> Result<Option<Process<'a>>> {
        self.cast(ObjectKind::Process, Process::new)
    }

    /// The object as a thread, `None` when it is something else.
    pub fn as_thread(&self) -> Result<Option<Thread<'a>>> {
        self.cast(ObjectKind::Thread, Thread::new)
    }

    /// The object as an open file, `None` when it is something else.
    pub fn as_file(&self) -> Result<Option<FileObject<'a>>> {
        self.cast(ObjectKind::File, FileObject::new)
    }

    /// The object as a directory, `None` when it is something else.
    pub fn as_directory(&self) -> Result<Option<DirectoryObject<'a>>> {
        self.cast(ObjectKind::Directory, DirectoryObject::new)
    }

    /// The object as an open registry key, `None` when it is something else.
    pub fn as_key(&self) -> Result<Option<KeyObject<'a>>> {
        self.cast(ObjectKind::Key, KeyObject::new)
    }

    /// The object as a symbolic link, `None` when it is something else.
    pub fn as_symbolic_link(&self) -> Result<Option<SymbolicLink<'a>>> {
        self.cast(ObjectKind::SymbolicLink, SymbolicLink::new)
    }

    /// The object as a section, `None` when it is something else.
    pub fn as_section(&self) -> Result<Option<SectionObject<'a>>> {
        self.cast(ObjectKind::Section, SectionObject::new)
    }

    /// The object as an event, `None` when it is something else.
    pub fn as_event(&self) -> Result<Option<EventObject<'a>>> {
        self.cast(ObjectKind::Event, EventObject::new)
    }

    /// The object as a mutex, `None` when it is something else.
    pub fn as_mutant(&self) -> Result<Option<MutantObject<'a>>> {
        self.cast(ObjectKind::Mutant, MutantObject::new)
    }

    /// The object as a semaphore, `None` when it is something else.
    pub fn as_semaphore(&self) -> Result<Option<SemaphoreObject<'a>>> {
        self.cast(ObjectKind::Semaphore, SemaphoreObject::new)
    }

    /// The object as a timer, `None` when it is something else.
    pub fn as_timer(&self) -> Result<Option<TimerObject<'a>>> {
        self.cast(ObjectKind::Timer, TimerObject::new)
    }

    /// The object as an ALPC port, `None` when it is something else.
    pub fn as_alpc_port(&self) -> Result<Option<AlpcPort<'a>>> {
        self.cast(ObjectKind::AlpcPort, AlpcPort::new)
    }

    /// The object as a driver, `None` when it is something else.
    pub fn as_driver(&self) -> Result<Option<DriverObject<'a>>> {
        self.cast(ObjectKind::Driver, DriverObject::new)
    }

    /// The object as a device, `None` when it is something else.
    pub fn as_device(&self) -> Result<Option<DeviceObject<'a>>> {
        self.cast(ObjectKind::Device, DeviceObject::new)
    }

    /// The object as a token, `None` when it is something else.
    pub fn as_token(&self) -> Result<Option<Token<'a>>> {
        self.cast(ObjectKind::Token, Token::new)
    }

    /// The object as a job, `None` when it is something else.
    pub fn as_job(&self) -> Result<Option<JobObject<'a>>> {
        self.cast(ObjectKind::Job, JobObject::new)
    }

    /// The object as a type, `None` when it is something else.
    pub fn as_type(&self) -> Result<Option<ObjectType<'a>>> {
        self.cast(ObjectKind::Type, ObjectType::new)
    }
}
