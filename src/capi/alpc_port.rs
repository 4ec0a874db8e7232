//! ALPC ports: ends of local procedure calls.

use super::{
    ffi::{Call, Plain},
    object::wvmi_object,
    object_info::fill,
    session::wvmi_session,
    status::wvmi_status,
    valid::{Valid, or_zero},
};
use crate::{error::Result, os::windows::AlpcPort};

/// What is known about an ALPC port, filled by `wvmi_alpc_port_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_alpc_port_details {
    /// Which of the other fields were read: `WVMI_ALPC_PORT_VALID_*` bits.
    pub valid: u64,
    /// Address of the object's body; always filled.
    pub object: u64,
    /// The process that owns the port, as a `wvmi_process`; 0 once it is gone
    /// (`_ALPC_PORT.OwnerProcess`).
    pub owner_process: u64,
    /// The port that clients connect to, as a `wvmi_object`; 0 without one
    /// (`_ALPC_COMMUNICATION_INFO.ConnectionPort`).
    pub connection_port: u64,
    /// The server's end of the connection; 0 without one
    /// (`_ALPC_COMMUNICATION_INFO.ServerCommunicationPort`).
    pub server_port: u64,
    /// The client's end of the connection; 0 without one
    /// (`_ALPC_COMMUNICATION_INFO.ClientCommunicationPort`).
    pub client_port: u64,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_alpc_port_details {}

/// `owner_process` was read.
pub const WVMI_ALPC_PORT_VALID_OWNER_PROCESS: u64 = 1;
/// `connection_port` was read.
pub const WVMI_ALPC_PORT_VALID_CONNECTION_PORT: u64 = 2;
/// `server_port` was read.
pub const WVMI_ALPC_PORT_VALID_SERVER_PORT: u64 = 4;
/// `client_port` was read.
pub const WVMI_ALPC_PORT_VALID_CLIENT_PORT: u64 = 8;

fn describe(it: AlpcPort<'_>) -> Result<wvmi_alpc_port_details> {
    let mut valid = Valid::default();
    let v = &mut valid;
    let owner = it.owner().map(|owner| owner.map(|it| it.object()));
    let address = |port: Result<Option<AlpcPort<'_>>>| {
        or_zero(port.map(|port| port.map(|it| it.object().address())))
    };
    Ok(wvmi_alpc_port_details {
        object: it.object().address().0,
        owner_process: v.take(WVMI_ALPC_PORT_VALID_OWNER_PROCESS, or_zero(owner)),
        connection_port: v.take(
            WVMI_ALPC_PORT_VALID_CONNECTION_PORT,
            address(it.connection_port()),
        ),
        server_port: v.take(WVMI_ALPC_PORT_VALID_SERVER_PORT, address(it.server_port())),
        client_port: v.take(WVMI_ALPC_PORT_VALID_CLIENT_PORT, address(it.client_port())),
        valid: valid.finish()?,
    })
}

/// Tells everything about an ALPC port in one call.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read;
/// `WVMI_ERROR_INVALID_ARGUMENT` for an object of another type;
/// `WVMI_ERROR_FAULT` when no field was read; `WVMI_ERROR_CORRUPT`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_alpc_port_info(
    session: *mut wvmi_session,
    object: wvmi_object,
    details: *mut wvmi_alpc_port_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_alpc_port_info") };
    call.run(|| {
        fill(&call, session, object, (details, size), "ALPC port", |it| {
            it.as_alpc_port()?.map(describe).transpose()
        })
    })
}
