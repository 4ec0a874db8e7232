//! Why a call failed: one [`Error`] for the whole engine, one [`Fault`] for memory.
//!
//! Errors keep their facts as data; the text is made by [`std::fmt::Display`]
//! when somebody asks for it, so that failing is cheap on hot paths.

use std::{borrow::Cow, fmt, path::PathBuf, sync::Arc};

use crate::core::Pa;

/// Result of an engine call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an address could not be read, written or translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// No page-table entry maps the address.
    NotMapped,
    /// The page is on the standby or modified list and its frame is unknown
    /// (no symbols yet to undo the PTE swizzle).
    Transition,
    /// The page has never been touched: it would be filled with zeros.
    DemandZero,
    /// The page is described by a prototype PTE.
    Prototype,
    /// The page is in a page file.
    Pagefile {
        /// Page file number, 0 to 15.
        number: u8,
        /// Page offset inside the page file, in bytes.
        offset: u64,
    },
    /// The page is in the compressed store of Windows 10 and later.
    Compressed,
    /// The frame or the bytes exist in the guest but not in the image.
    NotInImage,
    /// The back end failed to deliver the page.
    BackEnd,
    /// The address is not canonical in this paging mode.
    NonCanonical,
    /// A page-table entry has a reserved bit or an impossible size bit set.
    Malformed,
}

/// A failed memory access.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The address that could not be accessed (virtual when `root` is set,
    /// else physical; virtual, too, in images that are stored by address).
    pub address: u64,
    /// Page-table root of the translation, `None` for a physical access.
    pub root: Option<Pa>,
    /// Level at which the translation stopped: 1 page table, 2 page directory,
    /// 3 PDPT, 4 PML4, 5 PML5; 0 when no translation was involved.
    pub level: u8,
    /// The cause.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault of a physical access.
    pub const fn physical(pa: Pa, kind: FaultKind) -> Self {
        Self {
            address: pa.0,
            root: None,
            level: 0,
            kind,
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMapped => f.write_str("not mapped"),
            Self::Transition => f.write_str("in transition, its frame cannot be told"),
            Self::DemandZero => f.write_str("demand zero, never touched"),
            Self::Prototype => f.write_str("described by a prototype PTE"),
            Self::Pagefile { number, offset } => {
                write!(f, "in page file {number} at offset {offset:#x}")
            }
            Self::Compressed => f.write_str("in the compressed store"),
            Self::NotInImage => f.write_str("not in the image"),
            Self::BackEnd => f.write_str("not delivered by the back end"),
            Self::NonCanonical => f.write_str("not a canonical address"),
            Self::Malformed => f.write_str("mapped by a malformed page-table entry"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.root {
            Some(root) => write!(
                f,
                "virtual address {:#x} (root {:#x})",
                self.address, root.0
            )?,
            None => write!(f, "address {:#x}", self.address)?,
        }
        write!(f, " is {}", self.kind)?;
        if self.level > 0 {
            write!(f, ", stopped at paging level {}", self.level)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// The symbols of a module that were looked for and not found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingSymbols {
    /// File name of the PDB, as the module's CodeView record spells it.
    pub pdb: String,
    /// GUID, 32 upper-case hexadecimal digits; empty when the image does not tell it.
    pub guid: String,
    /// Age, a part of the PDB's identity.
    pub age: u32,
    /// Files and directories that were searched, in order.
    pub searched: Vec<PathBuf>,
}

impl fmt::Display for MissingSymbols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pdb, guid, age, .. } = self;
        if guid.is_empty() {
            write!(
                f,
                "no symbols that fit the kernel, whose identity is not in the image ({pdb}): "
            )?;
        } else {
            write!(f, "no symbols for {pdb} {guid}{age:X}: ")?;
        }
        if self.searched.is_empty() {
            return f.write_str("no symbol path is configured");
        }
        f.write_str("put its .pdb, .isr or ISF .json.xz into one of:")?;
        for path in &self.searched {
            write!(f, " {}", path.display())?;
        }
        Ok(())
    }
}

/// Everything that can go wrong.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A memory access failed.
    #[error("{0}")]
    Fault(#[from] Fault),

    /// A required pointer argument is NULL.
    #[error("argument `{argument}` is NULL")]
    NullArgument {
        /// Name of the argument.
        argument: &'static str,
    },

    /// An argument has a value that the call does not accept.
    #[error("argument `{argument}`: {reason}")]
    InvalidArgument {
        /// Name of the argument.
        argument: &'static str,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },

    /// The caller's buffer cannot hold the whole answer.
    #[error("the buffer is too small: {needed} bytes are needed")]
    BufferTooSmall {
        /// Capacity that would have sufficed, in bytes.
        needed: usize,
    },

    /// This build, back end or guest cannot do what was asked.
    #[error("not supported: {what}")]
    NotSupported {
        /// What is missing, and where.
        what: Cow<'static, str>,
    },

    /// The thing asked for does not exist.
    #[error("not found: {what}")]
    NotFound {
        /// What was looked for.
        what: Cow<'static, str>,
    },

    /// The symbols of a module are not available.
    #[error("{0}")]
    NoSymbols(Box<MissingSymbols>),

    /// No Windows kernel was found in the guest.
    #[error("no Windows kernel: {reason}")]
    NoKernel {
        /// What was tried.
        reason: Cow<'static, str>,
    },

    /// The symbols lack a type, field or symbol that the call needs.
    #[error("the symbols lack {missing}")]
    Layout {
        /// The missing name, as the kernel spells it.
        missing: Cow<'static, str>,
    },

    /// A guest structure contradicts itself.
    #[error("damaged {structure} at {address:#x}: {reason}")]
    Corrupt {
        /// Kernel name of the structure.
        structure: &'static str,
        /// Its guest address.
        address: u64,
        /// What contradicts what.
        reason: Cow<'static, str>,
    },

    /// A file is not what it claims to be, or is damaged.
    #[error("{format}: {reason}")]
    Format {
        /// Name of the file format.
        format: &'static str,
        /// What is wrong, with the offset where that helps.
        reason: Cow<'static, str>,
    },

    /// The operating system refused something.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried, of what (`open "memory.dmp"`).
        action: String,
        /// The system's answer.
        source: Arc<std::io::Error>,
    },

    /// The session was closed.
    #[error("the session is closed")]
    Closed,

    /// Another thread cancelled the call.
    #[error("cancelled")]
    Cancelled,

    /// The call is not possible from where it was made.
    #[error("busy: {reason}")]
    Busy {
        /// What is in the way.
        reason: Cow<'static, str>,
    },

    /// Another callback of the same event decided otherwise.
    #[error("conflict: {what}")]
    Conflict {
        /// What both of them wanted to decide.
        what: Cow<'static, str>,
    },

    /// A page is not in memory, and the guest cannot be made to bring it in.
    #[error("the page of {address:#x} cannot be made resident: {reason}")]
    NotResident {
        /// Virtual address of the page.
        address: u64,
        /// What stands against it.
        reason: Cow<'static, str>,
    },

    /// The back end failed.
    #[error("back end: {reason}")]
    BackEnd {
        /// What it said.
        reason: Cow<'static, str>,
    },

    /// The engine itself failed; the call had no effect.
    #[error("internal error: {reason}")]
    Internal {
        /// Text of the caught panic.
        reason: Cow<'static, str>,
    },
}

impl Error {
    /// An [`Error::Corrupt`].
    pub fn corrupt(
        structure: &'static str,
        address: impl Into<u64>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::Corrupt {
            structure,
            address: address.into(),
            reason: reason.into(),
        }
    }

    /// An [`Error::Format`].
    pub fn format(format: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Format {
            format,
            reason: reason.into(),
        }
    }

    /// An [`Error::NotSupported`].
    pub fn not_supported(what: impl Into<Cow<'static, str>>) -> Self {
        Self::NotSupported { what: what.into() }
    }

    /// An [`Error::NotFound`].
    pub fn not_found(what: impl Into<Cow<'static, str>>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// An [`Error::Layout`].
    pub fn layout(missing: impl Into<Cow<'static, str>>) -> Self {
        Self::Layout {
            missing: missing.into(),
        }
    }

    /// An [`Error::InvalidArgument`].
    pub fn invalid_argument(argument: &'static str, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidArgument {
            argument,
            reason: reason.into(),
        }
    }

    /// An [`Error::Io`] that says what was tried.
    pub fn io(action: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            action: action.into(),
            source: Arc::new(source),
        }
    }

    /// The memory fault behind this error, if that is what it is.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}
