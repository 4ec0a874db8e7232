//! `wvmi_space`: which address space an address belongs to.

use super::{ffi::Plain, session::Shared};
use crate::{
    core::{Pa, Space, Va},
    error::{Error, Result},
};

/// Kind of an address space; one of the `WVMI_SPACE_*` numbers.
pub type wvmi_space_kind = u32;

/// The kernel's space; `wvmi_space.value` is not used. The default.
pub const WVMI_SPACE_KERNEL: wvmi_space_kind = 0;
/// The space of the process whose object is `wvmi_space.value`, as the kernel
/// sees it: user and kernel addresses.
pub const WVMI_SPACE_PROCESS: wvmi_space_kind = 1;
/// The space of the process whose object is `wvmi_space.value`, as its own code
/// sees it: without most of the kernel where KVA shadow is on.
pub const WVMI_SPACE_PROCESS_USER: wvmi_space_kind = 2;
/// The space of the page-table root at physical address `wvmi_space.value`.
pub const WVMI_SPACE_ROOT: wvmi_space_kind = 3;
/// Guest physical memory; `wvmi_space.value` is not used.
pub const WVMI_SPACE_PHYSICAL: wvmi_space_kind = 4;

/// An address space, passed by value: `{0}` is the kernel's.
///
/// A process space looks its root up in the process object with every call;
/// `wvmi_process_root()` and `WVMI_SPACE_ROOT` save that in hot loops.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_space {
    /// One of the `WVMI_SPACE_*` numbers.
    pub kind: wvmi_space_kind,
    /// What the kind needs: a process object or a physical address, else 0.
    pub value: u64,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_space {}

impl Shared {
    /// The engine's space for a caller's.
    #[inline]
    pub fn space(&self, space: wvmi_space) -> Result<Space> {
        match space.kind {
            WVMI_SPACE_KERNEL => self.engine().kernel_space(),
            WVMI_SPACE_PHYSICAL => {
                let physical = self.engine().memory().physical();
                physical.map(|_| Space::Physical)
            }
            WVMI_SPACE_ROOT => Ok(Space::Virtual {
                root: Pa(space.value),
            }),
            _ => self.process_space(space),
        }
    }

    #[inline(never)]
    fn process_space(&self, space: wvmi_space) -> Result<Space> {
        let windows = self.engine().windows();
        match space.kind {
            WVMI_SPACE_PROCESS => windows?.process(Va(space.value)).space(),
            WVMI_SPACE_PROCESS_USER => {
                let root = windows?.process(Va(space.value)).user_translation_root()?;
                Ok(Space::Virtual { root })
            }
            _ => Err(Error::invalid_argument(
                "space",
                "its kind is no WVMI_SPACE_ number",
            )),
        }
    }
}
