//! Hooks of a running Windows guest: the monitor bound to a session.

mod guest;
mod places;

use std::sync::Arc;

pub use self::{
    guest::{WindowsGuest, process_identity, thread_identity},
    places::target_of,
};
use super::{Landmarks, LiveGuest};
use crate::{
    arch::amd64::{PagingMode, dtb_to_root},
    core::Va,
    error::Result,
    session::Session,
};

/// Prepares to hook the guest of a session.
///
/// Without the kernel's symbols, hooks work that concern everybody and are
/// inserted by address.
///
/// # Errors
/// [`crate::Error::NotSupported`] when the back end cannot stop a guest at events.
pub fn live_guest(session: &Arc<Session>) -> Result<LiveGuest> {
    let registers = session.registers(0)?;
    let levels = PagingMode::from_registers(&registers).walker()?.levels();
    let root = session.kernel().map(|kernel| kernel.root);
    let symbol = |name| -> Option<Va> { session.windows().ok()?.symbol(name).ok() };
    let landmarks = Landmarks {
        kernel_root: root.unwrap_or_else(|_| dtb_to_root(registers.cr3)),
        thread_exit: symbol("PspExitThread"),
        process_created: symbol("PspInsertProcess"),
        image_mapped: ["DbgkMapViewOfSection", "PsCallImageNotifyRoutines"].map(symbol),
        module_listed: symbol("MiProcessLoaderEntry"),
        process_ended: symbol("MmCleanProcessAddressSpace"),
    };
    let guest = Arc::new(WindowsGuest::new(Arc::clone(session)));
    LiveGuest::new(Arc::clone(session.memory()), guest, landmarks, levels)
}
