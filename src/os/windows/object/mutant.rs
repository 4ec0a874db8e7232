//! `_KMUTANT`: mutexes.

use isr::macros::Field;

use super::{Object, dispatcher::DispatcherHeader};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Thread, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a mutant are.
    pub struct Layout {
        struct _KMUTANT {
            OwnerThread: Field,
            #[isr(alias = "Abandoned")]
            MutantFlags: Field,
        }
    }
}

/// The bit that tells of an owner that died; older systems have a whole byte for it.
const ABANDONED: u64 = 1;

/// A mutex.
#[derive(Clone, Copy)]
pub struct MutantObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
    header: DispatcherHeader<'a>,
}

impl<'a> MutantObject<'a> {
    /// The mutex whose `_KMUTANT` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
            header: DispatcherHeader::new(windows, object),
        }
    }

    fn layout(&self) -> &'a _KMUTANT {
        &self.windows.layouts.object.mutant._KMUTANT
    }

    /// The mutex as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// The thread that owns it, `None` while it is free.
    /// Corresponds to `_KMUTANT.OwnerThread`.
    pub fn owner(&self) -> Result<Option<Thread<'a>>> {
        let owner = self.record.pointer_or_none(self.layout().OwnerThread)?;
        Ok(owner.map(|owner| Thread::new(self.windows, owner)))
    }

    /// 1 while it is free, less by one for each time that its owner acquired it.
    /// Corresponds to `_KMUTANT.Header.SignalState`.
    pub fn count(&self) -> Result<i32> {
        self.header.signal_state()
    }

    /// Did an owner end without releasing it? Corresponds to `_KMUTANT.Abandoned`.
    pub fn is_abandoned(&self) -> Result<bool> {
        let flags = self.record.uint(self.layout().MutantFlags)?;
        Ok(flags & ABANDONED != 0)
    }
}
