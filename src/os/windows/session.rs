//! `_MM_SESSION_SPACE`: terminal sessions.

use std::collections::BTreeSet;

use isr::macros::Field;

use super::{Process, Processes, Record, Windows};
use crate::{
    core::Va,
    error::{Error, Result},
};

isr::macros::offsets! {
    /// Where the fields of a session are. Windows 11 24H2 has another structure,
    /// which its symbols do not describe.
    pub struct Layout {
        #[isr(optional)]
        struct _MM_SESSION_SPACE {
            SessionId: Field,
            ProcessList: Field,
        }

        struct _EPROCESS {
            SessionProcessLinks: Option<Field>,
        }
    }
}

/// A terminal session.
#[derive(Clone, Copy)]
pub struct TerminalSession<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> TerminalSession<'a> {
    /// The session whose `_MM_SESSION_SPACE` is at `address`.
    pub fn new(windows: &'a Windows, address: Va) -> Self {
        Self {
            windows,
            record: windows.record(address),
        }
    }

    fn layout(&self) -> Result<&'a _MM_SESSION_SPACE> {
        let layout = self.windows.layouts.session._MM_SESSION_SPACE.as_ref();
        layout.ok_or_else(|| Error::layout("_MM_SESSION_SPACE"))
    }

    /// Address of the `_MM_SESSION_SPACE`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Number: 0 for services, 1 and up for users.
    /// Corresponds to `_MM_SESSION_SPACE.SessionId`.
    ///
    /// # Errors
    /// [`Error::Layout`] where the symbols do not describe sessions (Windows 11 24H2);
    /// [`Process::session_id`] works there, too.
    pub fn id(&self) -> Result<u32> {
        self.record.uint32(self.layout()?.SessionId)
    }

    /// The processes of the session. Corresponds to `_MM_SESSION_SPACE.ProcessList`.
    ///
    /// # Errors
    /// As [`TerminalSession::id`].
    pub fn processes(&self) -> Result<Processes<'a>> {
        const LINK: &str = "_EPROCESS.SessionProcessLinks";
        let link = self.windows.layouts.session._EPROCESS.SessionProcessLinks;
        let link = link.ok_or_else(|| Error::layout(LINK))?;
        let head = self.record.address(self.layout()?.ProcessList);
        Ok(Processes::linked(self.windows, head, link, LINK))
    }
}

impl<'a> Process<'a> {
    /// The session, `None` for processes of the kernel. Corresponds to `_EPROCESS.Session`.
    pub fn terminal_session(&self) -> Result<Option<TerminalSession<'a>>> {
        let session = self.session()?;
        Ok(session.map(|session| TerminalSession::new(self.windows(), session)))
    }

    /// Number of the session, `None` for processes of the kernel: that of its session,
    /// or of its token where the symbols do not describe sessions.
    pub fn session_id(&self) -> Result<Option<u32>> {
        match self.terminal_session()?.map(|session| session.id()) {
            Some(Err(Error::Layout { .. })) => {
                let token = self.primary_token()?;
                token.map(|token| token.session_id()).transpose()
            }
            id => id.transpose(),
        }
    }
}

/// The sessions that active processes belong to; an `Err` is a gap.
pub struct TerminalSessions<'a> {
    processes: Processes<'a>,
    seen: BTreeSet<Va>,
}

impl<'a> Iterator for TerminalSessions<'a> {
    type Item = Result<TerminalSession<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let session = self.processes.next()?.and_then(|it| it.terminal_session());
            match session {
                Ok(Some(session)) if self.seen.insert(session.address()) => {
                    return Some(Ok(session));
                }
                Ok(_) => {}
                Err(gap) => return Some(Err(gap)),
            }
        }
    }
}

impl Windows {
    /// The sessions, in the order of their first processes.
    pub fn terminal_sessions(&self) -> TerminalSessions<'_> {
        TerminalSessions {
            processes: self.processes(),
            seen: BTreeSet::new(),
        }
    }
}
