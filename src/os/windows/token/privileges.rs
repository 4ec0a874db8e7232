//! Privileges: what a token's owner may do whatever the objects' security says.

/// Name and number of each privilege: the number is the low part of its LUID.
pub const PRIVILEGES: [(u8, &str); 35] = [
    (2, "SeCreateTokenPrivilege"),
    (3, "SeAssignPrimaryTokenPrivilege"),
    (4, "SeLockMemoryPrivilege"),
    (5, "SeIncreaseQuotaPrivilege"),
    (6, "SeMachineAccountPrivilege"),
    (7, "SeTcbPrivilege"),
    (8, "SeSecurityPrivilege"),
    (9, "SeTakeOwnershipPrivilege"),
    (10, "SeLoadDriverPrivilege"),
    (11, "SeSystemProfilePrivilege"),
    (12, "SeSystemtimePrivilege"),
    (13, "SeProfileSingleProcessPrivilege"),
    (14, "SeIncreaseBasePriorityPrivilege"),
    (15, "SeCreatePagefilePrivilege"),
    (16, "SeCreatePermanentPrivilege"),
    (17, "SeBackupPrivilege"),
    (18, "SeRestorePrivilege"),
    (19, "SeShutdownPrivilege"),
    (20, "SeDebugPrivilege"),
    (21, "SeAuditPrivilege"),
    (22, "SeSystemEnvironmentPrivilege"),
    (23, "SeChangeNotifyPrivilege"),
    (24, "SeRemoteShutdownPrivilege"),
    (25, "SeUndockPrivilege"),
    (26, "SeSyncAgentPrivilege"),
    (27, "SeEnableDelegationPrivilege"),
    (28, "SeManageVolumePrivilege"),
    (29, "SeImpersonatePrivilege"),
    (30, "SeCreateGlobalPrivilege"),
    (31, "SeTrustedCredManAccessPrivilege"),
    (32, "SeRelabelPrivilege"),
    (33, "SeIncreaseWorkingSetPrivilege"),
    (34, "SeTimeZonePrivilege"),
    (35, "SeCreateSymbolicLinkPrivilege"),
    (36, "SeDelegateSessionUserImpersonatePrivilege"),
];

/// A privilege and its state in a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privilege {
    /// Number, 0 to 63.
    pub number: u8,
    /// Does the token have it?
    pub present: bool,
    /// May it be used now?
    pub enabled: bool,
    /// Was it enabled at first?
    pub enabled_by_default: bool,
}

impl Privilege {
    /// Name (`"SeDebugPrivilege"`), `None` for a number without a known one.
    pub fn name(&self) -> Option<&'static str> {
        let known = PRIVILEGES.iter().find(|(number, _)| *number == self.number);
        known.map(|(_, name)| *name)
    }
}

/// The privileges of a token, a bit for each. Corresponds to `_SEP_TOKEN_PRIVILEGES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Privileges {
    /// Those that the token has. Corresponds to `Present`.
    pub present: u64,
    /// Those that may be used now. Corresponds to `Enabled`.
    pub enabled: u64,
    /// Those that were enabled at first. Corresponds to `EnabledByDefault`.
    pub enabled_by_default: u64,
}

impl Privileges {
    /// The state of the privilege with this number.
    pub const fn get(&self, number: u8) -> Privilege {
        Privilege {
            number,
            present: bit(self.present, number),
            enabled: bit(self.enabled, number),
            enabled_by_default: bit(self.enabled_by_default, number),
        }
    }

    /// Every privilege with any bit set, in order of number.
    pub fn iter(&self) -> impl Iterator<Item = Privilege> + use<> {
        let all = *self;
        let any = all.present | all.enabled | all.enabled_by_default;
        (0..64)
            .filter(move |&number| bit(any, number))
            .map(move |number| all.get(number))
    }
}

const fn bit(mask: u64, number: u8) -> bool {
    match mask.checked_shr(number as u32) {
        Some(rest) => rest & 1 != 0,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_apart() {
        let privileges = Privileges {
            present: 1 << 20 | 1 << 23,
            enabled: 1 << 23,
            enabled_by_default: 1 << 23 | 1 << 63,
        };
        let found: Vec<_> = privileges.iter().collect();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].name(), Some("SeDebugPrivilege"));
        assert!(found[0].present && !found[0].enabled && !found[0].enabled_by_default);
        assert_eq!(found[1].name(), Some("SeChangeNotifyPrivilege"));
        assert!(found[1].present && found[1].enabled && found[1].enabled_by_default);
        assert_eq!((found[2].number, found[2].name()), (63, None));
        assert!(!privileges.get(255).present);
    }

    #[test]
    fn numbers_are_in_order() {
        let numbers: Vec<_> = PRIVILEGES.iter().map(|(number, _)| *number).collect();
        assert_eq!(numbers, (2..=36).collect::<Vec<_>>());
    }
}
