//! `wvmi_token`: on whose behalf a process or a thread acts.

use std::{
    ffi::{CString, c_char},
    sync::LazyLock,
};

use super::{
    error::About,
    ffi::{Call, Plain, copy_text},
    process::wvmi_process,
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
    thread::wvmi_thread,
    valid::Valid,
};
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{ElevationType, ImpersonationLevel, PRIVILEGES, Sid, Token, TokenKind, Windows},
};

/// A token: the address of its `_TOKEN`. A value, nothing to free.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_token {
    /// Address of the token object.
    pub object: u64,
}

// SAFETY: an integer; every bit pattern is valid.
unsafe impl Plain for wvmi_token {}

impl wvmi_token {
    pub(super) fn of(token: &Token<'_>) -> Self {
        Self {
            object: token.object().0,
        }
    }

    pub(super) fn get(self, windows: &Windows) -> Token<'_> {
        Token::new(windows, Va(self.object))
    }
}

/// Room for the text of any SID with its terminator, in bytes.
pub const WVMI_SID_SIZE: usize = 192;

/// Room for the name of any well-known SID with its terminator, in bytes.
pub const WVMI_SID_NAME_SIZE: usize = 64;

/// `wvmi_token_details.integrity_level` of a token without a level.
pub const WVMI_INTEGRITY_NONE: u32 = 0xffffffff;
/// `wvmi_token_details.type`: the token of a process.
pub const WVMI_TOKEN_PRIMARY: u32 = 1;
/// `wvmi_token_details.type`: the token of a thread that acts for a client.
pub const WVMI_TOKEN_IMPERSONATION: u32 = 2;
/// `wvmi_token_details.elevation_type`: the user has one token only.
pub const WVMI_ELEVATION_DEFAULT: u32 = 1;
/// `wvmi_token_details.elevation_type`: an administrator with all rights.
pub const WVMI_ELEVATION_FULL: u32 = 2;
/// `wvmi_token_details.elevation_type`: an administrator's everyday token.
pub const WVMI_ELEVATION_LIMITED: u32 = 3;

/// What is known about a token, filled by `wvmi_token_info()`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_token_details {
    /// Which of the other fields were read: `WVMI_TOKEN_VALID_*` bits.
    pub valid: u64,
    /// Address of the token object (`_TOKEN`); always filled.
    pub object: u64,
    /// Identifier of this token, a LUID (`_TOKEN.TokenId`).
    pub token_id: u64,
    /// Identifier of the logon session, a LUID (`_TOKEN.AuthenticationId`).
    pub authentication_id: u64,
    /// Identifier of the token that it was filtered from (`_TOKEN.ParentTokenId`).
    pub parent_id: u64,
    /// Changes with each change of the token (`_TOKEN.ModifiedId`).
    pub modified_id: u64,
    /// Identifier of the logon session that asked for this one
    /// (`_TOKEN.OriginatingLogonSession`).
    pub originating_logon_id: u64,
    /// Privileges that the token has, a bit for each number
    /// (`_TOKEN.Privileges.Present`); `wvmi_privilege_name()` names them.
    pub privileges_present: u64,
    /// Privileges that may be used now (`_TOKEN.Privileges.Enabled`).
    pub privileges_enabled: u64,
    /// Privileges that were enabled at first (`_TOKEN.Privileges.EnabledByDefault`).
    pub privileges_default: u64,
    /// `WVMI_TOKEN_PRIMARY` or `WVMI_TOKEN_IMPERSONATION`; other numbers in
    /// damaged tokens (`_TOKEN.TokenType`).
    pub r#type: u32,
    /// 0 anonymous, 1 identification, 2 impersonation, 3 delegation; means
    /// nothing in primary tokens (`_TOKEN.ImpersonationLevel`).
    pub impersonation_level: u32,
    /// Number of the terminal session (`_TOKEN.SessionId`).
    pub session_id: u32,
    /// `TOKEN_*` bits, as the kernel has them (`_TOKEN.TokenFlags`).
    pub flags: u32,
    /// 1 when a process was made with it (`_TOKEN.TokenInUse`).
    pub in_use: u32,
    /// One of `WVMI_ELEVATION_*`.
    pub elevation_type: u32,
    /// Integrity level: 0x1000 low, 0x2000 medium, 0x3000 high, 0x4000 system;
    /// `WVMI_INTEGRITY_NONE` without one (`_TOKEN.IntegrityLevelIndex`).
    pub integrity_level: u32,
    /// `SE_GROUP_*` bits of the user (`_TOKEN.UserAndGroups[0]`).
    pub user_attributes: u32,
    /// Name of who made the token, such as `"User32"` (`_TOKEN.TokenSource`).
    pub source: [c_char; 32],
    /// SID of the user, `"S-1-5-18"` (`_TOKEN.UserAndGroups[0]`).
    pub user: [c_char; WVMI_SID_SIZE],
    /// Name of the user when it is a well-known one, else empty.
    pub user_name: [c_char; WVMI_SID_NAME_SIZE],
    /// SID of the group of new objects; empty for none (`_TOKEN.PrimaryGroup`).
    pub primary_group: [c_char; WVMI_SID_SIZE],
    /// SID of the owner of new objects (`_TOKEN.DefaultOwnerIndex`).
    pub default_owner: [c_char; WVMI_SID_SIZE],
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_token_details {}

/// `token_id` was read.
pub const WVMI_TOKEN_VALID_TOKEN_ID: u64 = 1;
/// `authentication_id` was read.
pub const WVMI_TOKEN_VALID_AUTHENTICATION_ID: u64 = 2;
/// `parent_id` was read.
pub const WVMI_TOKEN_VALID_PARENT_ID: u64 = 4;
/// `modified_id` was read.
pub const WVMI_TOKEN_VALID_MODIFIED_ID: u64 = 8;
/// `originating_logon_id` was read.
pub const WVMI_TOKEN_VALID_ORIGINATING_LOGON_ID: u64 = 0x10;
/// `privileges_present`, `privileges_enabled` and `privileges_default` were read.
pub const WVMI_TOKEN_VALID_PRIVILEGES: u64 = 0x20;
/// `type` was read.
pub const WVMI_TOKEN_VALID_TYPE: u64 = 0x40;
/// `impersonation_level` was read.
pub const WVMI_TOKEN_VALID_IMPERSONATION_LEVEL: u64 = 0x80;
/// `session_id` was read.
pub const WVMI_TOKEN_VALID_SESSION_ID: u64 = 0x100;
/// `flags` was read.
pub const WVMI_TOKEN_VALID_FLAGS: u64 = 0x200;
/// `in_use` was read.
pub const WVMI_TOKEN_VALID_IN_USE: u64 = 0x400;
/// `elevation_type` was read.
pub const WVMI_TOKEN_VALID_ELEVATION_TYPE: u64 = 0x800;
/// `integrity_level` was read.
pub const WVMI_TOKEN_VALID_INTEGRITY_LEVEL: u64 = 0x1000;
/// `user`, `user_name` and `user_attributes` were read.
pub const WVMI_TOKEN_VALID_USER: u64 = 0x2000;
/// `source` was read.
pub const WVMI_TOKEN_VALID_SOURCE: u64 = 0x4000;
/// `primary_group` was read.
pub const WVMI_TOKEN_VALID_PRIMARY_GROUP: u64 = 0x8000;
/// `default_owner` was read.
pub const WVMI_TOKEN_VALID_DEFAULT_OWNER: u64 = 0x10000;

const fn type_number(kind: TokenKind) -> u32 {
    match kind {
        TokenKind::Primary => WVMI_TOKEN_PRIMARY,
        TokenKind::Impersonation => WVMI_TOKEN_IMPERSONATION,
        TokenKind::Unknown(number) => number,
    }
}

const fn level_number(level: ImpersonationLevel) -> u32 {
    match level {
        ImpersonationLevel::Anonymous => 0,
        ImpersonationLevel::Identification => 1,
        ImpersonationLevel::Impersonation => 2,
        ImpersonationLevel::Delegation => 3,
        ImpersonationLevel::Unknown(number) => number,
    }
}

const fn elevation_number(elevation: ElevationType) -> u32 {
    match elevation {
        ElevationType::Default => WVMI_ELEVATION_DEFAULT,
        ElevationType::Full => WVMI_ELEVATION_FULL,
        ElevationType::Limited => WVMI_ELEVATION_LIMITED,
    }
}

/// The text of a SID as a field.
pub fn sid_text(sid: Option<Sid>) -> [c_char; WVMI_SID_SIZE] {
    copy_text(&sid.map(|sid| sid.to_string()).unwrap_or_default())
}

/// The well-known name of a SID as a field.
pub fn sid_name(sid: Option<Sid>) -> [c_char; WVMI_SID_NAME_SIZE] {
    copy_text(
        sid.and_then(|sid| sid.well_known_name())
            .unwrap_or_default(),
    )
}

fn describe(token: Token<'_>) -> (wvmi_token_details, Valid) {
    let mut buffer = [0; Token::SNAPSHOT];
    let it = token.with_copy(&mut buffer);
    let mut valid = Valid::default();
    let v = &mut valid;
    let privileges = v.take(WVMI_TOKEN_VALID_PRIVILEGES, it.privileges());
    let user = v.found(WVMI_TOKEN_VALID_USER, it.user());
    let source = v.found(WVMI_TOKEN_VALID_SOURCE, it.source());
    let primary_group = v.found(WVMI_TOKEN_VALID_PRIMARY_GROUP, it.primary_group());
    let default_owner = v.found(WVMI_TOKEN_VALID_DEFAULT_OWNER, it.default_owner());
    let integrity = it
        .integrity_level()
        .map(|level| level.map_or(WVMI_INTEGRITY_NONE, |level| level.0));
    let details = wvmi_token_details {
        valid: 0,
        object: it.object().0,
        token_id: v.take(WVMI_TOKEN_VALID_TOKEN_ID, it.id()).0,
        authentication_id: v
            .take(WVMI_TOKEN_VALID_AUTHENTICATION_ID, it.authentication_id())
            .0,
        parent_id: v.take(WVMI_TOKEN_VALID_PARENT_ID, it.parent_id()).0,
        modified_id: v.take(WVMI_TOKEN_VALID_MODIFIED_ID, it.modified_id()).0,
        originating_logon_id: v
            .take(
                WVMI_TOKEN_VALID_ORIGINATING_LOGON_ID,
                it.originating_logon_id(),
            )
            .0,
        privileges_present: privileges.present,
        privileges_enabled: privileges.enabled,
        privileges_default: privileges.enabled_by_default,
        r#type: v.take(WVMI_TOKEN_VALID_TYPE, it.kind().map(type_number)),
        impersonation_level: v.take(
            WVMI_TOKEN_VALID_IMPERSONATION_LEVEL,
            it.impersonation_level().map(level_number),
        ),
        session_id: v.take(WVMI_TOKEN_VALID_SESSION_ID, it.session_id()),
        flags: v.take(WVMI_TOKEN_VALID_FLAGS, it.flags().map(|flags| flags.bits())),
        in_use: v.take(WVMI_TOKEN_VALID_IN_USE, it.is_in_use()).into(),
        elevation_type: v.take(
            WVMI_TOKEN_VALID_ELEVATION_TYPE,
            it.elevation_type().map(elevation_number),
        ),
        integrity_level: v.take(WVMI_TOKEN_VALID_INTEGRITY_LEVEL, integrity),
        user_attributes: user.map_or(0, |user| user.attributes.bits()),
        source: copy_text(&source.map(|source| source.name).unwrap_or_default()),
        user: sid_text(user.map(|user| user.sid)),
        user_name: sid_name(user.map(|user| user.sid)),
        primary_group: sid_text(primary_group.flatten()),
        default_owner: sid_text(default_owner),
    };
    let valid_bits = valid.bits();
    (
        wvmi_token_details {
            valid: valid_bits,
            ..details
        },
        valid,
    )
}

/// Names of all privileges with their numbers, as C strings.
static PRIVILEGE_NAMES: LazyLock<Vec<(u32, CString)>> = LazyLock::new(|| {
    PRIVILEGES
        .iter()
        .filter_map(|(number, name)| Some(((*number).into(), CString::new(*name).ok()?)))
        .collect()
});

fn no_token() -> Error {
    Error::not_found("the token of the process")
}

/// Gets the primary token of a process (`_EPROCESS.Token`).
///
/// `token` receives it.
///
/// Returns `WVMI_OK`, `WVMI_ERROR_NOT_FOUND` for a process without one,
/// `WVMI_ERROR_FAULT`, `WVMI_ERROR_NULL_ARGUMENT`, `WVMI_ERROR_NO_KERNEL`, or
/// `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_process_token(
    session: *mut wvmi_session,
    process: wvmi_process,
    token: *mut wvmi_token,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_process_token") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(token, "token")?;
        let found = process.get(session.engine().windows()?).primary_token();
        let found = found.and_then(|found| found.ok_or_else(no_token));
        output.write(wvmi_token::of(&found.about("process", process.object)?));
        Ok(WVMI_OK)
    })
}

/// Gets the token that a thread acts with: the one that it impersonates with,
/// else that of its process.
///
/// `token` receives it.
///
/// Returns as `wvmi_process_token()`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_thread_token(
    session: *mut wvmi_session,
    thread: wvmi_thread,
    token: *mut wvmi_token,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_thread_token") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.output(token, "token")?;
        let found: Result<Token<'_>> = thread.get(session.engine().windows()?).effective_token();
        output.write(wvmi_token::of(&found.about("thread", thread.object)?));
        Ok(WVMI_OK)
    })
}

/// Tells everything about a token but its groups in one call;
/// `wvmi_token_sid_iter_new()` lists those.
///
/// What cannot be read is left 0 and out of `details->valid`; the rest is
/// filled.
///
/// `details` receives the facts, `size` is `sizeof *details`.
///
/// Returns `WVMI_OK` when at least one field was read; `WVMI_ERROR_FAULT` when
/// none was; `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`;
/// `WVMI_ERROR_NO_KERNEL`; `WVMI_ERROR_NO_SYMBOLS`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_token_info(
    session: *mut wvmi_session,
    token: wvmi_token,
    details: *mut wvmi_token_details,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_token_info") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(details, size, "details")?;
        let (details, valid) = describe(token.get(session.engine().windows()?));
        valid.finish().about("token", token.object)?;
        output.write(details);
        Ok(WVMI_OK)
    })
}

/// Name of a privilege.
///
/// `number` is the number of its bit in `wvmi_token_details`, 0 to 63.
///
/// Returns a static string such as `"SeDebugPrivilege"`, or `"unknown"`. Never
/// NULL, never to be freed.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn wvmi_privilege_name(number: u32) -> *const c_char {
    let known = PRIVILEGE_NAMES.iter().find(|(it, _)| *it == number);
    known.map_or(c"unknown", |(_, name)| name).as_ptr()
}
