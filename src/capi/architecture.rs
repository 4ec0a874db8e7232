//! `wvmi_architecture`: 64-bit code and 32-bit code under WoW64.

use crate::{
    error::{Error, Result},
    os::windows::Architecture,
};

/// Whose code something belongs to; one of the `WVMI_ARCHITECTURE_*` numbers.
pub type wvmi_architecture = u32;

/// That of the process's own code: 32-bit under WoW64, else 64-bit. The default.
pub const WVMI_ARCHITECTURE_OWN: wvmi_architecture = 0;
/// 64-bit code, also that of the 64-bit side of a WoW64 process.
pub const WVMI_ARCHITECTURE_X64: wvmi_architecture = 1;
/// 32-bit code.
pub const WVMI_ARCHITECTURE_X86: wvmi_architecture = 2;

/// The engine's architecture for a caller's, `None` for the process's own.
pub fn wanted(architecture: wvmi_architecture) -> Result<Option<Architecture>> {
    match architecture {
        WVMI_ARCHITECTURE_OWN => Ok(None),
        WVMI_ARCHITECTURE_X64 => Ok(Some(Architecture::Amd64)),
        WVMI_ARCHITECTURE_X86 => Ok(Some(Architecture::X86)),
        _ => Err(Error::invalid_argument(
            "architecture",
            "no WVMI_ARCHITECTURE_ number",
        )),
    }
}

/// As [`wanted`], where there is no process to ask.
pub fn exact(architecture: wvmi_architecture) -> Result<Architecture> {
    wanted(architecture)?.ok_or_else(|| {
        let reason = "it must be WVMI_ARCHITECTURE_X64 or WVMI_ARCHITECTURE_X86";
        Error::invalid_argument("architecture", reason)
    })
}

/// Number of an architecture.
pub const fn number_of(architecture: Architecture) -> wvmi_architecture {
    match architecture {
        Architecture::Amd64 => WVMI_ARCHITECTURE_X64,
        Architecture::X86 => WVMI_ARCHITECTURE_X86,
    }
}
