//! Tokens, SIDs, sessions, jobs and protection of forged guests, field by
//! field, on all eight layouts, whole and damaged.

mod damage;
mod groups;
#[path = "../support/mod.rs"]
mod support;

use winvmi::{
    core::Va,
    os::windows::{
        ElevationType, Group, Groups, ImpersonationLevel, IntegrityLevel, Luid, Token, TokenKind,
        Windows,
    },
};
use winvmi_forge::{Expected, ExpectedGroup, ExpectedToken};

/// What is told of the standard guest of each layout.
fn each_layout(check: impl Fn(&Windows, &Expected)) {
    support::altered(|_| {}, check);
}

fn assert_group(group: &Group, expected: &ExpectedGroup) {
    assert_eq!(group.sid.to_string(), expected.sid);
    assert_eq!(group.attributes.bits(), expected.attributes);
}

fn assert_groups(groups: Groups<'_>, expected: &[ExpectedGroup]) {
    let found: Vec<_> = groups.map(Result::unwrap).collect();
    assert_eq!(found.len(), expected.len());
    for (group, expected) in found.iter().zip(expected) {
        assert_group(group, expected);
    }
}

fn assert_identity(token: &Token<'_>, expected: &ExpectedToken) {
    assert_eq!(token.id().unwrap(), Luid(expected.id));
    let authentication = token.authentication_id().unwrap();
    assert_eq!(authentication, Luid(expected.authentication_id));
    assert_eq!(token.parent_id().unwrap(), Luid(expected.parent_id));
    assert_eq!(token.modified_id().unwrap(), Luid(expected.modified_id));
    let origin = token.originating_logon_id().unwrap();
    assert_eq!(origin, Luid(expected.originating_logon_id));
    assert_eq!(token.expiration_time().unwrap().0, expected.expiration_time);
    assert_eq!(token.session_id().unwrap(), expected.session_id);
    let source = token.source().unwrap();
    assert_eq!(source.name, expected.source_name);
    assert_eq!(source.id, Luid(expected.source_id));
    assert_eq!(token.kind().unwrap(), TokenKind::from(expected.kind));
    let level = ImpersonationLevel::from(expected.impersonation_level);
    assert_eq!(token.impersonation_level().unwrap(), level);
    assert_eq!(token.flags().unwrap().bits(), expected.flags);
    assert_eq!(token.is_in_use().unwrap(), expected.in_use);
}

fn assert_members(token: &Token<'_>, expected: &ExpectedToken) {
    assert_group(&token.user().unwrap(), &expected.user);
    assert_groups(token.groups(), &expected.groups);
    assert_groups(token.restricted_sids(), &expected.restricted);
    assert_groups(token.capabilities(), &expected.capabilities);
    let primary = token.primary_group().unwrap().unwrap();
    assert_eq!(primary.to_string(), expected.primary_group);
    assert_eq!(
        token.default_owner_index().unwrap(),
        expected.default_owner_index
    );
    let owner = token.default_owner().unwrap();
    assert_eq!(owner.to_string(), expected.default_owner);
    let integrity = token.integrity_level().unwrap();
    assert_eq!(integrity, expected.integrity.map(IntegrityLevel));
    assert_eq!(token.package().unwrap(), None);
    assert_eq!(token.trust_level().unwrap(), None);
}

fn assert_rights(token: &Token<'_>, expected: &ExpectedToken) {
    let privileges = token.privileges().unwrap();
    assert_eq!(privileges.present, expected.present);
    assert_eq!(privileges.enabled, expected.enabled);
    assert_eq!(privileges.enabled_by_default, expected.enabled_by_default);
    let elevation = match token.elevation_type().unwrap() {
        ElevationType::Default => 1,
        ElevationType::Full => 2,
        ElevationType::Limited => 3,
    };
    assert_eq!(elevation, expected.elevation);
    let session = token.logon_session().unwrap().unwrap();
    assert_eq!(session.address().0, expected.logon_session);
    assert_eq!(session.id().unwrap(), Luid(expected.authentication_id));
    assert_eq!(session.linked_id().unwrap(), Luid(expected.linked_logon_id));
    assert_eq!(session.account_name().unwrap(), expected.account);
    assert_eq!(session.authority_name().unwrap(), expected.authority);
}

fn assert_token(token: &Token<'_>, expected: &ExpectedToken) {
    assert_identity(token, expected);
    assert_members(token, expected);
    assert_rights(token, expected);
}

#[test]
fn tokens_of_every_process() {
    each_layout(|windows, expected| {
        let mut integrities = Vec::new();
        for process in &expected.processes {
            let token = windows.process(Va(process.object)).primary_token();
            let token = token.unwrap().unwrap();
            assert_eq!(token.object().0, process.token);
            let wanted = expected.token(process.token).unwrap();
            assert_token(&token, wanted);
            let mut buffer = [0; Token::SNAPSHOT];
            assert_token(&token.with_copy(&mut buffer), wanted);
            integrities.push(wanted.integrity);
        }
        integrities.sort_unstable();
        integrities.dedup();
        assert_eq!(integrities, [None, Some(0x2000), Some(0x4000)]);
    });
}

#[test]
fn tokens_of_threads() {
    each_layout(|windows, expected| {
        let mut impersonating = 0;
        for thread in &expected.threads {
            let process = expected
                .processes
                .iter()
                .find(|it| it.object == thread.process);
            let (Some(process), wanted) = (process, thread.impersonation_token) else {
                continue;
            };
            let token = windows.thread(Va(thread.object)).effective_token().unwrap();
            let wanted = if wanted == 0 { process.token } else { wanted };
            assert_eq!(token.object().0, wanted);
            if thread.impersonation_token != 0 {
                impersonating += 1;
                assert_token(&token, expected.token(wanted).unwrap());
                assert_eq!(token.kind().unwrap(), TokenKind::Impersonation);
            }
        }
        assert_eq!(impersonating, 1);
    });
}

#[test]
fn tokens_are_objects() {
    each_layout(|windows, expected| {
        for wanted in &expected.tokens {
            let object = windows.object(Va(wanted.address));
            let token = object.as_token().unwrap().unwrap();
            assert_token(&token, wanted);
            assert_eq!(token.as_object().address(), Va(wanted.address));
        }
        let other = windows.object(Va(expected.processes[0].object));
        assert!(other.as_token().unwrap().is_none());
    });
}
