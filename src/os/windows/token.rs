//! `_TOKEN`: on whose behalf a process or a thread acts.

mod flags;
mod groups;
mod integrity;
mod layout;
mod logon;
mod privileges;

use isr::macros::Field;

use super::{Object, Process, Record, Sid, Thread, Windows, time::FileTime};
use crate::{
    core::Va,
    error::{Error, Result},
};

pub(super) use self::layout::Layout;
pub use self::{
    flags::TokenFlags,
    groups::{Group, GroupAttributes, Groups},
    integrity::IntegrityLevel,
    logon::{ElevationType, LogonSession},
    privileges::{PRIVILEGES, Privilege, Privileges},
};

/// A locally unique identifier. Corresponds to `_LUID`: `LowPart` below `HighPart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Luid(pub u64);

/// Whether a token belongs to a process or lets a thread act for somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// 1: the token of a process.
    Primary,
    /// 2: the token of a thread that acts for a client.
    Impersonation,
    /// Any other value: damaged.
    Unknown(u32),
}

impl From<u32> for TokenKind {
    fn from(value: u32) -> Self {
        match value {
            1 => Self::Primary,
            2 => Self::Impersonation,
            other => Self::Unknown(other),
        }
    }
}

/// What a server may do with a client's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImpersonationLevel {
    /// 0: nothing, not even learn who the client is.
    Anonymous,
    /// 1: learn who the client is.
    Identification,
    /// 2: act for the client on this machine.
    Impersonation,
    /// 3: act for the client on other machines, too.
    Delegation,
    /// Any other value: damaged.
    Unknown(u32),
}

impl From<u32> for ImpersonationLevel {
    fn from(value: u32) -> Self {
        match value {
            0 => Self::Anonymous,
            1 => Self::Identification,
            2 => Self::Impersonation,
            3 => Self::Delegation,
            other => Self::Unknown(other),
        }
    }
}

/// Who made a token. Corresponds to `_TOKEN_SOURCE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSource {
    /// Name, at most 8 bytes (`"User32"`); bytes that are not UTF-8 become U+FFFD.
    pub name: String,
    /// Identifier that the source gave itself.
    pub id: Luid,
}

/// A token.
#[derive(Clone, Copy)]
pub struct Token<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> Token<'a> {
    /// The token whose `_TOKEN` is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    /// Size of a buffer for [`Token::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 2048;

    /// The same token with its `_TOKEN` read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        let length = self.layout().effective_len().min(buffer.len());
        match buffer.get_mut(..length) {
            Some(buffer) => Self {
                record: self.record.with_copy(buffer),
                ..self
            },
            None => self,
        }
    }

    fn layout(&self) -> &'a layout::_TOKEN {
        &self.windows.layouts.token.fields._TOKEN
    }

    /// The token as an object.
    pub fn as_object(&self) -> Object<'a> {
        Object::new(self.windows, self.object())
    }

    /// Address of the `_TOKEN`: the token object.
    pub const fn object(&self) -> Va {
        self.record.base()
    }

    fn luid(&self, field: Field) -> Result<Luid> {
        self.record.bytes(field).map(u64::from_le_bytes).map(Luid)
    }

    /// Identifier of this token. Corresponds to `_TOKEN.TokenId`.
    pub fn id(&self) -> Result<Luid> {
        self.luid(self.layout().TokenId)
    }

    /// Identifier of the logon session. Corresponds to `_TOKEN.AuthenticationId`.
    pub fn authentication_id(&self) -> Result<Luid> {
        self.luid(self.layout().AuthenticationId)
    }

    /// Identifier of the token that this one was filtered from, 0 for none.
    /// Corresponds to `_TOKEN.ParentTokenId`.
    pub fn parent_id(&self) -> Result<Luid> {
        self.luid(self.layout().ParentTokenId)
    }

    /// Changes with each change of the token. Corresponds to `_TOKEN.ModifiedId`.
    pub fn modified_id(&self) -> Result<Luid> {
        self.luid(self.layout().ModifiedId)
    }

    /// Identifier of the logon session that asked for this one, 0 when unknown.
    /// Corresponds to `_TOKEN.OriginatingLogonSession`.
    pub fn originating_logon_id(&self) -> Result<Luid> {
        self.luid(self.layout().OriginatingLogonSession)
    }

    /// Time after which the token is refused; Windows itself does not check it.
    /// Corresponds to `_TOKEN.ExpirationTime`.
    pub fn expiration_time(&self) -> Result<FileTime> {
        self.record.uint(self.layout().ExpirationTime).map(FileTime)
    }

    /// Number of the terminal session. Corresponds to `_TOKEN.SessionId`.
    pub fn session_id(&self) -> Result<u32> {
        self.record.uint32(self.layout().SessionId)
    }

    /// Who made the token. Corresponds to `_TOKEN.TokenSource`.
    pub fn source(&self) -> Result<TokenSource> {
        let layout = &self.windows.layouts.token.fields._TOKEN_SOURCE;
        let source = self.record.embedded(self.layout().TokenSource);
        let name: [u8; 8] = source.bytes(layout.SourceName)?;
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        Ok(TokenSource {
            name: String::from_utf8_lossy(name).into_owned(),
            id: Luid(u64::from_le_bytes(source.bytes(layout.SourceIdentifier)?)),
        })
    }

    /// Whose token it is. Corresponds to `_TOKEN.TokenType`.
    pub fn kind(&self) -> Result<TokenKind> {
        let field = self.windows.layouts.token.kind;
        self.record.uint32(field).map(TokenKind::from)
    }

    /// What a server may do with it; means nothing in a primary token.
    /// Corresponds to `_TOKEN.ImpersonationLevel`.
    pub fn impersonation_level(&self) -> Result<ImpersonationLevel> {
        let field = self.windows.layouts.token.impersonation_level;
        self.record.uint32(field).map(ImpersonationLevel::from)
    }

    /// Properties. Corresponds to `_TOKEN.TokenFlags`.
    pub fn flags(&self) -> Result<TokenFlags> {
        let bits = self.record.uint32(self.layout().TokenFlags)?;
        Ok(TokenFlags::from_bits_retain(bits))
    }

    /// Is it the token of a process that was made? Corresponds to `_TOKEN.TokenInUse`.
    pub fn is_in_use(&self) -> Result<bool> {
        Ok(self.record.uint(self.layout().TokenInUse)? != 0)
    }

    /// Privileges, by their three states. Corresponds to `_TOKEN.Privileges`.
    pub fn privileges(&self) -> Result<Privileges> {
        let layout = &self.windows.layouts.token.fields._SEP_TOKEN_PRIVILEGES;
        let record = self.record.embedded(self.layout().Privileges);
        Ok(Privileges {
            present: record.uint(layout.Present)?,
            enabled: record.uint(layout.Enabled)?,
            enabled_by_default: record.uint(layout.EnabledByDefault)?,
        })
    }

    /// The package of an app container, `None` for other tokens.
    /// Corresponds to `_TOKEN.Package` (Windows 8 and later).
    pub fn package(&self) -> Result<Option<Sid>> {
        self.optional_sid(self.layout().Package)
    }

    /// How far the protected process behind the token is trusted, `None` for most tokens.
    /// Corresponds to `_TOKEN.TrustLevelSid` (Windows 8.1 and later).
    pub fn trust_level(&self) -> Result<Option<Sid>> {
        self.optional_sid(self.layout().TrustLevelSid)
    }

    /// Group of new objects.
    /// Corresponds to `_TOKEN.PrimaryGroup`.
    pub fn primary_group(&self) -> Result<Option<Sid>> {
        self.optional_sid(Some(self.layout().PrimaryGroup))
    }

    fn optional_sid(&self, field: Option<Field>) -> Result<Option<Sid>> {
        let Some(field) = field else {
            return Ok(None);
        };
        let sid = self.record.pointer_or_none(field)?;
        sid.map(|sid| Sid::read(&self.record, sid)).transpose()
    }
}

impl<'a> Process<'a> {
    /// The primary token. Corresponds to `_EPROCESS.Token`.
    pub fn primary_token(&self) -> Result<Option<Token<'a>>> {
        let token = self.token()?;
        Ok(token.map(|token| Token::new(self.windows(), token)))
    }
}

impl<'a> Thread<'a> {
    /// The token that the thread impersonates with.
    /// Corresponds to `_ETHREAD.ClientSecurity.ImpersonationToken`.
    pub fn impersonation(&self) -> Result<Option<Token<'a>>> {
        let token = self.impersonation_token()?;
        Ok(token.map(|token| Token::new(self.windows(), token)))
    }

    /// The token that the thread acts with: the one it impersonates with, else its process's.
    pub fn effective_token(&self) -> Result<Token<'a>> {
        if let Some(token) = self.impersonation()? {
            return Ok(token);
        }
        let process = self.process()?;
        let token = process.primary_token()?;
        token.ok_or_else(|| Error::corrupt("_EPROCESS", process.object(), "it has no token"))
    }
}
