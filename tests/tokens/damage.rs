//! Damaged tokens: an error or one gap, and whatever is good all the same.

use winvmi::{
    Error,
    core::Va,
    os::windows::{Token, Windows},
};
use winvmi_forge::{Expected, Guest};

use super::support;

/// Damages the token of the first process and hands it over.
fn each_damaged(damage: impl Fn(&mut Guest, u64), check: impl Fn(&Token<'_>)) {
    let of_system = |expected: &Expected| expected.processes[0].token;
    support::altered(
        |guest| {
            let token = of_system(guest.expected());
            damage(guest, token);
        },
        |windows: &Windows, expected| check(&Token::new(windows, Va(of_system(expected)))),
    );
}

/// Good groups and gaps.
fn groups(token: &Token<'_>) -> (usize, usize) {
    let all: Vec<_> = token.groups().collect();
    let good = all.iter().filter(|it| it.is_ok()).count();
    (good, all.len() - good)
}

#[test]
fn huge_counts_are_told_once() {
    for count in [4097, 0x7fff_ffff, 0xffff_ffff] {
        each_damaged(
            |guest, token| guest.poke_field(token, "_TOKEN", "UserAndGroupCount", count),
            |token| {
                assert_eq!(groups(token), (0, 1));
                assert!(matches!(token.user(), Err(Error::Corrupt { .. })));
                assert!(matches!(
                    token.integrity_level(),
                    Err(Error::Corrupt { .. })
                ));
                assert!(token.privileges().is_ok());
            },
        );
    }
}

#[test]
fn wild_arrays_are_told_once() {
    for array in [
        0,
        8,
        0xffff_8000_dead_0000,
        0x0001_0000_0000_0000,
        u64::MAX - 7,
    ] {
        each_damaged(
            |guest, token| guest.poke_field(token, "_TOKEN", "UserAndGroups", array),
            |token| {
                assert_eq!(groups(token), (0, 1));
                assert!(token.user().is_err());
                assert!(token.default_owner().is_err());
            },
        );
    }
}

/// Address of the SID of group `index` (0 is the user).
fn sid(guest: &Guest, token: u64, index: u64) -> u64 {
    let array = guest.peek_field(token, "_TOKEN", "UserAndGroups");
    let size = guest.profile().size_of("_SID_AND_ATTRIBUTES");
    guest.peek_field(array + size * index, "_SID_AND_ATTRIBUTES", "Sid")
}

#[test]
fn impossible_sids_cost_only_themselves() {
    for (field, value) in [("Revision", 0), ("Revision", 2), ("SubAuthorityCount", 16)] {
        each_damaged(
            |guest, token| {
                let sid = sid(guest, token, 2);
                guest.poke_field(sid, "_SID", field, value);
            },
            |token| {
                assert_eq!(groups(token), (3, 1));
                assert!(token.user().is_ok());
            },
        );
    }
    each_damaged(
        |guest, token| {
            let sid = sid(guest, token, 0);
            guest.poke_field(sid, "_SID", "SubAuthorityCount", 255);
        },
        |token| {
            assert!(matches!(token.user(), Err(Error::Corrupt { .. })));
            assert_eq!(groups(token), (4, 0));
        },
    );
}

#[test]
fn wild_sids_cost_only_themselves() {
    for pointer in [0, 0xffff_8000_dead_0000, 0x0001_0000_0000_0000, u64::MAX] {
        each_damaged(
            |guest, token| {
                let array = guest.peek_field(token, "_TOKEN", "UserAndGroups");
                let second = array + guest.profile().size_of("_SID_AND_ATTRIBUTES");
                guest.poke_field(second, "_SID_AND_ATTRIBUTES", "Sid", pointer);
                guest.poke_field(token, "_TOKEN", "PrimaryGroup", pointer | 1);
            },
            |token| {
                assert_eq!(groups(token), (3, 1));
                assert!(token.primary_group().is_err());
            },
        );
    }
}

#[test]
fn indices_beyond_the_groups_are_refused() {
    for index in [5, 0xffff, 0xffff_fffe] {
        each_damaged(
            |guest, token| {
                guest.poke_field(token, "_TOKEN", "DefaultOwnerIndex", index);
                guest.poke_field(token, "_TOKEN", "IntegrityLevelIndex", index);
            },
            |token| {
                assert!(matches!(token.default_owner(), Err(Error::Corrupt { .. })));
                assert!(matches!(
                    token.integrity_level(),
                    Err(Error::Corrupt { .. })
                ));
            },
        );
    }
}

#[test]
fn a_group_that_is_no_level_is_no_integrity_level() {
    each_damaged(
        |guest, token| guest.poke_field(token, "_TOKEN", "IntegrityLevelIndex", 1),
        |token| {
            assert!(matches!(
                token.integrity_level(),
                Err(Error::Corrupt { .. })
            ))
        },
    );
}

#[test]
fn a_token_in_the_void_has_nothing() {
    support::altered(
        |_| {},
        |windows, _| {
            let token = Token::new(windows, Va(0xffff_8000_dead_0000));
            assert_eq!(groups(&token), (0, 1));
            assert!(token.id().is_err());
            assert!(token.privileges().is_err());
            assert!(token.elevation_type().is_err());
        },
    );
}
