//! `_ETIMER` and the `_KTIMER` inside it.

use isr::macros::Field;

use super::{Object, dispatcher::DispatcherHeader, event::ResetMode};
use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a timer are.
    pub struct Layout {
        struct _KTIMER {
            DueTime: Field,
        }

        struct _ETIMER {
            KeTimer: Field,
            Period: Field,
        }
    }
}

/// `TimerNotificationObject` of `KOBJECTS`.
const NOTIFICATION: u8 = 8;

/// A timer.
#[derive(Clone, Copy)]
pub struct TimerObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
    header: DispatcherHeader<'a>,
}

impl<'a> TimerObject<'a> {
    /// The timer whose `_ETIMER` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
            header: DispatcherHeader::new(windows, object),
        }
    }

    fn layout(&self) -> &'a Layout {
        &self.windows.layouts.object.timer
    }

    /// The timer as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// How waiting resets it. Corresponds to `_ETIMER.KeTimer.Header.Type`.
    pub fn reset_mode(&self) -> Result<ResetMode> {
        let number = self.header.type_number()?;
        Ok(ResetMode::of(number, NOTIFICATION))
    }

    /// Has it run out? Corresponds to `_ETIMER.KeTimer.Header.SignalState`.
    pub fn is_signalled(&self) -> Result<bool> {
        self.header.signal_state().map(|state| state > 0)
    }

    /// Does it run? Corresponds to `_ETIMER.KeTimer.Header.Inserted`.
    pub fn is_running(&self) -> Result<bool> {
        self.header.is_inserted()
    }

    /// When it runs out, in 100-nanosecond intervals since the system started.
    /// Corresponds to `_ETIMER.KeTimer.DueTime`.
    pub fn due_time(&self) -> Result<u64> {
        let timer = self.record.embedded(self.layout()._ETIMER.KeTimer);
        timer.uint(self.layout()._KTIMER.DueTime)
    }

    /// Interval in milliseconds, 0 for a timer that runs once.
    /// Corresponds to `_ETIMER.Period`.
    pub fn period(&self) -> Result<u32> {
        self.record.uint32(self.layout()._ETIMER.Period)
    }
}
