//! What a type record refers to.

use super::{leaf, reader::Reader};

/// Types that a record refers to; 0 is none.
#[derive(Default)]
pub(super) struct Links {
    /// Those that are parsed wherever the record is.
    pub(super) followed: [u32; 2],
    /// Its list of members.
    pub(super) members: u32,
}

impl Links {
    fn to(target: u32) -> Self {
        Self {
            followed: [target, 0],
            members: 0,
        }
    }

    fn members(members: u32) -> Self {
        Self {
            followed: [0; 2],
            members,
        }
    }
}

/// Reads as much of a record as the parser's assumptions reach; `None` when
/// they do not hold.
pub(super) fn links(leaf: u16, mut reader: Reader) -> Option<Links> {
    Some(match leaf {
        leaf::MODIFIER | leaf::BITFIELD => Links::to(reader.u32()?),
        leaf::POINTER => pointer(reader)?,
        leaf::ARRAY => array(reader, 0)?,
        leaf::STRIDED_ARRAY => array(reader, 4)?,
        leaf::ENUM => {
            reader.skip(4)?;
            Links {
                followed: [reader.u32()?, 0],
                members: reader.u32()?,
            }
        }
        leaf::CLASS | leaf::STRUCTURE | leaf::INTERFACE => structure(reader, 8)?,
        leaf::STRUCTURE19 => structure(reader, 10)?,
        leaf::UNION => structure(reader, 0)?,
        leaf::ARGLIST => {
            let count = u64::from(reader.u32()?);
            reader.skip(count.saturating_mul(4))?;
            Links::default()
        }
        _ => Links::default(),
    })
}

/// The kinds and modes of pointers are few.
fn pointer(mut reader: Reader) -> Option<Links> {
    let links = Links::to(reader.u32()?);
    let attributes = reader.u32()?;
    let (kind, mode) = (attributes & 0x1f, (attributes >> 5) & 7);
    (kind <= 0xc && mode <= 4).then_some(links)
}

/// Type of the element and of the index, the stride, then one length for each
/// dimension up to a NUL.
fn array(mut reader: Reader, stride: u64) -> Option<Links> {
    let links = Links::to(reader.u32()?);
    reader.skip(4)?;
    reader.skip(stride)?;
    reader.unsigned()?;
    while !reader.nul()? {
        reader.unsigned()?;
    }
    reader.padding()?;
    reader.is_empty().then_some(links)
}

/// Count and properties, the members, `gap` bytes of other references, the size.
fn structure(mut reader: Reader, gap: u64) -> Option<Links> {
    reader.skip(4)?;
    let links = Links::members(reader.u32()?);
    reader.skip(gap)?;
    reader.unsigned()?;
    Some(links)
}

/// Reads one member of a field list: the type that the parser looks up for it,
/// 0 where it looks up none; `None` when it is damaged or no member.
pub(super) fn member(leaf: u16, reader: &mut Reader) -> Option<u32> {
    let attributes = reader.u16()?;
    match leaf {
        leaf::MEMBER => return data_member(reader),
        leaf::ENUMERATE => {
            reader.number()?;
            reader.name()?;
        }
        leaf::STMEMBER | leaf::METHOD | leaf::NESTTYPE | leaf::NESTTYPEEX => {
            reader.skip(4)?;
            reader.name()?;
        }
        leaf::ONEMETHOD => method(attributes, reader)?,
        leaf::BCLASS | leaf::BINTERFACE => {
            reader.skip(4)?;
            reader.unsigned()?;
        }
        leaf::VBCLASS | leaf::IVBCLASS => virtual_base(reader)?,
        leaf::VFUNCTAB => reader.skip(4)?,
        _ => return None,
    }
    Some(0)
}

fn data_member(reader: &mut Reader) -> Option<u32> {
    let target = reader.u32()?;
    reader.unsigned()?;
    reader.name()?;
    Some(target)
}

/// A method that introduces a virtual function also says where its slot is.
fn method(attributes: u16, reader: &mut Reader) -> Option<()> {
    reader.skip(4)?;
    if matches!((attributes >> 2) & 7, 4 | 6) {
        reader.skip(4)?;
    }
    reader.name()
}

fn virtual_base(reader: &mut Reader) -> Option<()> {
    reader.skip(8)?;
    reader.unsigned()?;
    reader.unsigned()
}
