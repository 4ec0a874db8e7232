//! `winvmi tokens`

use winvmi::{
    Result,
    os::windows::{
        ElevationType, Groups, ImpersonationLevel, Luid, Privilege, Process, Sid, Token, TokenKind,
    },
};

use crate::{
    args::ProcessFilter,
    output::{Report, Row, Value},
    target::{Guest, process_row},
};

const COLUMNS: &[&str] = &[
    "pid",
    "tid",
    "name",
    "user",
    "user_name",
    "integrity_name",
    "elevation_name",
    "session_id",
];

pub fn run(guest: &Guest, filter: &ProcessFilter) -> Result<Report> {
    let mut report = guest.list(COLUMNS);
    for process in guest.processes(filter, &mut report)? {
        match process.primary_token() {
            Ok(Some(token)) => add(&mut report, &process, Value::None, &token),
            Ok(None) => {}
            Err(gap) => report.gap(gap),
        }
        impersonation_tokens(&process, &mut report);
    }
    Ok(report)
}

/// The tokens that threads of the process act with.
fn impersonation_tokens(process: &Process<'_>, report: &mut Report) {
    for thread in process.threads() {
        let token = thread.and_then(|thread| Ok((thread.id()?, thread.impersonation()?)));
        match token {
            Ok((tid, Some(token))) => add(report, process, tid.into(), &token),
            Ok((_, None)) => {}
            Err(gap) => report.gap(gap),
        }
    }
}

fn add(report: &mut Report, process: &Process<'_>, tid: Value, token: &Token<'_>) {
    let mut buffer = [0; Token::SNAPSHOT];
    let token = token.with_copy(&mut buffer);
    let lists = [
        ("groups", token.groups()),
        ("restricted_sids", token.restricted_sids()),
        ("capabilities", token.capabilities()),
    ];
    let row = process_row(process)
        .with("tid", tid)
        .with("name", process.name());
    let mut row = facts(row, &token);
    for (name, groups) in lists {
        row = row.with(name, members(groups, report));
    }
    let privileges = token
        .privileges()
        .map(|it| it.iter().map(privilege).collect());
    report.push(row.with("privileges", privileges.map(Value::Rows)));
}

fn facts(row: Row, token: &Token<'_>) -> Row {
    let user = token.user();
    let source = token.source();
    let integrity = token.integrity_level();
    row.with("object", token.object())
        .with("type", token.kind().map(kind_name))
        .with(
            "impersonation_level",
            token.impersonation_level().map(level_name),
        )
        .with("token_id", token.id().map(luid))
        .with("authentication_id", token.authentication_id().map(luid))
        .with("parent_id", token.parent_id().map(luid))
        .with("modified_id", token.modified_id().map(luid))
        .with(
            "originating_logon_id",
            token.originating_logon_id().map(luid),
        )
        .with("session_id", token.session_id())
        .with("source", source.map(|source| source.name))
        .with(
            "flags",
            token.flags().map(|it| Value::Address(it.bits().into())),
        )
        .with("in_use", token.is_in_use())
        .with("elevation_name", token.elevation_type().map(elevation_name))
        .with(
            "integrity_level",
            integrity.as_ref().ok().map(|it| it.map(|it| it.0)),
        )
        .with("integrity_name", integrity.map(|it| it.map(|it| it.name())))
        .with("user", user.as_ref().ok().map(|it| it.sid.to_string()))
        .with(
            "user_attributes",
            user.as_ref().ok().map(|it| it.attributes.bits()),
        )
        .with("user_name", user.map(|it| it.sid.well_known_name()))
        .with(
            "primary_group",
            token.primary_group().map(|it| it.map(text)),
        )
        .with("default_owner", token.default_owner().map(text))
}

fn members(groups: Groups<'_>, report: &mut Report) -> Value {
    let mut rows = Vec::new();
    for group in groups {
        match group {
            Ok(group) => rows.push(
                Row::default()
                    .with("sid", text(group.sid))
                    .with("name", group.sid.well_known_name())
                    .with("attributes", Value::Address(group.attributes.bits().into())),
            ),
            Err(gap) => report.gap(gap),
        }
    }
    Value::Rows(rows)
}

fn privilege(privilege: Privilege) -> Row {
    Row::default()
        .with("number", privilege.number)
        .with("name", privilege.name())
        .with("present", privilege.present)
        .with("enabled", privilege.enabled)
        .with("enabled_by_default", privilege.enabled_by_default)
}

fn luid(luid: Luid) -> Value {
    Value::Address(luid.0)
}

fn text(sid: Sid) -> String {
    sid.to_string()
}

const fn kind_name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Primary => "primary",
        TokenKind::Impersonation => "impersonation",
        TokenKind::Unknown(_) => "unknown",
    }
}

const fn level_name(level: ImpersonationLevel) -> &'static str {
    match level {
        ImpersonationLevel::Anonymous => "anonymous",
        ImpersonationLevel::Identification => "identification",
        ImpersonationLevel::Impersonation => "impersonation",
        ImpersonationLevel::Delegation => "delegation",
        ImpersonationLevel::Unknown(_) => "unknown",
    }
}

const fn elevation_name(elevation: ElevationType) -> &'static str {
    match elevation {
        ElevationType::Default => "default",
        ElevationType::Full => "full",
        ElevationType::Limited => "limited",
    }
}
