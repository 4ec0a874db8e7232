//! Tokens.

use serde::{Deserialize, Serialize};

/// A SID as a token has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedGroup {
    /// The SID as text.
    pub sid: String,
    /// `SE_GROUP_*` bits.
    pub attributes: u32,
}

/// A token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectedToken {
    /// Address of the `_TOKEN`.
    pub address: u64,
    /// `TokenType`: 1 primary, 2 impersonation.
    pub kind: u32,
    /// `ImpersonationLevel`, 0 to 3.
    pub impersonation_level: u32,
    /// `TokenId`.
    pub id: u64,
    /// `AuthenticationId`.
    pub authentication_id: u64,
    /// `ParentTokenId`.
    pub parent_id: u64,
    /// `ModifiedId`.
    pub modified_id: u64,
    /// `OriginatingLogonSession`.
    pub originating_logon_id: u64,
    /// `ExpirationTime` (FILETIME).
    pub expiration_time: u64,
    /// `SessionId`.
    pub session_id: u32,
    /// `TokenFlags`.
    pub flags: u32,
    /// `TokenInUse`.
    pub in_use: bool,
    /// `TokenSource.SourceName`.
    pub source_name: String,
    /// `TokenSource.SourceIdentifier`.
    pub source_id: u64,
    /// The user.
    pub user: ExpectedGroup,
    /// The groups, without the user.
    pub groups: Vec<ExpectedGroup>,
    /// Restricted SIDs.
    pub restricted: Vec<ExpectedGroup>,
    /// Capabilities; none where the layout lacks them.
    pub capabilities: Vec<ExpectedGroup>,
    /// `PrimaryGroup`.
    pub primary_group: String,
    /// SID of the default owner.
    pub default_owner: String,
    /// `DefaultOwnerIndex`.
    pub default_owner_index: u32,
    /// Integrity level: the last number of its SID.
    pub integrity: Option<u32>,
    /// `Privileges.Present`.
    pub present: u64,
    /// `Privileges.Enabled`.
    pub enabled: u64,
    /// `Privileges.EnabledByDefault`.
    pub enabled_by_default: u64,
    /// Elevation type: 1 default, 2 full, 3 limited.
    pub elevation: u32,
    /// Address of the logon session.
    pub logon_session: u64,
    /// `BuddyLogonId` of the logon session, or 0.
    pub linked_logon_id: u64,
    /// `AccountName` of the logon session.
    pub account: String,
    /// `AuthorityName` of the logon session.
    pub authority: String,
}
