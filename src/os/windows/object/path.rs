//! Paths: names joined by backslashes, bounded like any Windows string.

use crate::{
    core::Va,
    error::{Error, Result},
};

pub(super) const BACKSLASH: u16 = b'\\' as u16;

/// Units of the longest Windows string.
const UNITS_MAX: usize = 0x7fff;

/// Is this a path from a root, not a name relative to something?
pub(super) fn is_absolute(path: &[u16]) -> bool {
    path.first() == Some(&BACKSLASH)
}

/// The absolute path made of names that were collected from the leaf up to the root.
///
/// # Errors
/// [`Error::Corrupt`] of `structure` at `address` when no Windows string is that long.
pub(super) fn from_leaf_up(
    names: &[Vec<u16>],
    structure: &'static str,
    address: Va,
) -> Result<Vec<u16>> {
    let units = names.iter().map(|name| name.len().saturating_add(1)).sum();
    check_length(units, structure, address)?;
    let mut path = Vec::with_capacity(units);
    for name in names.iter().rev() {
        path.push(BACKSLASH);
        path.extend_from_slice(name);
    }
    Ok(path)
}

/// `name` below `base`, with one backslash between them; the name of a stream
/// (`:Zone.Identifier`) follows at once. `base` itself where `name` is empty.
///
/// # Errors
/// [`Error::Corrupt`] of `structure` at `address` when no Windows string is that long.
pub(super) fn join(
    mut base: Vec<u16>,
    name: &[u16],
    structure: &'static str,
    address: Va,
) -> Result<Vec<u16>> {
    check_length(base.len().saturating_add(name.len()), structure, address)?;
    if name.is_empty() {
        return Ok(base);
    }
    if base.last() == Some(&BACKSLASH) {
        base.pop();
    }
    let is_stream = name.first() == Some(&u16::from(b':'));
    if !is_absolute(name) && !is_stream {
        base.push(BACKSLASH);
    }
    base.extend_from_slice(name);
    Ok(base)
}

fn check_length(units: usize, structure: &'static str, address: Va) -> Result<()> {
    match units < UNITS_MAX {
        true => Ok(()),
        false => Err(Error::corrupt(structure, address, "its path is too long")),
    }
}

/// Are the names equal but for the case of ASCII letters?
pub(super) fn eq_ignore_ascii_case(left: &[u16], right: &[u16]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(&left, &right)| ascii_upper(left) == ascii_upper(right))
}

fn ascii_upper(unit: u16) -> u16 {
    u8::try_from(unit).map_or(unit, |byte| byte.to_ascii_uppercase().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn joined(base: &str, name: &str) -> String {
        let path = join(units(base), &units(name), "test", Va(0)).unwrap();
        String::from_utf16(&path).unwrap()
    }

    #[test]
    fn names_are_joined_by_one_backslash() {
        assert_eq!(joined("\\Device", "Afd"), "\\Device\\Afd");
        assert_eq!(joined("\\dir\\", "file"), "\\dir\\file");
        assert_eq!(
            joined("\\Device\\Volume1", "\\dir"),
            "\\Device\\Volume1\\dir"
        );
        assert_eq!(joined("\\dir\\", "\\file"), "\\dir\\file");
        assert_eq!(joined("\\file", ":stream"), "\\file:stream");
        assert_eq!(joined("\\Device\\Volume1", ""), "\\Device\\Volume1");
        assert_eq!(joined("", "name"), "\\name");
    }

    #[test]
    fn paths_are_built_from_the_leaf_up() {
        let path = from_leaf_up(&[units("Afd"), units("Device")], "test", Va(0)).unwrap();
        assert_eq!(path, units("\\Device\\Afd"));
    }

    #[test]
    fn endless_paths_are_refused() {
        let long = vec![0x41; UNITS_MAX];
        assert!(join(long, &units("x"), "test", Va(0)).is_err());
    }

    #[test]
    fn only_ascii_letters_lose_their_case() {
        assert!(eq_ignore_ascii_case(&units("Global??"), &units("GLOBAL??")));
        assert!(!eq_ignore_ascii_case(&units("é"), &units("É")));
        assert!(!eq_ignore_ascii_case(&units("a"), &units("ab")));
    }
}
