//! What nearly all calls are: bytes of one page that is mapped, at an address whose
//! translation is cached.
//!
//! They are answered before the guarded body of the call begins, and it answers
//! everything else, errors above all. So nothing here allocates, fails, panics or
//! calls back, and the processor overlaps the cache misses of many such calls. The
//! body is called last, with the arguments of the call: so few registers are saved.

use super::{
    gate::{self, Briefly},
    session::{Shared, wvmi_session},
    space::{WVMI_SPACE_KERNEL, WVMI_SPACE_PHYSICAL, WVMI_SPACE_ROOT, wvmi_space},
};
use crate::core::{Pa, PageMapping, Space, Va};

/// Fills `buffer`; false, with the buffer as it was, when the body has to.
#[inline(always)]
pub fn read(
    session: *const wvmi_session,
    space: wvmi_space,
    address: u64,
    buffer: &mut [u8],
) -> bool {
    let Some(session) = Briefly::by_handle(session) else {
        return false;
    };
    match session.known_space(space) {
        Some(space) => session.memory().read_cached(space, address, buffer),
        None => false,
    }
}

/// How the page of `address` is mapped in the space of a root; `None` when the body
/// has to say. The session is not even entered.
#[inline(always)]
pub fn mapping(session: *const wvmi_session, root: u64, address: u64) -> Option<PageMapping> {
    gate::ask_translations(session, |cache| cache.lookup(Pa(root), Va(address)))
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
