//! `wvmi_view`: views of guest memory of the caller's own.

use std::sync::Arc;

use super::{
    ffi::{Call, into_handle},
    gate::Inside,
    session::{Shared, wvmi_session},
    status::{WVMI_OK, wvmi_status},
};
use crate::{
    core::{
        Gfn, Pa,
        driver::{MemoryAccess, ViewId},
    },
    error::{Error, Result},
};

/// An alternative mapping of the guest's physical memory, with frames and access
/// rights of its own; made by `wvmi_view_new()`.
///
/// The library hooks code in a view of its own, which the guest runs in from the
/// first hook on. While processors run in a view of the caller's, breakpoints and
/// memory monitors do not act; what else processors do is reported as ever.
///
/// Accesses that a view's rights deny stop the processor until the event loop has
/// run: the monitors of the view (`WVMI_MONITOR_VIEW`) are called, then the
/// instruction is executed on the guest's own memory.
pub struct wvmi_view {
    view: ViewId,
    session: Arc<Shared>,
}

impl Drop for wvmi_view {
    fn drop(&mut self) {
        // A session that is closed, or about to be, has destroyed its views itself.
        if let Ok(session) = Inside::by_child(super::caller::Caller::current(), &self.session)
            && let Ok(live) = session.live()
            && let Err(error) = live.destroy_view(self.view)
        {
            let log = session.engine().log();
            log.warning(format_args!(
                "a view stays until its session is closed: {error}"
            ));
        }
    }
}

impl wvmi_view {
    /// The engine's view.
    pub const fn id(&self) -> ViewId {
        self.view
    }

    /// Is it a view of this session?
    pub fn check(&self, session: &Shared) -> Result<()> {
        match std::ptr::eq(Arc::as_ptr(&self.session), session) {
            true => Ok(()),
            false => Err(Error::invalid_argument("view", "of another session")),
        }
    }

    fn inside(&self, call: &Call) -> Result<Inside> {
        Inside::by_child(call.caller(), &self.session)
    }
}

/// The engine's form of access rights.
fn rights(access: u32) -> Result<MemoryAccess> {
    let access = u8::try_from(access).ok();
    let access = access.and_then(MemoryAccess::from_bits);
    access.ok_or_else(|| Error::invalid_argument("access", "not 0 to 15"))
}

fn frame_at(address: u64, name: &'static str) -> Result<Gfn> {
    match Pa(address).page_offset() {
        0 => Ok(Pa(address).gfn()),
        _ => Err(Error::invalid_argument(name, "no address of a page")),
    }
}

/// Makes a view that shows the guest's own memory.
///
/// `access` are the rights of every page: read 1, write 2, execute 4, or a sum;
/// and 8 has the processors' own page walks not count. No processor runs in the
/// view until `wvmi_view_switch()`. `view` receives the handle; free it with
/// `wvmi_view_free()`.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_SUPPORTED` when the back end has no views,
/// `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`, or
/// `WVMI_ERROR_BACK_END`, also when there are too many views (Xen has ten).
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_view_new(
    session: *mut wvmi_session,
    access: u32,
    view: *mut *mut wvmi_view,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_view_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(view, "view")?;
        let view = session.live()?.create_view(rights(access)?)?;
        output.write(into_handle(wvmi_view {
            view,
            session: session.share(),
        }));
        Ok(WVMI_OK)
    })
}

/// Destroys a view. Processors that run in it go on in the library's own.
///
/// `view` may be NULL. Closing the session destroys its views, too; their handles
/// answer `WVMI_ERROR_CLOSED` then, and are still to be freed.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_view_free(view: *mut wvmi_view) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_view_free") };
    call.free(view);
}

/// Moves all processors into a view.
///
/// `view` NULL is the library's own, in which hooks act. A processor that is
/// stopped at an event goes on in the view that it was in, and is moved by the
/// next call.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`
/// for a view of another session, `WVMI_ERROR_NOT_SUPPORTED`,
/// `WVMI_ERROR_CLOSED`, or `WVMI_ERROR_BACK_END`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_view_switch(
    session: *mut wvmi_session,
    view: *const wvmi_view,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_view_switch") };
    call.run(|| {
        let session = call.session(session)?;
        let view = call.optional_input(view);
        if let Some(view) = view {
            view.check(&session)?;
        }
        session.live()?.enter_view(view.map(wvmi_view::id))?;
        Ok(WVMI_OK)
    })
}

/// Shows a frame of `wvmi_frame_new()` in a view, in place of a page of the guest's.
///
/// `address` is the guest-physical address of the page, `frame` that of the frame.
/// The page's access rights stay as they are.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a frame that is not the
/// session's, `WVMI_ERROR_INVALID_ARGUMENT`, `WVMI_ERROR_NULL_ARGUMENT`,
/// `WVMI_ERROR_CLOSED`, or `WVMI_ERROR_BACK_END`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_view_show_frame(
    view: *const wvmi_view,
    address: u64,
    frame: u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_view_show_frame") };
    call.run(|| {
        let view = call.input(view, "view")?;
        let (page, frame) = (frame_at(address, "address")?, frame_at(frame, "frame")?);
        let session = view.inside(&call)?;
        session.live()?.show_frame(view.view, page, frame)?;
        Ok(WVMI_OK)
    })
}

/// Shows the guest's own page in a view again: undoes `wvmi_view_show_frame()`.
///
/// `address` is the guest-physical address of the page, whose access rights stay.
///
/// Errors as `wvmi_view_show_frame()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_view_reset_frame(
    view: *const wvmi_view,
    address: u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_view_reset_frame") };
    call.run(|| {
        let view = call.input(view, "view")?;
        let page = frame_at(address, "address")?;
        let session = view.inside(&call)?;
        session.live()?.reset_frame(view.view, page)?;
        Ok(WVMI_OK)
    })
}

/// Tells the access rights of a page in a view.
///
/// `address` is a guest-physical address in the page; `access` receives the sum of
/// read 1, write 2, execute 4, and 8 when page walks do not count.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_CLOSED`, or
/// `WVMI_ERROR_BACK_END`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_view_access(
    view: *const wvmi_view,
    address: u64,
    access: *mut u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_view_access") };
    call.run(|| {
        let view = call.input(view, "view")?;
        let output = call.output(access, "access")?;
        let session = view.inside(&call)?;
        let access = session.live()?.page_access(view.view, Pa(address).gfn())?;
        output.write(access.bits().into());
        Ok(WVMI_OK)
    })
}

/// Sets the access rights of a page in a view.
///
/// `address` is a guest-physical address in the page; `access` is the sum of read
/// 1, write 2, execute 4, and 8 to have page walks not count (where the back end
/// can tell them apart: Xen with read 1 alone).
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_INVALID_ARGUMENT`,
/// `WVMI_ERROR_CLOSED`, or `WVMI_ERROR_BACK_END`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_view_set_access(
    view: *const wvmi_view,
    address: u64,
    access: u32,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_view_set_access") };
    call.run(|| {
        let view = call.input(view, "view")?;
        let access = rights(access)?;
        let session = view.inside(&call)?;
        let page = Pa(address).gfn();
        session.live()?.set_page_access(view.view, page, access)?;
        Ok(WVMI_OK)
    })
}

/// Adds a frame of zeros to the guest, which knows nothing of it: no view shows it
/// until `wvmi_view_show_frame()`.
///
/// `frame` receives its guest-physical address; read and write it in the space
/// `WVMI_SPACE_PHYSICAL`. Closing the session takes it back.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NOT_SUPPORTED` when
/// the back end has no views, or `WVMI_ERROR_BACK_END`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_frame_new(
    session: *mut wvmi_session,
    frame: *mut u64,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_frame_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(frame, "frame")?;
        output.write(session.live()?.add_frame()?.pa().0);
        Ok(WVMI_OK)
    })
}

/// Takes a frame of `wvmi_frame_new()` back.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_BUSY` while a view shows it,
/// `WVMI_ERROR_NOT_FOUND` for a frame that is not the session's,
/// `WVMI_ERROR_INVALID_ARGUMENT`, or `WVMI_ERROR_BACK_END`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_frame_free(session: *mut wvmi_session, frame: u64) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_frame_free") };
    call.run(|| {
        let session = call.session(session)?;
        let frame = frame_at(frame, "frame")?;
        session.live()?.remove_frame(frame)?;
        Ok(WVMI_OK)
    })
}
