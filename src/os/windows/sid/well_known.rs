//! SIDs that mean the same everywhere.

use super::Sid;

/// The authority of accounts, services and most groups.
const NT: u64 = 5;
/// First sub-authority of accounts of a machine or a domain, which three random ones follow.
const DOMAIN: u32 = 21;
/// Sub-authorities of an account of a domain.
const DOMAIN_ACCOUNT: usize = 5;
/// First sub-authority and length of the SID of a logon session.
const LOGON: (u32, usize) = (5, 3);
/// First sub-authority of window managers, font drivers and virtual accounts; the last is theirs.
const WINDOW_MANAGER: u32 = 90;
const FONT_DRIVER: u32 = 96;
/// First sub-authority of services' SIDs.
const SERVICE: u32 = 80;
const APP_PACKAGE: u64 = 15;

/// Name of `sid`, `None` for those that a machine or domain made up itself.
pub(super) fn name(sid: &Sid) -> Option<&'static str> {
    let parts = sid.sub_authorities();
    let exact = NAMES
        .iter()
        .find(|(authority, known, _)| *authority == sid.authority && *known == parts);
    match exact {
        Some((_, _, name)) => Some(name),
        None => family(sid.authority, parts),
    }
}

/// SIDs of which only a part is fixed.
fn family(authority: u64, parts: &[u32]) -> Option<&'static str> {
    match (authority, parts) {
        (NT, [DOMAIN, .., id]) if parts.len() == DOMAIN_ACCOUNT => domain_account(*id),
        (NT, [first, ..]) if (*first, parts.len()) == LOGON => Some("Logon session"),
        (NT, [WINDOW_MANAGER, 0, _]) => Some("Window Manager\\DWM"),
        (NT, [FONT_DRIVER, 0, _]) => Some("Font Driver Host\\UMFD"),
        (NT, [SERVICE, _, _, _, _, _]) => Some("NT SERVICE"),
        (APP_PACKAGE, [2, ..]) => Some("App package"),
        (APP_PACKAGE, [3, ..]) => Some("App capability"),
        _ => None,
    }
}

fn domain_account(id: u32) -> Option<&'static str> {
    let found = DOMAIN_ACCOUNTS.iter().find(|(known, _)| *known == id);
    found.map(|(_, name)| *name)
}

const DOMAIN_ACCOUNTS: &[(u32, &str)] = &[
    (498, "Enterprise Read-only Domain Controllers"),
    (500, "Administrator"),
    (501, "Guest"),
    (502, "krbtgt"),
    (503, "DefaultAccount"),
    (504, "WDAGUtilityAccount"),
    (512, "Domain Admins"),
    (513, "Domain Users"),
    (514, "Domain Guests"),
    (515, "Domain Computers"),
    (516, "Domain Controllers"),
    (517, "Cert Publishers"),
    (518, "Schema Admins"),
    (519, "Enterprise Admins"),
    (520, "Group Policy Creator Owners"),
    (521, "Read-only Domain Controllers"),
    (522, "Cloneable Domain Controllers"),
    (525, "Protected Users"),
    (526, "Key Admins"),
    (527, "Enterprise Key Admins"),
    (553, "RAS and IAS Servers"),
    (571, "Allowed RODC Password Replication Group"),
    (572, "Denied RODC Password Replication Group"),
];

type Known = (u64, &'static [u32], &'static str);

const NAMES: &[Known] = &[
    (0, &[0], "NULL SID"),
    (1, &[0], "Everyone"),
    (2, &[0], "LOCAL"),
    (2, &[1], "CONSOLE LOGON"),
    (3, &[0], "CREATOR OWNER"),
    (3, &[1], "CREATOR GROUP"),
    (3, &[2], "CREATOR OWNER SERVER"),
    (3, &[3], "CREATOR GROUP SERVER"),
    (3, &[4], "OWNER RIGHTS"),
    (NT, &[1], "NT AUTHORITY\\DIALUP"),
    (NT, &[2], "NT AUTHORITY\\NETWORK"),
    (NT, &[3], "NT AUTHORITY\\BATCH"),
    (NT, &[4], "NT AUTHORITY\\INTERACTIVE"),
    (NT, &[6], "NT AUTHORITY\\SERVICE"),
    (NT, &[7], "NT AUTHORITY\\ANONYMOUS LOGON"),
    (NT, &[8], "NT AUTHORITY\\PROXY"),
    (NT, &[9], "NT AUTHORITY\\ENTERPRISE DOMAIN CONTROLLERS"),
    (NT, &[10], "NT AUTHORITY\\SELF"),
    (NT, &[11], "NT AUTHORITY\\Authenticated Users"),
    (NT, &[12], "NT AUTHORITY\\RESTRICTED"),
    (NT, &[13], "NT AUTHORITY\\TERMINAL SERVER USER"),
    (NT, &[14], "NT AUTHORITY\\REMOTE INTERACTIVE LOGON"),
    (NT, &[15], "NT AUTHORITY\\This Organization"),
    (NT, &[17], "NT AUTHORITY\\IUSR"),
    (NT, &[18], "NT AUTHORITY\\SYSTEM"),
    (NT, &[19], "NT AUTHORITY\\LOCAL SERVICE"),
    (NT, &[20], "NT AUTHORITY\\NETWORK SERVICE"),
    (NT, &[32, 544], "BUILTIN\\Administrators"),
    (NT, &[32, 545], "BUILTIN\\Users"),
    (NT, &[32, 546], "BUILTIN\\Guests"),
    (NT, &[32, 547], "BUILTIN\\Power Users"),
    (NT, &[32, 548], "BUILTIN\\Account Operators"),
    (NT, &[32, 549], "BUILTIN\\Server Operators"),
    (NT, &[32, 550], "BUILTIN\\Print Operators"),
    (NT, &[32, 551], "BUILTIN\\Backup Operators"),
    (NT, &[32, 552], "BUILTIN\\Replicator"),
    (
        NT,
        &[32, 554],
        "BUILTIN\\Pre-Windows 2000 Compatible Access",
    ),
    (NT, &[32, 555], "BUILTIN\\Remote Desktop Users"),
    (NT, &[32, 556], "BUILTIN\\Network Configuration Operators"),
    (NT, &[32, 557], "BUILTIN\\Incoming Forest Trust Builders"),
    (NT, &[32, 558], "BUILTIN\\Performance Monitor Users"),
    (NT, &[32, 559], "BUILTIN\\Performance Log Users"),
    (
        NT,
        &[32, 560],
        "BUILTIN\\Windows Authorization Access Group",
    ),
    (NT, &[32, 561], "BUILTIN\\Terminal Server License Servers"),
    (NT, &[32, 562], "BUILTIN\\Distributed COM Users"),
    (NT, &[32, 568], "BUILTIN\\IIS_IUSRS"),
    (NT, &[32, 569], "BUILTIN\\Cryptographic Operators"),
    (NT, &[32, 573], "BUILTIN\\Event Log Readers"),
    (NT, &[32, 574], "BUILTIN\\Certificate Service DCOM Access"),
    (NT, &[32, 575], "BUILTIN\\RDS Remote Access Servers"),
    (NT, &[32, 576], "BUILTIN\\RDS Endpoint Servers"),
    (NT, &[32, 577], "BUILTIN\\RDS Management Servers"),
    (NT, &[32, 578], "BUILTIN\\Hyper-V Administrators"),
    (
        NT,
        &[32, 579],
        "BUILTIN\\Access Control Assistance Operators",
    ),
    (NT, &[32, 580], "BUILTIN\\Remote Management Users"),
    (NT, &[32, 581], "BUILTIN\\System Managed Accounts Group"),
    (NT, &[32, 583], "BUILTIN\\Device Owners"),
    (NT, &[33], "NT AUTHORITY\\WRITE RESTRICTED"),
    (NT, &[64, 10], "NT AUTHORITY\\NTLM Authentication"),
    (NT, &[64, 14], "NT AUTHORITY\\SChannel Authentication"),
    (NT, &[64, 21], "NT AUTHORITY\\Digest Authentication"),
    (NT, &[65, 1], "NT AUTHORITY\\This Organization Certificate"),
    (NT, &[80, 0], "NT SERVICE\\ALL SERVICES"),
    (NT, &[83, 0], "NT VIRTUAL MACHINE\\Virtual Machines"),
    (NT, &[84, 0, 0, 0, 0, 0], "NT AUTHORITY\\USER MODE DRIVERS"),
    (NT, &[90, 0], "Window Manager\\Window Manager Group"),
    (NT, &[113], "NT AUTHORITY\\Local account"),
    (
        NT,
        &[114],
        "NT AUTHORITY\\Local account and member of Administrators group",
    ),
    (NT, &[1000], "NT AUTHORITY\\Other Organization"),
    (APP_PACKAGE, &[2, 1], "ALL APPLICATION PACKAGES"),
    (APP_PACKAGE, &[2, 2], "ALL RESTRICTED APPLICATION PACKAGES"),
    (APP_PACKAGE, &[3, 1], "Capability: internet client"),
    (
        APP_PACKAGE,
        &[3, 2],
        "Capability: internet client and server",
    ),
    (
        APP_PACKAGE,
        &[3, 3],
        "Capability: private network client and server",
    ),
    (APP_PACKAGE, &[3, 4], "Capability: pictures library"),
    (APP_PACKAGE, &[3, 5], "Capability: videos library"),
    (APP_PACKAGE, &[3, 6], "Capability: music library"),
    (APP_PACKAGE, &[3, 7], "Capability: documents library"),
    (
        APP_PACKAGE,
        &[3, 8],
        "Capability: enterprise authentication",
    ),
    (APP_PACKAGE, &[3, 9], "Capability: shared user certificates"),
    (APP_PACKAGE, &[3, 10], "Capability: removable storage"),
    (16, &[0], "Untrusted Mandatory Level"),
    (16, &[0x1000], "Low Mandatory Level"),
    (16, &[0x2000], "Medium Mandatory Level"),
    (16, &[0x2100], "Medium Plus Mandatory Level"),
    (16, &[0x3000], "High Mandatory Level"),
    (16, &[0x4000], "System Mandatory Level"),
    (16, &[0x5000], "Protected Process Mandatory Level"),
    (18, &[1], "Authentication authority asserted identity"),
    (18, &[2], "Service asserted identity"),
    (18, &[3], "Fresh public key identity"),
    (18, &[4], "Key trust identity"),
    (18, &[5], "Key property multi-factor authentication"),
    (18, &[6], "Key property attestation"),
    (19, &[512, 4096], "Trust label: protected light, Windows"),
    (19, &[512, 8192], "Trust label: protected light, WinTcb"),
    (19, &[1024, 4096], "Trust label: protected, Windows"),
    (19, &[1024, 8192], "Trust label: protected, WinTcb"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(authority: u8, parts: &[u32]) -> Sid {
        let mut bytes = vec![1, parts.len() as u8, 0, 0, 0, 0, 0, authority];
        bytes.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        Sid::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn names_are_found() {
        let name = |authority, parts: &[u32]| sid(authority, parts).well_known_name();
        assert_eq!(name(5, &[18]), Some("NT AUTHORITY\\SYSTEM"));
        assert_eq!(name(5, &[32, 544]), Some("BUILTIN\\Administrators"));
        assert_eq!(name(5, &[21, 1, 2, 3, 500]), Some("Administrator"));
        assert_eq!(name(5, &[21, 1, 2, 3, 1001]), None);
        assert_eq!(name(5, &[21, 500]), None);
        assert_eq!(name(5, &[5, 0, 0x12345]), Some("Logon session"));
        assert_eq!(name(5, &[90, 0, 1]), Some("Window Manager\\DWM"));
        assert_eq!(name(16, &[0x3000]), Some("High Mandatory Level"));
        assert_eq!(name(7, &[]), None);
    }

    #[test]
    fn no_sid_has_two_names() {
        for (at, known) in NAMES.iter().enumerate() {
            let same = |other: &Known| (other.0, other.1) == (known.0, known.1);
            assert!(!NAMES[at + 1..].iter().any(same), "{}", known.2);
        }
    }
}
