//! Identity of a module's symbols: PDB name, GUID and age.

use std::fmt;

use crate::error::{Error, Result};

/// What names a PDB: the contents of a CodeView record (`RSDS`).
///
/// Two values are equal when they name the same symbols: the case of the file
/// name counts, since the record is compared as the linker wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PdbId {
    /// File name of the PDB, without directories (`ntkrnlmp.pdb`).
    pub name: String,
    /// GUID in the byte order of the CodeView record.
    pub guid: [u8; 16],
    /// Age: how often the PDB was rewritten since it got its GUID.
    pub age: u32,
}

impl PdbId {
    /// The identity in a CodeView record; only the file name of `path` counts.
    pub fn new(path: &str, guid: [u8; 16], age: u32) -> Self {
        let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
        Self {
            name: name.to_owned(),
            guid,
            age,
        }
    }

    /// The identity of `name` from a symbol-server signature: 32 hexadecimal
    /// digits in GUID text order followed by the age in hexadecimal.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when `signature` has another form.
    pub fn parse(name: &str, signature: &str) -> Result<Self> {
        let parsed = signature
            .split_at_checked(GUID_DIGITS)
            .and_then(|(guid, age)| {
                let age = parse_digits(age, 16)?;
                Some(Self::new(name, parse_guid(guid)?, age))
            });
        parsed.ok_or_else(|| {
            Error::invalid_argument("signature", "not 32 hexadecimal digits and an age")
        })
    }

    /// The GUID as 32 upper-case hexadecimal digits, in GUID text order.
    pub fn guid_text(&self) -> String {
        format!("{:032X}", text_order(self.guid))
    }

    /// GUID and age as a symbol server spells them: 32 upper-case hexadecimal
    /// digits, then the age in hexadecimal.
    pub fn signature(&self) -> String {
        format!("{}{:X}", self.guid_text(), self.age)
    }

    /// Whether both name the same build of a PDB, whatever the file's name.
    pub fn same_build(&self, other: &Self) -> bool {
        self.guid == other.guid && self.age == other.age
    }
}

impl fmt::Display for PdbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.signature())
    }
}

const GUID_DIGITS: usize = 32;

/// Reads the 32 digits of a GUID in text order into its stored byte order.
pub(super) fn parse_guid(text: &str) -> Option<[u8; 16]> {
    if text.len() != GUID_DIGITS || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let value = u128::from_str_radix(text, 16).ok()?;
    Some(text_order(value.to_be_bytes()).to_be_bytes())
}

/// Reads an unsigned number that consists of digits only.
pub(super) fn parse_digits(text: &str, radix: u32) -> Option<u32> {
    let digits = text.chars().all(|character| character.is_digit(radix));
    digits.then(|| u32::from_str_radix(text, radix).ok())?
}

/// Swaps a GUID between stored order (`Data1` to `Data3` little-endian) and
/// text order; the result's big-endian bytes are the other order.
fn text_order(guid: [u8; 16]) -> u128 {
    let [a, b, c, d, e, f, g, h, rest @ ..] = guid;
    let [i, j, k, l, m, n, o, p] = rest;
    u128::from_be_bytes([d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p])
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "5278AFF86C341677D7D7835C85B7B8441";

    #[test]
    fn signature_round_trips_through_stored_order() {
        let id = PdbId::parse("ntkrnlmp.pdb", SIGNATURE).unwrap();
        assert_eq!(id.guid[..4], [0xf8, 0xaf, 0x78, 0x52]);
        assert_eq!(id.guid[4..10], [0x34, 0x6c, 0x77, 0x16, 0xd7, 0xd7]);
        assert_eq!(id.signature(), SIGNATURE);
        assert_eq!(id.to_string(), format!("ntkrnlmp.pdb {SIGNATURE}"));
    }

    #[test]
    fn the_age_is_a_whole_u32() {
        let id = PdbId::parse("a.pdb", &format!("{}fffffff1", &SIGNATURE[..32])).unwrap();
        assert_eq!(id.age, 0xffff_fff1);
        assert!(id.signature().ends_with("FFFFFFF1"));
    }

    #[test]
    fn only_the_file_name_counts() {
        for path in [r"D:\build\nt.pdb", "/build/nt.pdb", "nt.pdb"] {
            assert_eq!(PdbId::new(path, [0; 16], 1).name, "nt.pdb");
        }
    }

    #[test]
    fn malformed_signatures_are_refused() {
        let guid = &SIGNATURE[..32];
        let spoiled = [
            String::new(),
            guid.to_owned(),
            format!("{guid}g"),
            format!("{guid}100000000"),
            format!("{guid}-1"),
            format!("+{}", &SIGNATURE[1..]),
            format!("{}\u{e9}1", &guid[..31]),
        ];
        for text in spoiled {
            assert!(PdbId::parse("a.pdb", &text).is_err(), "{text}");
        }
    }
}
