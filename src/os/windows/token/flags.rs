//! `TOKEN_*`: properties of a token.

use bitflags::bitflags;

bitflags! {
    /// Properties of a token. Corresponds to `_TOKEN.TokenFlags`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct TokenFlags: u32 {
        /// It has the traverse privilege (`SeChangeNotifyPrivilege`).
        const HAS_TRAVERSE_PRIVILEGE = 0x0001;
        /// It has the backup privilege.
        const HAS_BACKUP_PRIVILEGE = 0x0002;
        /// It has the restore privilege.
        const HAS_RESTORE_PRIVILEGE = 0x0004;
        /// Its restricted SIDs count for writes only.
        const WRITE_RESTRICTED = 0x0008;
        /// It has restricted SIDs.
        const IS_RESTRICTED = 0x0010;
        /// It does not hold a reference to its terminal session.
        const SESSION_NOT_REFERENCED = 0x0020;
        /// Software restriction policies do not apply to it.
        const SANDBOX_INERT = 0x0040;
        /// It has the impersonation privilege.
        const HAS_IMPERSONATE_PRIVILEGE = 0x0080;
        /// The backup and restore privileges were checked.
        const BACKUP_PRIVILEGES_CHECKED = 0x0100;
        /// Writes to system places may be redirected.
        const VIRTUALIZE_ALLOWED = 0x0200;
        /// Writes to system places are redirected.
        const VIRTUALIZE_ENABLED = 0x0400;
        /// It was made by taking rights from another token.
        const IS_FILTERED = 0x0800;
        /// It may drive the windows of processes above its integrity level.
        const UI_ACCESS = 0x1000;
        /// Its integrity level is above low.
        const NOT_LOW = 0x2000;
        /// It is that of an app container.
        const LOW_BOX = 0x4000;
        /// It has claims of its own.
        const HAS_OWN_CLAIM_ATTRIBUTES = 0x8000;
        /// It has a private object namespace.
        const PRIVATE_NAMESPACE = 0x1_0000;
        /// Global attributes do not count in queries.
        const DO_NOT_USE_GLOBAL_ATTRIBUTES = 0x2_0000;
        /// It may open encrypted files for backup.
        const SPECIAL_ENCRYPTED_OPEN = 0x4_0000;
        /// Its process may not make others.
        const NO_CHILD_PROCESS = 0x8_0000;
        /// Its process may make only secure ones.
        const NO_CHILD_PROCESS_UNLESS_SECURE = 0x10_0000;
        /// Making a process is audited.
        const AUDIT_NO_CHILD_PROCESS = 0x20_0000;
    }
}
