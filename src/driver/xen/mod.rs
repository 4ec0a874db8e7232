//! Running guests on Xen: libxenctrl and its kin, behind the feature `xen`.
//!
//! What Xen really does, and what that means for the code here, is written down
//! in `docs/XEN.md`. The crate `libxen` is used for its raw bindings only: its
//! wrappers cannot be shared between threads, close handles twice when cloned,
//! and turn unknown numbers into enums.
//!
//! [`handle`] owns the libraries' handles, [`domain`] makes the hypercalls,
//! [`memory`] maps frames, [`registers`], [`event`] and [`ring`] translate what
//! Xen writes, [`control`], [`hold`], [`views`], [`monitors`] and [`events`] are the capabilities,
//! [`injected`] knows what is still to be delivered, [`record`] and [`state`] see to it that
//! every change is undone.

#[cfg(feature = "xen")]
mod control;
#[cfg(feature = "xen")]
mod domain;
#[cfg(feature = "xen")]
mod driver;
#[cfg(feature = "xen")]
mod event;
#[cfg(feature = "xen")]
mod events;
#[cfg(feature = "xen")]
mod find;
#[cfg(feature = "xen")]
mod handle;
#[cfg(feature = "xen")]
mod hold;
#[cfg(feature = "xen")]
mod injected;
#[cfg(feature = "xen")]
mod memory;
#[cfg(feature = "xen")]
mod monitors;
#[cfg(feature = "xen")]
mod record;
#[cfg(feature = "xen")]
mod registers;
#[cfg(feature = "xen")]
mod ring;
#[cfg(feature = "xen")]
mod state;
#[cfg(feature = "xen")]
mod views;

#[cfg(feature = "xen")]
use self::driver::XenDriver;
#[cfg(feature = "xen")]
pub(super) use self::driver::open;

/// Says that this build cannot open guests on Xen.
#[cfg(not(feature = "xen"))]
pub(super) fn open(_target: &str) -> crate::error::Result<std::sync::Arc<dyn crate::core::Driver>> {
    Err(crate::error::Error::not_supported(
        "xen: targets; this build lacks the feature `xen`",
    ))
}
