//! Processes by every source that names them: what one list hides, another shows.

use std::collections::HashSet;

use bitflags::bitflags;

use super::{CidTable, Process, Processes, Windows, client_id::CidProcesses};
use crate::{core::Va, error::Result};

bitflags! {
    /// Where a process is named.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct ProcessSources: u32 {
        /// `PsActiveProcessHead`.
        const ACTIVE_LIST = 1;
        /// `PspCidTable`.
        const CID_TABLE = 2;
    }
}

/// A process and the sources, among those that were asked, that name it.
pub type SourcedProcess<'a> = (Process<'a>, ProcessSources);

/// The processes of one or more sources, each once; an `Err` is a gap.
pub struct SourcedProcesses<'a> {
    list: Option<Processes<'a>>,
    cids: Option<Result<CidTable<'a>>>,
    rest: Option<CidProcesses<'a>>,
    /// Objects on the active list, to be left out of the second walk.
    listed: HashSet<Va>,
}

impl<'a> SourcedProcesses<'a> {
    fn new(windows: &'a Windows, sources: ProcessSources) -> Self {
        let wanted = |source| sources.contains(source);
        Self {
            list: wanted(ProcessSources::ACTIVE_LIST).then(|| windows.processes()),
            cids: wanted(ProcessSources::CID_TABLE).then(|| windows.client_ids()),
            rest: None,
            listed: HashSet::new(),
        }
    }

    /// Next process of the active list, and whether its id leads to it, too.
    fn next_listed(&mut self) -> Option<Result<SourcedProcess<'a>>> {
        let process = match self.list.as_mut()?.next() {
            Some(Ok(process)) => process,
            Some(Err(gap)) => return Some(Err(gap)),
            None => {
                self.list = None;
                return None;
            }
        };
        let mut sources = ProcessSources::ACTIVE_LIST;
        if let Some(Ok(cids)) = &self.cids {
            self.listed.insert(process.object());
            let named = process.id().and_then(|id| cids.process(id));
            if named.is_ok_and(|it| it.object() == process.object()) {
                sources |= ProcessSources::CID_TABLE;
            }
        }
        Some(Ok((process, sources)))
    }

    /// Next process that only the table of ids names.
    fn next_unlisted(&mut self) -> Option<Result<SourcedProcess<'a>>> {
        match self.cids.take() {
            Some(Ok(cids)) => self.rest = Some(cids.processes()),
            Some(Err(gap)) => return Some(Err(gap)),
            None => {}
        }
        let listed = &self.listed;
        let next = self.rest.as_mut()?.find(|item| {
            item.as_ref()
                .map_or(true, |process| !listed.contains(&process.object()))
        })?;
        Some(next.map(|process| (process, ProcessSources::CID_TABLE)))
    }
}

impl<'a> Iterator for SourcedProcesses<'a> {
    type Item = Result<SourcedProcess<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_listed().or_else(|| self.next_unlisted())
    }
}

impl Windows {
    /// The processes that any of `sources` names.
    pub fn processes_from(&self, sources: ProcessSources) -> SourcedProcesses<'_> {
        SourcedProcesses::new(self, sources)
    }
}
