//! `wvmi_token_sid_iter`: iterations over the SIDs of a token.

use std::ffi::c_char;

use super::{
    ffi::{Call, Plain, into_handle},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    token::{WVMI_SID_NAME_SIZE, WVMI_SID_SIZE, sid_name, sid_text, wvmi_token},
    walk::Walk,
};
use crate::{
    error::Error,
    os::windows::{Group, Groups},
};

/// Which SIDs of a token are listed.
pub type wvmi_token_sids = u32;

/// The groups, without the user (`_TOKEN.UserAndGroups`).
pub const WVMI_TOKEN_SIDS_GROUPS: wvmi_token_sids = 0;
/// SIDs that access must be granted to, too; none in most tokens
/// (`_TOKEN.RestrictedSids`).
pub const WVMI_TOKEN_SIDS_RESTRICTED: wvmi_token_sids = 1;
/// Capabilities of an app container; none in other tokens
/// (`_TOKEN.Capabilities`).
pub const WVMI_TOKEN_SIDS_CAPABILITIES: wvmi_token_sids = 2;

/// A SID as a token has it (`_SID_AND_ATTRIBUTES`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_token_sid {
    /// What it counts for: `SE_GROUP_*` bits, as Windows defines them.
    pub attributes: u32,
    /// Its last sub-authority, which tells accounts of one issuer apart; 0 for
    /// a SID without any.
    pub relative_id: u32,
    /// The text, `"S-1-5-32-544"`.
    pub text: [c_char; WVMI_SID_SIZE],
    /// The name, `"BUILTIN\\Administrators"`, when it is a well-known one, else
    /// empty.
    pub name: [c_char; WVMI_SID_NAME_SIZE],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_token_sid {}

fn describe(group: &Group) -> wvmi_token_sid {
    wvmi_token_sid {
        attributes: group.attributes.bits(),
        relative_id: group.sid.relative_id().unwrap_or(0),
        text: sid_text(Some(group.sid)),
        name: sid_name(Some(group.sid)),
    }
}

/// An iteration over the SIDs of a token; made by `wvmi_token_sid_iter_new()`.
pub struct wvmi_token_sid_iter(Walk<Groups<'static>>);

/// Begins an iteration over the SIDs of a token, in the order of its array.
///
/// `which` is one of `WVMI_TOKEN_SIDS_*`. `iter` receives the handle of the
/// iteration; free it with `wvmi_token_sid_iter_free()`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_INVALID_ARGUMENT` for another `which`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_token_sid_iter_new(
    session: *mut wvmi_session,
    token: wvmi_token,
    which: wvmi_token_sids,
    iter: *mut *mut wvmi_token_sid_iter,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_token_sid_iter_new") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(iter, "iter")?;
        // SAFETY: the reference is kept by the iterator alone, and what it
        // yields is plain.
        let walk = unsafe {
            Walk::new(&session, |engine| {
                let token = token.get(engine.windows()?);
                match which {
                    WVMI_TOKEN_SIDS_GROUPS => Ok(token.groups()),
                    WVMI_TOKEN_SIDS_RESTRICTED => Ok(token.restricted_sids()),
                    WVMI_TOKEN_SIDS_CAPABILITIES => Ok(token.capabilities()),
                    _ => Err(Error::invalid_argument(
                        "which",
                        "no WVMI_TOKEN_SIDS_* number",
                    )),
                }
            })
        }?;
        output.write(into_handle(wvmi_token_sid_iter(walk)));
        Ok(WVMI_OK)
    })
}

/// Gets the next SID.
///
/// `sid` receives it, `size` is `sizeof *sid`.
///
/// Returns `WVMI_OK`; `WVMI_END`; `WVMI_GAP` when a SID is absent or damaged
/// (the iteration goes on with the next), or the array is (it ends);
/// `WVMI_ERROR_CLOSED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_token_sid_iter_next(
    iter: *mut wvmi_token_sid_iter,
    sid: *mut wvmi_token_sid,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_token_sid_iter_next") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let output = call.sized_output(sid, size, "sid")?;
        iter.0
            .next(&call, |_, group| output.write(describe(&group)))
    })
}

/// Gets many SIDs at once.
///
/// `sids` receives at most `capacity` of them, `stride` bytes apart (`sizeof
/// *sids`); `count` receives how many, on every return.
///
/// Returns `WVMI_OK` with at least one SID; `WVMI_END` with none; `WVMI_GAP`
/// with those before the gap, perhaps none; `WVMI_ERROR_CLOSED`;
/// `WVMI_ERROR_CANCELLED`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// The thread that owns `iter`, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_token_sid_iter_next_many(
    iter: *mut wvmi_token_sid_iter,
    sids: *mut wvmi_token_sid,
    stride: usize,
    capacity: usize,
    count: *mut usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_token_sid_iter_next_many") };
    call.run(|| {
        let iter = call.exclusive(iter, "iter")?;
        let count = call.output(count, "count")?;
        let array = call.array_output(sids, stride, capacity, "sids")?;
        iter.0
            .next_many(&call, &array, &count, |_, group| describe(&group))
    })
}

/// Frees the iterator. `iter` may be NULL.
///
/// Any thread, also from a callback, also after the session was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_token_sid_iter_free(iter: *mut wvmi_token_sid_iter) {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_token_sid_iter_free") };
    call.free(iter);
}
