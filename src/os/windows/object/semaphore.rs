//! `_KSEMAPHORE`.

use isr::macros::Field;

use super::{Object, dispatcher::DispatcherHeader};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a semaphore are.
    pub struct Layout {
        struct _KSEMAPHORE {
            Limit: Field,
        }
    }
}

/// A semaphore.
#[derive(Clone, Copy)]
pub struct SemaphoreObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
    header: DispatcherHeader<'a>,
}

impl<'a> SemaphoreObject<'a> {
    /// The semaphore whose `_KSEMAPHORE` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
            header: DispatcherHeader::new(windows, object),
        }
    }

    /// The semaphore as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// How many more waits it lets pass. Corresponds to `_KSEMAPHORE.Header.SignalState`.
    pub fn count(&self) -> Result<i32> {
        self.header.signal_state()
    }

    /// The highest count. Corresponds to `_KSEMAPHORE.Limit`.
    pub fn limit(&self) -> Result<i32> {
        let layout = &self.windows.layouts.object.semaphore._KSEMAPHORE;
        self.record.uint32(layout.Limit).map(u32::cast_signed)
    }
}
