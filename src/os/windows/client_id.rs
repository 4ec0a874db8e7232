//! `PspCidTable`: every process and thread that has an id, listed or hidden.

use super::{HandleTable, Handles, Process, Record, Thread, Windows, handle_table::TableKind};
use crate::{
    core::Va,
    error::{Error, Result},
};

/// Values of `_DISPATCHER_HEADER.Type` (`KOBJECTS`).
const PROCESS_OBJECT: u8 = 3;
const THREAD_OBJECT: u8 = 6;

/// What an id stands for.
#[derive(Clone, Copy)]
pub enum ClientId<'a> {
    /// The id of a process.
    Process(Process<'a>),
    /// The id of a thread.
    Thread(Thread<'a>),
}

/// The table of ids.
pub struct CidTable<'a> {
    windows: &'a Windows,
    table: HandleTable<'a>,
}

impl<'a> CidTable<'a> {
    pub(super) fn new(windows: &'a Windows, table: Va) -> Result<Self> {
        let table = HandleTable::of_kind(windows, table, TableKind::ClientIds)?;
        Ok(Self { windows, table })
    }

    /// The table itself.
    pub const fn table(&self) -> &HandleTable<'a> {
        &self.table
    }

    fn client(&self, object: Va) -> Result<Option<ClientId<'a>>> {
        client(self.windows, object)
    }

    /// The process with this id.
    pub fn process(&self, id: u32) -> Result<Process<'a>> {
        match self.lookup(id)? {
            Some(ClientId::Process(process)) => Ok(process),
            _ => Err(Error::not_found(format!("process {id}"))),
        }
    }

    /// The thread with this id.
    pub fn thread(&self, id: u32) -> Result<Thread<'a>> {
        match self.lookup(id)? {
            Some(ClientId::Thread(thread)) => Ok(thread),
            _ => Err(Error::not_found(format!("thread {id}"))),
        }
    }

    fn lookup(&self, id: u32) -> Result<Option<ClientId<'a>>> {
        match self.table.lookup(id.into())? {
            Some(entry) => self.client(entry.object),
            None => Ok(None),
        }
    }

    /// The processes in order of their id; an `Err` is a gap.
    pub fn processes(&self) -> CidProcesses<'a> {
        CidProcesses {
            windows: self.windows,
            handles: self.table.handles(),
        }
    }
}

fn client(windows: &Windows, object: Va) -> Result<Option<ClientId<'_>>> {
    let mut kind = [0];
    Record::new(windows.memory(), windows.space(), object).read(0, &mut kind)?;
    // The highest bit of the type is a lock on later systems.
    Ok(match kind.map(|kind| kind & 0x7f) {
        [PROCESS_OBJECT] => Some(ClientId::Process(windows.process(object))),
        [THREAD_OBJECT] => Some(ClientId::Thread(windows.thread(object))),
        _ => None,
    })
}

/// The processes of `PspCidTable`; an `Err` is a gap.
pub struct CidProcesses<'a> {
    windows: &'a Windows,
    handles: Handles<'a>,
}

impl<'a> Iterator for CidProcesses<'a> {
    type Item = Result<Process<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = match self.handles.next()? {
                Ok(entry) => entry,
                Err(gap) => return Some(Err(gap)),
            };
            match client(self.windows, entry.object) {
                Ok(Some(ClientId::Process(process))) => return Some(Ok(process)),
                Ok(_) => {}
                Err(gap) => return Some(Err(gap)),
            }
        }
    }
}
