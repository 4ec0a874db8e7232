//! `_ALPC_PORT`: ends of local procedure calls.

use isr::macros::Field;

use super::Object;
use crate::{
    core::Va,
    error::Result,
    os::windows::{Process, Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a port are.
    pub struct Layout {
        struct _ALPC_PORT {
            CommunicationInfo: Field,
            OwnerProcess: Field,
        }

        struct _ALPC_COMMUNICATION_INFO {
            ConnectionPort: Field,
            ServerCommunicationPort: Field,
            ClientCommunicationPort: Field,
        }
    }
}

/// An ALPC port: a server's connection port, or one end of a connection.
#[derive(Clone, Copy)]
pub struct AlpcPort<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> AlpcPort<'a> {
    /// The port whose `_ALPC_PORT` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a Layout {
        &self.windows.layouts.object.alpc_port
    }

    /// The port as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// The process that owns the port, `None` once it is gone.
    /// Corresponds to `_ALPC_PORT.OwnerProcess`, whose low bits are flags.
    pub fn owner(&self) -> Result<Option<Process<'a>>> {
        let field = self.layout()._ALPC_PORT.OwnerProcess;
        let owner = self.record.fast_reference(field)?;
        Ok(owner.map(|owner| Process::new(self.windows, owner)))
    }

    /// The port that clients connect to.
    /// Corresponds to `_ALPC_PORT.CommunicationInfo.ConnectionPort`.
    pub fn connection_port(&self) -> Result<Option<AlpcPort<'a>>> {
        self.port(self.layout()._ALPC_COMMUNICATION_INFO.ConnectionPort)
    }

    /// The server's end of the connection.
    /// Corresponds to `_ALPC_PORT.CommunicationInfo.ServerCommunicationPort`.
    pub fn server_port(&self) -> Result<Option<AlpcPort<'a>>> {
        self.port(
            self.layout()
                ._ALPC_COMMUNICATION_INFO
                .ServerCommunicationPort,
        )
    }

    /// The client's end of the connection.
    /// Corresponds to `_ALPC_PORT.CommunicationInfo.ClientCommunicationPort`.
    pub fn client_port(&self) -> Result<Option<AlpcPort<'a>>> {
        self.port(
            self.layout()
                ._ALPC_COMMUNICATION_INFO
                .ClientCommunicationPort,
        )
    }

    fn port(&self, field: Field) -> Result<Option<AlpcPort<'a>>> {
        let communication = self.layout()._ALPC_PORT.CommunicationInfo;
        let Some(communication) = self.record.pointer_or_none(communication)? else {
            return Ok(None);
        };
        let port = self.record.at(communication).pointer_or_none(field)?;
        Ok(port.map(|port| AlpcPort::new(self.windows, port)))
    }
}
