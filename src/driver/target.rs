//! Names of targets: a path, or a prefix and what it applies to.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use super::{FORMATS, Format, HOSTS, Host};
use crate::error::{Error, Result};

/// Prefixes of back ends that this build lacks.
const ABSENT: [&str; 1] = ["qemu"];

/// What is to be opened.
#[derive(Clone)]
pub struct Target(Place);

/// Where the guest is.
#[derive(Clone)]
pub(super) enum Place {
    /// In a file.
    File {
        /// The forced format.
        format: Option<&'static Format>,
        /// The file.
        path: PathBuf,
    },
    /// Running on a hypervisor.
    Guest {
        /// The hypervisor.
        host: &'static Host,
        /// What the hypervisor knows it by.
        name: String,
    },
}

impl Target {
    /// Reads `PATH` (format detected by content), `PREFIX:PATH` (format forced) or
    /// `PREFIX:NAME` of a running guest.
    ///
    /// A prefix is two or more lower-case letters or digits; `./` in front makes
    /// a path of a file whose name looks like one.
    pub fn parse(text: &str) -> Result<Self> {
        let Some((prefix, rest)) = text.split_once(':').filter(|(head, _)| is_prefix(head)) else {
            return Ok(Self::from(Path::new(text)));
        };
        if let Some(host) = HOSTS.iter().find(|host| host.prefix == prefix) {
            let name = rest.to_owned();
            return Ok(Self(Place::Guest { host, name }));
        }
        let format = FORMATS.iter().find(|format| format.prefix == prefix);
        let format = format.ok_or_else(|| unknown(prefix))?;
        Ok(Self(Place::File {
            format: Some(format),
            path: PathBuf::from(rest),
        }))
    }

    /// Where it is.
    pub(super) fn place(&self) -> &Place {
        &self.0
    }
}

impl From<&Path> for Target {
    fn from(path: &Path) -> Self {
        Self(Place::File {
            format: None,
            path: path.to_owned(),
        })
    }
}

fn is_prefix(text: &str) -> bool {
    text.len() >= 2
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn unknown(prefix: &str) -> Error {
    let mut known = String::new();
    let formats = FORMATS.iter().map(|format| format.prefix);
    for prefix in formats.chain(HOSTS.iter().map(|host| host.prefix)) {
        // Writing to a string does not fail.
        let _ = write!(known, " {prefix}:");
    }
    if ABSENT.contains(&prefix) {
        return Error::not_supported(format!("{prefix}: targets; this build opens{known}"));
    }
    Error::invalid_argument(
        "target",
        format!("unknown prefix {prefix}:, this build opens{known} and plain paths"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forced(text: &str) -> Option<(Option<&'static str>, PathBuf)> {
        match Target::parse(text).ok()?.0 {
            Place::File { format, path } => Some((format.map(|format| format.prefix), path)),
            Place::Guest { host, name } => Some((Some(host.prefix), name.into())),
        }
    }

    #[test]
    fn tells_prefixes_from_paths() {
        assert_eq!(forced("a.dmp"), Some((None, "a.dmp".into())));
        assert_eq!(forced("raw:a:b"), Some((Some("raw"), "a:b".into())));
        assert_eq!(forced("./raw:a"), Some((None, "./raw:a".into())));
        assert_eq!(forced("C:\\a.dmp"), Some((None, "C:\\a.dmp".into())));
        assert_eq!(forced("xen:a,b"), Some((Some("xen"), "a,b".into())));
    }

    #[test]
    fn unknown_prefixes_name_the_known_ones() {
        let error = Target::parse("gdb:1234").err().unwrap();
        assert!(matches!(error, Error::InvalidArgument { .. }));
        assert!(error.to_string().contains("kdmp: "), "{error}");
        let error = Target::parse("qemu:socket").err().unwrap();
        assert!(matches!(error, Error::NotSupported { .. }), "{error}");
    }
}
