//! Where the fields of a token are.

use isr::macros::Field;

use crate::{
    error::{Error, Result},
    os::windows::layouts::missing,
    symbols::Profile,
};

isr::macros::offsets! {
    /// Where the fields of a token and of what it refers to are.
    pub struct Fields {
        struct _TOKEN {
            TokenSource: Field,
            TokenId: Field,
            AuthenticationId: Field,
            ParentTokenId: Field,
            ExpirationTime: Field,
            ModifiedId: Field,
            Privileges: Field,
            SessionId: Field,
            UserAndGroupCount: Field,
            RestrictedSidCount: Field,
            DefaultOwnerIndex: Field,
            UserAndGroups: Field,
            RestrictedSids: Field,
            PrimaryGroup: Field,
            TokenFlags: Field,
            TokenInUse: Field,
            IntegrityLevelIndex: Field,
            LogonSession: Field,
            OriginatingLogonSession: Field,
            Package: Option<Field>,
            Capabilities: Option<Field>,
            CapabilityCount: Option<Field>,
            TrustLevelSid: Option<Field>,
            IntegrityLevelSidValue: Option<Field>,
        }

        struct _TOKEN_SOURCE {
            SourceName: Field,
            SourceIdentifier: Field,
        }

        struct _SEP_TOKEN_PRIVILEGES {
            Present: Field,
            Enabled: Field,
            EnabledByDefault: Field,
        }

        struct _SID_AND_ATTRIBUTES {
            Sid: Field,
            Attributes: Field,
        }

        struct _SEP_LOGON_SESSION_REFERENCES {
            LogonId: Field,
            BuddyLogonId: Field,
            AccountName: Option<Field>,
            AuthorityName: Option<Field>,
        }
    }
}

/// Size of an enumeration in a structure, in bytes.
const ENUMERATION: u64 = 4;

/// Offsets of a token.
pub struct Layout {
    pub(super) fields: Fields,
    pub(super) kind: Field,
    pub(super) impersonation_level: Field,
}

impl Layout {
    pub fn new(profile: &Profile) -> Result<Self> {
        Ok(Self {
            fields: Fields::new(profile.isr()).map_err(missing)?,
            kind: enumeration(profile, "TokenType")?,
            impersonation_level: enumeration(profile, "ImpersonationLevel")?,
        })
    }
}

/// A field whose enumeration the symbols may lack: then they do not tell its size.
fn enumeration(profile: &Profile, name: &'static str) -> Result<Field> {
    let field = profile.field("_TOKEN", name);
    let field = field.ok_or_else(|| Error::layout(format!("_TOKEN.{name}")))?;
    Ok(Field::new(field.offset, ENUMERATION))
}
