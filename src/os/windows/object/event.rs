//! `_KEVENT`.

use super::{Object, dispatcher::DispatcherHeader};
use crate::{core::Va, error::Result, os::windows::Windows};

/// How waiting resets an event or a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetMode {
    /// It stays signalled until it is reset (a notification).
    Manual,
    /// It releases one waiter and resets itself (a synchronization).
    Auto,
    /// Any other number: damaged.
    Unknown(u8),
}

impl ResetMode {
    /// From the type number of a dispatcher header; `manual` is the number of
    /// the notification form, which that of the other form follows.
    pub(super) const fn of(number: u8, manual: u8) -> Self {
        match number.checked_sub(manual) {
            Some(0) => Self::Manual,
            Some(1) => Self::Auto,
            _ => Self::Unknown(number),
        }
    }
}

/// `EventNotificationObject` of `KOBJECTS`.
const NOTIFICATION: u8 = 0;

/// An event.
#[derive(Clone, Copy)]
pub struct EventObject<'a> {
    object: Object<'a>,
    header: DispatcherHeader<'a>,
}

impl<'a> EventObject<'a> {
    /// The event whose `_KEVENT` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            object: Object::new(windows, object),
            header: DispatcherHeader::new(windows, object),
        }
    }

    /// The event as an object.
    pub const fn object(&self) -> Object<'a> {
        self.object
    }

    /// How waiting resets it. Corresponds to `_KEVENT.Header.Type`.
    pub fn reset_mode(&self) -> Result<ResetMode> {
        let number = self.header.type_number()?;
        Ok(ResetMode::of(number, NOTIFICATION))
    }

    /// Is it set? Corresponds to `_KEVENT.Header.SignalState`.
    pub fn is_signalled(&self) -> Result<bool> {
        self.header.signal_state().map(|state| state > 0)
    }
}
