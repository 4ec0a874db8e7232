//! Integrity levels: what a process may write to, whoever runs it.

use super::Token;
use crate::error::{Error, Result};

/// An integrity level: the relative id of its SID (`SECURITY_MANDATORY_*_RID`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrityLevel(pub u32);

/// Authority of the SIDs of integrity levels.
const MANDATORY_LABEL: u64 = 16;

impl IntegrityLevel {
    /// 0x1000: web content.
    pub const LOW: Self = Self(0x1000);
    /// 0x2000: what users start.
    pub const MEDIUM: Self = Self(0x2000);
    /// 0x3000: what administrators start with all their rights.
    pub const HIGH: Self = Self(0x3000);
    /// 0x4000: services and the kernel.
    pub const SYSTEM: Self = Self(0x4000);

    /// Name of the level, or of the highest one that is not above it.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0..0x1000 => "untrusted",
            0x1000..0x2000 => "low",
            0x2000..0x2100 => "medium",
            0x2100..0x3000 => "medium plus",
            0x3000..0x4000 => "high",
            0x4000..0x5000 => "system",
            0x5000.. => "protected process",
        }
    }
}

impl Token<'_> {
    /// The integrity level, `None` for a token without one.
    ///
    /// Corresponds to the SID that `_TOKEN.IntegrityLevelIndex` names, else to
    /// `_TOKEN.IntegrityLevelSidValue`.
    pub fn integrity_level(&self) -> Result<Option<IntegrityLevel>> {
        let Some(sid) = self.integrity_sid()? else {
            return Ok(None);
        };
        match (sid.authority(), sid.sub_authorities()) {
            (MANDATORY_LABEL, &[level]) => Ok(Some(IntegrityLevel(level))),
            _ => {
                let reason = format!("{sid} is no integrity level");
                Err(Error::corrupt("_TOKEN", self.object(), reason))
            }
        }
    }
}
