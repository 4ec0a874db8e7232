//! `_DISPATCHER_HEADER`: what threads can wait for.

use isr::macros::{Bitfield, Field};

use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a dispatcher header are.
    pub struct Layout {
        struct _DISPATCHER_HEADER {
            Type: Field,
            SignalState: Field,
            Inserted: Bitfield,
        }
    }
}

/// The highest bit of the type is a lock on later systems.
const TYPE_BITS: u8 = 0x7f;

/// The header of an object that threads can wait for; its first bytes.
#[derive(Clone, Copy)]
pub(super) struct DispatcherHeader<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> DispatcherHeader<'a> {
    pub(super) fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a _DISPATCHER_HEADER {
        &self.windows.layouts.object.dispatcher._DISPATCHER_HEADER
    }

    /// Corresponds to `_DISPATCHER_HEADER.Type` (`KOBJECTS`).
    pub(super) fn type_number(&self) -> Result<u8> {
        let [number] = self.record.bytes(self.layout().Type)?;
        Ok(number & TYPE_BITS)
    }

    /// Corresponds to `_DISPATCHER_HEADER.SignalState`.
    pub(super) fn signal_state(&self) -> Result<i32> {
        let state = self.record.uint32(self.layout().SignalState)?;
        Ok(state.cast_signed())
    }

    /// Is the timer in a queue? Corresponds to `_DISPATCHER_HEADER.Inserted`.
    pub(super) fn is_inserted(&self) -> Result<bool> {
        self.record.bits(self.layout().Inserted).map(|bit| bit != 0)
    }
}
