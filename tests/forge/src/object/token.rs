//! Tokens: whom processes and threads act for.

use crate::clock;
use crate::expected::{ExpectedGroup, ExpectedToken};
use crate::guest::Guest;

/// `SE_GROUP_MANDATORY | SE_GROUP_ENABLED_BY_DEFAULT | SE_GROUP_ENABLED`.
const ENABLED: u32 = 0x07;
/// The above and `SE_GROUP_OWNER`.
const OWNER: u32 = 0x0f;
const DENY_ONLY: u32 = 0x10;
const LOGON_ID: u32 = 0xc000_0007;
/// `SE_GROUP_INTEGRITY | SE_GROUP_INTEGRITY_ENABLED`.
const INTEGRITY: u32 = 0x60;
/// `IntegrityLevelIndex` of a token without a level.
const NO_INDEX: u64 = 0xffff_ffff;

/// `TokenType` of a primary and of an impersonation token.
const PRIMARY: u32 = 1;
const IMPERSONATION: u32 = 2;

/// `TOKEN_HAS_TRAVERSE_PRIVILEGE | TOKEN_NOT_LOW`.
const USUAL_FLAGS: u32 = 0x2001;
const IS_FILTERED: u32 = 0x0800;
const IS_RESTRICTED: u32 = 0x0010;

/// Privileges that administrators' filtered tokens keep: shutdown, change notify, undock,
/// increase working set, time zone.
const FEW_PRIVILEGES: u64 = 1 << 19 | 1 << 23 | 1 << 25 | 1 << 33 | 1 << 34;
/// Debug, impersonate, load driver, backup.
const MORE_PRIVILEGES: u64 = FEW_PRIVILEGES | 1 << 20 | 1 << 29 | 1 << 10 | 1 << 17;
const CHANGE_NOTIFY: u64 = 1 << 23;
/// Numbers 2 to 36.
const ALL_PRIVILEGES: u64 = (1 << 37) - (1 << 2);

/// The logon session of the machine itself.
const SYSTEM_LOGON: u64 = 0x3e7;
/// The two logon sessions of an administrator.
const FULL_LOGON: u64 = 0x2_1f4a;
const LIMITED_LOGON: u64 = 0x1_0000_1f7d;

const USER: &str = "S-1-5-21-1004336348-1177238915-682003330-1001";

/// A token to be made.
#[derive(Clone, Debug)]
pub struct TokenSpec {
    /// `TokenType`: 1 primary, 2 impersonation.
    pub kind: u32,
    /// `ImpersonationLevel`, 0 to 3.
    pub impersonation_level: u32,
    /// Number of the terminal session.
    pub session_id: u32,
    /// `AuthenticationId`: the logon session.
    pub authentication_id: u64,
    /// The other logon session of the same user, or 0.
    pub linked_logon_id: u64,
    /// `TokenFlags`.
    pub flags: u32,
    /// `TokenSource.SourceName`, at most 8 bytes.
    pub source: String,
    /// SID of the user and its attributes.
    pub user: (String, u32),
    /// SIDs of the groups and their attributes.
    pub groups: Vec<(String, u32)>,
    /// Restricted SIDs and their attributes.
    pub restricted: Vec<(String, u32)>,
    /// Capabilities and their attributes, where the layout has them.
    pub capabilities: Vec<(String, u32)>,
    /// `PrimaryGroup`.
    pub primary_group: String,
    /// `DefaultOwnerIndex`.
    pub default_owner: u32,
    /// Integrity level: the last number of its SID, which becomes the last group.
    pub integrity: Option<u32>,
    /// `Privileges.Present`, `Enabled` and `EnabledByDefault`.
    pub privileges: (u64, u64, u64),
    /// Name of the account and of what knows it.
    pub account: (String, String),
}

fn groups(list: &[(&str, u32)]) -> Vec<(String, u32)> {
    list.iter()
        .map(|(sid, attributes)| ((*sid).to_owned(), *attributes))
        .collect()
}

impl TokenSpec {
    /// The token of the machine itself.
    pub fn system(session_id: u32) -> Self {
        Self {
            kind: PRIMARY,
            impersonation_level: 0,
            session_id,
            authentication_id: SYSTEM_LOGON,
            linked_logon_id: 0,
            flags: USUAL_FLAGS,
            source: "*SYSTEM*".into(),
            user: ("S-1-5-18".into(), 0),
            groups: groups(&[
                ("S-1-5-32-544", OWNER & !1),
                ("S-1-1-0", ENABLED),
                ("S-1-5-11", ENABLED),
            ]),
            restricted: Vec::new(),
            capabilities: Vec::new(),
            primary_group: "S-1-5-18".into(),
            default_owner: 1,
            integrity: Some(0x4000),
            privileges: (ALL_PRIVILEGES, CHANGE_NOTIFY | 1 << 7, ALL_PRIVILEGES),
            account: ("HOST$".into(), "WORKGROUP".into()),
        }
    }

    /// The token of an administrator's everyday work.
    pub fn limited(session_id: u32) -> Self {
        Self {
            authentication_id: LIMITED_LOGON,
            linked_logon_id: FULL_LOGON,
            flags: USUAL_FLAGS | IS_FILTERED,
            source: "User32".into(),
            user: (USER.into(), 0),
            groups: groups(&[
                ("S-1-5-21-1004336348-1177238915-682003330-513", ENABLED),
                ("S-1-1-0", ENABLED),
                ("S-1-5-32-544", DENY_ONLY),
                ("S-1-5-32-545", ENABLED),
                ("S-1-5-4", ENABLED),
                ("S-1-5-5-0-137034", LOGON_ID),
            ]),
            primary_group: "S-1-5-21-1004336348-1177238915-682003330-513".into(),
            default_owner: 0,
            integrity: Some(0x2000),
            privileges: (FEW_PRIVILEGES, CHANGE_NOTIFY, CHANGE_NOTIFY),
            account: ("user".into(), "HOST".into()),
            ..Self::system(session_id)
        }
    }

    /// The token of an administrator with all rights.
    pub fn full(session_id: u32) -> Self {
        let mut token = Self {
            authentication_id: FULL_LOGON,
            linked_logon_id: LIMITED_LOGON,
            flags: USUAL_FLAGS,
            integrity: Some(0x3000),
            default_owner: 3,
            privileges: (MORE_PRIVILEGES, CHANGE_NOTIFY | 1 << 29, CHANGE_NOTIFY),
            ..Self::limited(session_id)
        };
        token.groups[2].1 = OWNER;
        token
    }

    /// The token of a process in a sandbox: restricted, and without an integrity level.
    pub fn restricted(session_id: u32) -> Self {
        Self {
            flags: USUAL_FLAGS | IS_RESTRICTED,
            restricted: groups(&[("S-1-5-12", ENABLED), ("S-1-0-0", ENABLED)]),
            capabilities: groups(&[("S-1-15-3-1", ENABLED & !3)]),
            integrity: None,
            ..Self::limited(session_id)
        }
    }

    /// The token of a thread that acts for this token's user.
    pub fn impersonating(self, level: u32) -> Self {
        Self {
            kind: IMPERSONATION,
            impersonation_level: level,
            source: "NtLmSsp".into(),
            ..self
        }
    }
}

/// The bytes of a SID in text form.
///
/// # Panics
/// When the text is none.
pub(crate) fn sid_bytes(text: &str) -> Vec<u8> {
    let mut parts = text
        .split('-')
        .skip(1)
        .map(|part| match part.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).expect("a number"),
            None => part.parse().expect("a number"),
        });
    let revision = parts.next().expect("a revision");
    let authority = parts.next().expect("an authority");
    let rest: Vec<_> = parts.collect();
    let mut bytes = vec![revision as u8, rest.len() as u8];
    bytes.extend(&authority.to_be_bytes()[2..]);
    bytes.extend(rest.iter().flat_map(|part| (*part as u32).to_le_bytes()));
    bytes
}

impl Guest {
    /// Makes a token: its address.
    pub fn create_token(&mut self, spec: &TokenSpec) -> u64 {
        let token = self.create_unnamed("Token", self.profile.size_of("_TOKEN"));
        let mut members = vec![spec.user.clone()];
        members.extend(spec.groups.iter().cloned());
        let integrity_index = spec.integrity.map(|level| {
            members.push((format!("S-1-16-{level}"), INTEGRITY));
            members.len() as u64 - 1
        });
        let logon_session = self.logon_session(spec);
        let ids = token_ids(token);
        let arrays =
            [&members, &spec.restricted, &spec.capabilities].map(|sids| self.place_sids(sids));
        let primary_group = self.place_sid(&spec.primary_group);
        let mut record = self.record("_TOKEN");
        record
            .put("TokenSource.SourceName", spec.source.as_bytes())
            .set("TokenSource.SourceIdentifier.LowPart", ids.source)
            .set("ExpirationTime.QuadPart", i64::MAX as u64)
            .set("SessionId", spec.session_id.into())
            .set("UserAndGroupCount", members.len() as u64)
            .set("UserAndGroups", arrays[0])
            .set("RestrictedSidCount", spec.restricted.len() as u64)
            .set("RestrictedSids", arrays[1])
            .set_if("CapabilityCount", spec.capabilities.len() as u64)
            .set_if("Capabilities", arrays[2])
            .set("PrimaryGroup", primary_group)
            .set("DefaultOwnerIndex", spec.default_owner.into())
            .set("Privileges.Present", spec.privileges.0)
            .set("Privileges.Enabled", spec.privileges.1)
            .set("Privileges.EnabledByDefault", spec.privileges.2)
            .set("TokenType", spec.kind.into())
            .set("ImpersonationLevel", spec.impersonation_level.into())
            .set("TokenFlags", spec.flags.into())
            .set("TokenInUse", (spec.kind == PRIMARY).into())
            .set("IntegrityLevelIndex", integrity_index.unwrap_or(NO_INDEX))
            .set("LogonSession", logon_session);
        for (name, id) in [
            ("TokenId", ids.token),
            ("AuthenticationId", spec.authentication_id),
            ("ParentTokenId", ids.parent),
            ("ModifiedId", ids.modified),
            ("OriginatingLogonSession", SYSTEM_LOGON),
        ] {
            record
                .set(&format!("{name}.LowPart"), id & 0xffff_ffff)
                .set(&format!("{name}.HighPart"), id >> 32);
        }
        self.write_record(token, &record);
        self.expect_token(token, spec, &members, &ids, logon_session);
        token
    }

    fn place_sid(&mut self, text: &str) -> u64 {
        let bytes = sid_bytes(text);
        let va = self.allocate(bytes.len() as u64);
        self.write(va, &bytes);
        va
    }

    /// An array of `_SID_AND_ATTRIBUTES`; nothing for no SIDs.
    fn place_sids(&mut self, sids: &[(String, u32)]) -> u64 {
        if sids.is_empty() {
            return 0;
        }
        let size = self.profile.size_of("_SID_AND_ATTRIBUTES");
        let array = self.allocate(size * sids.len() as u64);
        for (index, (text, attributes)) in sids.iter().enumerate() {
            let sid = self.place_sid(text);
            let mut record = self.record("_SID_AND_ATTRIBUTES");
            record
                .set("Sid", sid)
                .set("Attributes", (*attributes).into());
            self.write_record(array + size * index as u64, &record);
        }
        array
    }

    /// The logon session of a token, made when there is none yet.
    fn logon_session(&mut self, spec: &TokenSpec) -> u64 {
        let id = spec.authentication_id;
        if let Some(session) = self.logon_sessions.get(&id) {
            return *session;
        }
        let session = self.allocate(self.profile.size_of("_SEP_LOGON_SESSION_REFERENCES"));
        let (account, account_length) = self.allocate_string(&spec.account.0);
        let (authority, authority_length) = self.allocate_string(&spec.account.1);
        let mut record = self.record("_SEP_LOGON_SESSION_REFERENCES");
        record
            .set("LogonId.LowPart", id & 0xffff_ffff)
            .set("LogonId.HighPart", id >> 32)
            .set("BuddyLogonId.LowPart", spec.linked_logon_id & 0xffff_ffff)
            .set("BuddyLogonId.HighPart", spec.linked_logon_id >> 32)
            .set("ReferenceCount", 1)
            .set_string("AccountName", account_length, account)
            .set_string("AuthorityName", authority_length, authority);
        self.write_record(session, &record);
        self.logon_sessions.insert(id, session);
        session
    }

    fn expect_token(
        &mut self,
        token: u64,
        spec: &TokenSpec,
        members: &[(String, u32)],
        ids: &TokenIds,
        logon_session: u64,
    ) {
        let expected = |sids: &[(String, u32)]| -> Vec<_> {
            sids.iter()
                .map(|(sid, attributes)| ExpectedGroup {
                    sid: sid.clone(),
                    attributes: *attributes,
                })
                .collect()
        };
        let has_capabilities = self.profile.has_field("_TOKEN", "Capabilities");
        let all = expected(members);
        self.expected.tokens.push(ExpectedToken {
            address: token,
            kind: spec.kind,
            impersonation_level: spec.impersonation_level,
            id: ids.token,
            authentication_id: spec.authentication_id,
            parent_id: ids.parent,
            modified_id: ids.modified,
            originating_logon_id: SYSTEM_LOGON,
            expiration_time: i64::MAX as u64,
            session_id: spec.session_id,
            flags: spec.flags,
            in_use: spec.kind == PRIMARY,
            source_name: spec.source.clone(),
            source_id: ids.source,
            user: all[0].clone(),
            groups: all[1..].to_vec(),
            restricted: expected(&spec.restricted),
            capabilities: match has_capabilities {
                true => expected(&spec.capabilities),
                false => Vec::new(),
            },
            primary_group: spec.primary_group.clone(),
            default_owner: all[spec.default_owner as usize].sid.clone(),
            default_owner_index: spec.default_owner,
            integrity: spec.integrity,
            present: spec.privileges.0,
            enabled: spec.privileges.1,
            enabled_by_default: spec.privileges.2,
            elevation: match (spec.linked_logon_id, spec.flags & IS_FILTERED) {
                (0, _) => 1,
                (_, 0) => 2,
                _ => 3,
            },
            logon_session,
            linked_logon_id: spec.linked_logon_id,
            account: spec.account.0.clone(),
            authority: spec.account.1.clone(),
        });
    }
}

/// Identifiers of a token being made.
struct TokenIds {
    token: u64,
    parent: u64,
    modified: u64,
    source: u64,
}

/// Identifiers made from the token's address: different for each, with high parts.
fn token_ids(token: u64) -> TokenIds {
    let token = token >> 4 & 0xffff_ffff | 1 << 32;
    TokenIds {
        token,
        parent: token ^ 0xff,
        modified: token + clock::BOOT % 0x1_0001,
        source: token & 0xffff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_bytes() {
        assert_eq!(
            sid_bytes("S-1-5-32-544"),
            [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]
        );
        assert_eq!(sid_bytes("S-1-0x010000000000"), [1, 0, 1, 0, 0, 0, 0, 0]);
    }
}
