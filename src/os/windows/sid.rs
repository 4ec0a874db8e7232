//! `_SID`: who somebody is.

mod well_known;

use std::fmt;

use super::Record;
use crate::{
    core::{Va, bytes::u32_at},
    error::{Error, Result},
};

/// Most sub-authorities that a SID has (`SID_MAX_SUB_AUTHORITIES`).
pub const SUB_AUTHORITIES_MAX: usize = 15;

/// Bytes in front of the sub-authorities: revision, count, authority.
const HEADER: usize = 8;
const SUB_AUTHORITY: usize = 4;
const REVISION: u8 = 1;

/// Authorities from here on are written in hexadecimal.
const FIRST_HEXADECIMAL_AUTHORITY: u64 = 1 << 32;

/// A security identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sid {
    authority: u64,
    count: u8,
    /// Those beyond `count` are 0.
    sub_authorities: [u32; SUB_AUTHORITIES_MAX],
}

impl Sid {
    /// Decodes the bytes of a `_SID`; those behind its last sub-authority do not count.
    ///
    /// `None` for an unknown revision, more than 15 sub-authorities, or too few bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[revision, count, authority @ ..], rest) = bytes.split_first_chunk::<HEADER>()?;
        if revision != REVISION || usize::from(count) > SUB_AUTHORITIES_MAX {
            return None;
        }
        let mut sub_authorities = [0; SUB_AUTHORITIES_MAX];
        let used = sub_authorities.iter_mut().take(count.into());
        for (place, offset) in used.zip((0..).step_by(SUB_AUTHORITY)) {
            *place = u32_at(rest, offset)?;
        }
        let [a, b, c, d, e, f] = authority;
        Some(Self {
            authority: u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
            count,
            sub_authorities,
        })
    }

    /// The SID at `address`, in the space of `record`.
    pub(super) fn read(record: &Record<'_>, address: Va) -> Result<Self> {
        const LONGEST: usize = HEADER + SUB_AUTHORITIES_MAX * SUB_AUTHORITY;
        let record = record.at(address);
        let mut bytes = [0; LONGEST];
        let (header, rest) = bytes.split_at_mut(HEADER);
        record.read(0, header)?;
        let count = header.get(1).copied().map_or(0, usize::from);
        // What is too long is refused below, unread.
        if let Some(rest) = rest.get_mut(..count.saturating_mul(SUB_AUTHORITY)) {
            record.read(HEADER as u64, rest)?;
        }
        Self::from_bytes(&bytes).ok_or_else(|| {
            Error::corrupt("_SID", address, "its revision or its length is impossible")
        })
    }

    /// Who issued it, 48 bits. Corresponds to `_SID.IdentifierAuthority`.
    pub const fn authority(&self) -> u64 {
        self.authority
    }

    /// What follows the authority. Corresponds to `_SID.SubAuthority`.
    pub fn sub_authorities(&self) -> &[u32] {
        let used = self.sub_authorities.get(..self.count.into());
        used.unwrap_or_default()
    }

    /// The last sub-authority, which tells accounts of one issuer apart.
    pub fn relative_id(&self) -> Option<u32> {
        self.sub_authorities().last().copied()
    }

    /// Name of a SID that means the same on every Windows (`"NT AUTHORITY\SYSTEM"`),
    /// or of an account that every domain has (`"Administrator"`).
    pub fn well_known_name(&self) -> Option<&'static str> {
        well_known::name(self)
    }
}

/// The usual text form, `S-1-5-18`.
impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.authority {
            decimal @ 0..FIRST_HEXADECIMAL_AUTHORITY => write!(f, "S-{REVISION}-{decimal}")?,
            large => write!(f, "S-{REVISION}-{large:#014x}")?,
        }
        self.sub_authorities()
            .iter()
            .try_for_each(|part| write!(f, "-{part}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(authority: [u8; 6], parts: &[u32]) -> Vec<u8> {
        let mut bytes = vec![REVISION, parts.len() as u8];
        bytes.extend(authority);
        bytes.extend(parts.iter().flat_map(|part| part.to_le_bytes()));
        bytes
    }

    #[test]
    fn texts_are_the_usual_ones() {
        let text = |authority, parts: &[u32]| {
            Sid::from_bytes(&bytes(authority, parts))
                .unwrap()
                .to_string()
        };
        assert_eq!(text([0, 0, 0, 0, 0, 5], &[18]), "S-1-5-18");
        assert_eq!(text([0, 0, 0, 0, 0, 1], &[]), "S-1-1");
        assert_eq!(
            text([0, 0, 0, 0, 0, 5], &[21, u32::MAX, 0, 1001]),
            "S-1-5-21-4294967295-0-1001"
        );
        assert_eq!(
            text([0, 0, 0xff, 0xff, 0xff, 0xff], &[1]),
            "S-1-4294967295-1"
        );
        assert_eq!(text([0, 1, 0, 0, 0, 0], &[1]), "S-1-0x000100000000-1");
        assert_eq!(text([0xff; 6], &[7; 15]).matches("-7").count(), 15);
    }

    #[test]
    fn impossible_bytes_are_refused() {
        let good = bytes([0, 0, 0, 0, 0, 5], &[32, 544]);
        for length in 0..good.len() {
            assert_eq!(Sid::from_bytes(&good[..length]), None, "{length} bytes");
        }
        let sid = Sid::from_bytes(&[&good[..], &[0xff; 9]].concat()).unwrap();
        assert_eq!(sid.sub_authorities(), [32, 544]);
        assert_eq!(sid.relative_id(), Some(544));
        for (place, value) in [(0, 0), (0, 2), (1, 16), (1, 255)] {
            let mut bad = vec![0; 8 + 255 * 4];
            bad[..good.len()].copy_from_slice(&good);
            bad[place] = value;
            assert_eq!(Sid::from_bytes(&bad), None, "byte {place} = {value}");
        }
    }
}
