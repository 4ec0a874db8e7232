//! Names of targets: a path, or a prefix and what it applies to.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use super::{FORMATS, Format};
use crate::error::{Error, Result};

/// Prefixes of back ends that this build lacks.
const ABSENT: [&str; 2] = ["xen", "qemu"];

/// What is to be opened.
#[derive(Clone)]
pub struct Target {
    format: Option<&'static Format>,
    path: PathBuf,
}

impl Target {
    /// Reads `PATH` (format detected by content) or `PREFIX:PATH` (format forced).
    ///
    /// A prefix is two or more lower-case letters or digits; `./` in front makes
    /// a path of a file whose name looks like one.
    pub fn parse(text: &str) -> Result<Self> {
        let Some((prefix, rest)) = text.split_once(':').filter(|(head, _)| is_prefix(head)) else {
            return Ok(Self::from(Path::new(text)));
        };
        let format = FORMATS.iter().find(|format| format.prefix == prefix);
        let format = format.ok_or_else(|| unknown(prefix))?;
        Ok(Self {
            format: Some(format),
            path: PathBuf::from(rest),
        })
    }

    /// The forced format.
    pub(super) fn format(&self) -> Option<&'static Format> {
        self.format
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl From<&Path> for Target {
    fn from(path: &Path) -> Self {
        Self {
            format: None,
            path: path.to_owned(),
        }
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
    for format in FORMATS {
        // Writing to a string does not fail.
        let _ = write!(known, " {}:", format.prefix);
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
        let target = Target::parse(text).ok()?;
        Some((target.format.map(|format| format.prefix), target.path))
    }

    #[test]
    fn tells_prefixes_from_paths() {
        assert_eq!(forced("a.dmp"), Some((None, "a.dmp".into())));
        assert_eq!(forced("raw:a:b"), Some((Some("raw"), "a:b".into())));
        assert_eq!(forced("./raw:a"), Some((None, "./raw:a".into())));
        assert_eq!(forced("C:\\a.dmp"), Some((None, "C:\\a.dmp".into())));
    }

    #[test]
    fn unknown_prefixes_name_the_known_ones() {
        let error = Target::parse("gdb:1234").err().unwrap();
        assert!(matches!(error, Error::InvalidArgument { .. }));
        assert!(error.to_string().contains("kdmp: "), "{error}");
        let error = Target::parse("xen:guest").err().unwrap();
        assert!(matches!(error, Error::NotSupported { .. }), "{error}");
    }
}
