//! `_PS_PROTECTION`: processes that others may not open.

use super::Process;
use crate::error::{Error, Result};

/// How far a process is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProtectionKind {
    /// 0: not at all.
    None,
    /// 1: against processes that are not protected (PPL).
    Light,
    /// 2: against all but protected ones of an equal or higher signer.
    Full,
    /// Any other value: damaged.
    Unknown(u8),
}

/// Who must have signed a protected process's files; the higher one prevails
/// (`_PS_PROTECTED_SIGNER`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtectionSigner(pub u8);

/// Names of the signers, by number.
const SIGNERS: [&str; 9] = [
    "none",
    "authenticode",
    "code generation",
    "antimalware",
    "LSA",
    "Windows",
    "WinTcb",
    "WinSystem",
    "app",
];

impl ProtectionSigner {
    /// Name (`"WinTcb"`), `None` for an unknown number.
    pub fn name(self) -> Option<&'static str> {
        SIGNERS.get(usize::from(self.0)).copied()
    }
}

/// The protection of a process. Corresponds to `_PS_PROTECTION.Level`, a byte:
/// type in the low three bits, audit above it, the signer in the high four bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessProtection(pub u8);

impl ProcessProtection {
    const TYPE: u8 = 0x07;
    const AUDIT: u8 = 0x08;
    const SIGNER_SHIFT: u32 = 4;

    /// How far the process is protected. Corresponds to `_PS_PROTECTION.Type`.
    pub const fn kind(self) -> ProtectionKind {
        match self.0 & Self::TYPE {
            0 => ProtectionKind::None,
            1 => ProtectionKind::Light,
            2 => ProtectionKind::Full,
            other => ProtectionKind::Unknown(other),
        }
    }

    /// Is what the protection denies only written down, not denied?
    /// Corresponds to `_PS_PROTECTION.Audit`.
    pub const fn is_audit(self) -> bool {
        self.0 & Self::AUDIT != 0
    }

    /// Who signed it. Corresponds to `_PS_PROTECTION.Signer`.
    pub const fn signer(self) -> ProtectionSigner {
        ProtectionSigner(self.0 >> Self::SIGNER_SHIFT)
    }
}

impl Process<'_> {
    /// How the process is protected. Corresponds to `_EPROCESS.Protection`.
    ///
    /// # Errors
    /// [`Error::Layout`] on Windows 7, which has another kind of protection.
    pub fn protection(&self) -> Result<ProcessProtection> {
        let field = self.layout()._EPROCESS.Protection;
        let field = field.ok_or_else(|| Error::layout("_EPROCESS.Protection"))?;
        let [level] = self.record().bytes(field)?;
        Ok(ProcessProtection(level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_taken_apart() {
        let csrss = ProcessProtection(0x61);
        assert_eq!(csrss.kind(), ProtectionKind::Light);
        assert_eq!(csrss.signer().name(), Some("WinTcb"));
        assert!(!csrss.is_audit());
        let system = ProcessProtection(0x7a);
        assert_eq!(system.kind(), ProtectionKind::Full);
        assert_eq!(system.signer().name(), Some("WinSystem"));
        assert!(system.is_audit());
        assert_eq!(ProcessProtection(0xff).kind(), ProtectionKind::Unknown(7));
        assert_eq!(ProcessProtection(0xff).signer().name(), None);
    }
}
