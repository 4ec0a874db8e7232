//! Kinds of type records, and of members in a field list (`LF_*`).

pub(super) const MODIFIER: u16 = 0x1001;
pub(super) const POINTER: u16 = 0x1002;
pub(super) const ARGLIST: u16 = 0x1201;
pub(super) const FIELDLIST: u16 = 0x1203;
pub(super) const BITFIELD: u16 = 0x1205;
pub(super) const BCLASS: u16 = 0x1400;
pub(super) const VBCLASS: u16 = 0x1401;
pub(super) const IVBCLASS: u16 = 0x1402;
pub(super) const INDEX: u16 = 0x1404;
pub(super) const VFUNCTAB: u16 = 0x1409;
pub(super) const ENUMERATE: u16 = 0x1502;
pub(super) const ARRAY: u16 = 0x1503;
pub(super) const CLASS: u16 = 0x1504;
pub(super) const STRUCTURE: u16 = 0x1505;
pub(super) const UNION: u16 = 0x1506;
pub(super) const ENUM: u16 = 0x1507;
pub(super) const MEMBER: u16 = 0x150d;
pub(super) const STMEMBER: u16 = 0x150e;
pub(super) const METHOD: u16 = 0x150f;
pub(super) const NESTTYPE: u16 = 0x1510;
pub(super) const ONEMETHOD: u16 = 0x1511;
pub(super) const NESTTYPEEX: u16 = 0x1512;
pub(super) const STRIDED_ARRAY: u16 = 0x1516;
pub(super) const INTERFACE: u16 = 0x1519;
pub(super) const BINTERFACE: u16 = 0x151a;
pub(super) const STRUCTURE19: u16 = 0x1609;

/// Records of compilers before 2002, whose names carry their length.
pub(super) fn is_ancient(leaf: u16) -> bool {
    matches!(leaf, 0x1003..=0x1007 | 0x0403 | 0x1405..=0x1408 | 0x140b | 0x140d)
}
