//! What nearly all calls about memory are: bytes of one page that is mapped, at an
//! address whose translation is cached.
//!
//! They are answered before the guarded body of the call begins, and it answers
//! everything else, errors above all. So nothing here allocates, fails or
//! panics, and the processor overlaps the cache misses of many such calls.

use super::{
    ffi::Call,
    gate::Inside,
    session::{Shared, wvmi_session},
    space::{WVMI_SPACE_KERNEL, WVMI_SPACE_PHYSICAL, WVMI_SPACE_ROOT, wvmi_space},
};
use crate::core::{Pa, Space, Translation, Va};

impl Call {
    /// Fills `buffer`; false, with the buffer as it was, when the body has to.
    #[inline(always)]
    pub fn read_cached(
        &self,
        session: *const wvmi_session,
        space: wvmi_space,
        address: u64,
        buffer: &mut [u8],
    ) -> bool {
        let Some(session) = Inside::quickly(session) else {
            return false;
        };
        match session.known_space(space) {
            Some(space) => session.memory().read_cached(space, address, buffer),
            None => false,
        }
    }

    /// Translates `address`; `None` when the body has to.
    #[inline(always)]
    pub fn translate_cached(
        &self,
        session: *const wvmi_session,
        space: wvmi_space,
        address: u64,
    ) -> Option<Translation> {
        let session = Inside::quickly(session)?;
        match session.known_space(space)? {
            Space::Virtual { root } => session.memory().translate_cached(root, Va(address)),
            Space::Physical => None,
        }
    }
}

impl Shared {
    /// The engine's space for one that needs no look into the guest.
    #[inline(always)]
    fn known_space(&self, space: wvmi_space) -> Option<Space> {
        match space.kind {
            WVMI_SPACE_ROOT => Some(Space::Virtual {
                root: Pa(space.value),
            }),
            WVMI_SPACE_PHYSICAL => Some(Space::Physical),
            WVMI_SPACE_KERNEL => self.engine().known_kernel_space(),
            _ => None,
        }
    }
}
