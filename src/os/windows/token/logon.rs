//! `_SEP_LOGON_SESSION_REFERENCES`: the logon that a token comes from.

use super::{Luid, Token, TokenFlags, layout};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Record, Windows},
};

/// Whether user account control took rights from a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElevationType {
    /// The user has one token only.
    Default,
    /// The token with all rights of an administrator.
    Full,
    /// The administrator's token for everyday work.
    Limited,
}

/// A logon session.
#[derive(Clone, Copy)]
pub struct LogonSession<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> LogonSession<'a> {
    /// The logon session whose `_SEP_LOGON_SESSION_REFERENCES` is at `address`.
    pub fn new(windows: &'a Windows, address: Va) -> Self {
        Self {
            windows,
            record: windows.record(address),
        }
    }

    fn layout(&self) -> &'a layout::_SEP_LOGON_SESSION_REFERENCES {
        &self
            .windows
            .layouts
            .token
            .fields
            ._SEP_LOGON_SESSION_REFERENCES
    }

    /// Address of the `_SEP_LOGON_SESSION_REFERENCES`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Identifier. Corresponds to `_SEP_LOGON_SESSION_REFERENCES.LogonId`.
    pub fn id(&self) -> Result<Luid> {
        let bytes = self.record.bytes(self.layout().LogonId)?;
        Ok(Luid(u64::from_le_bytes(bytes)))
    }

    /// The same user's other logon session, 0 for none: administrators have two under
    /// user account control. Corresponds to `_SEP_LOGON_SESSION_REFERENCES.BuddyLogonId`.
    pub fn linked_id(&self) -> Result<Luid> {
        let bytes = self.record.bytes(self.layout().BuddyLogonId)?;
        Ok(Luid(u64::from_le_bytes(bytes)))
    }

    /// Name of the account. Corresponds to `_SEP_LOGON_SESSION_REFERENCES.AccountName`.
    pub fn account_name(&self) -> Result<String> {
        let field = self.layout().AccountName;
        let field = field.ok_or_else(|| Error::layout("_SEP_LOGON_SESSION_REFERENCES.AccountName"));
        self.record.text(field?)
    }

    /// Name of the domain or machine that knows the account.
    /// Corresponds to `_SEP_LOGON_SESSION_REFERENCES.AuthorityName`.
    pub fn authority_name(&self) -> Result<String> {
        let field = self.layout().AuthorityName;
        let field =
            field.ok_or_else(|| Error::layout("_SEP_LOGON_SESSION_REFERENCES.AuthorityName"));
        self.record.text(field?)
    }
}

impl<'a> Token<'a> {
    /// The logon session, `None` for a token that was taken from it.
    /// Corresponds to `_TOKEN.LogonSession`.
    pub fn logon_session(&self) -> Result<Option<LogonSession<'a>>> {
        let session = self.record.pointer_or_none(self.layout().LogonSession)?;
        Ok(session.map(|session| LogonSession::new(self.windows, session)))
    }

    /// Whether user account control took rights from the token.
    ///
    /// An administrator's two logon sessions name each other as linked; the
    /// token of the limited one is a filtered token.
    pub fn elevation_type(&self) -> Result<ElevationType> {
        let linked = match self.logon_session()? {
            Some(session) => session.linked_id()?,
            None => Luid(0),
        };
        Ok(match linked {
            Luid(0) => ElevationType::Default,
            _ if self.flags()?.contains(TokenFlags::IS_FILTERED) => ElevationType::Limited,
            _ => ElevationType::Full,
        })
    }
}
