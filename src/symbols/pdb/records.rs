//! A look over the type records before they are parsed.
//!
//! The parser follows references by recursion, reserves memory by counts in the
//! records, and reads a referenced list anew for each reference. Here every
//! reference must point backwards, and depth and work are added up.

use super::{
    leaf,
    links::{links, member},
    reader::Reader,
};

/// Deepest chain of references that the parser may follow.
const MAX_DEPTH: usize = 128;

/// Bytes of records that the parser may read in all, each as often as it is
/// referred to. A kernel's types take about 30 MiB.
const MAX_WORK: u64 = 512 << 20;

/// Lowest type index that is not a built-in type.
const FIRST_TYPE: u32 = 0x1000;

/// Why the records cannot be parsed.
type Refusal = &'static str;

const TRUNCATED: Refusal = "a type record is cut off";

/// Checks the stream of type records.
///
/// # Errors
/// What the parser would stumble over.
pub(super) fn check(stream: &[u8]) -> Result<(), Refusal> {
    let mut reader = records(stream).ok_or("the type header is damaged")?;
    let mut survey = Survey::default();
    while !reader.is_empty() {
        let record = reader.u16().and_then(|len| reader.take(len.into()));
        survey.add(record.ok_or(TRUNCATED)?)?;
    }
    Ok(())
}

/// A reader behind the stream's header: version, header length, first and last
/// type index.
fn records(stream: &[u8]) -> Option<Reader<'_>> {
    if stream.is_empty() {
        return Some(Reader::new(stream));
    }
    let mut header = Reader::new(stream);
    header.u32()?;
    let len = usize::try_from(header.u32()?).ok()?;
    let (first, end) = (header.u32()?, header.u32()?);
    let count = usize::try_from(end.checked_sub(first)?).ok()?;
    if first != FIRST_TYPE || count > stream.len() {
        return None;
    }
    stream.get(len..).map(Reader::new)
}

/// What parsing a type costs, the types that it refers to included.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// Bytes of records.
    work: u64,
    /// Levels of recursion.
    depth: usize,
}

impl Cost {
    fn include(&mut self, inner: Self) {
        self.work = self.work.saturating_add(inner.work);
        self.depth = self.depth.max(inner.depth.saturating_add(1));
    }
}

#[derive(Default)]
struct Survey {
    /// Of each type, in order of their indices from [`FIRST_TYPE`].
    costs: Vec<Cost>,
    work: u64,
}

impl Survey {
    /// Adds the next record.
    fn add(&mut self, record: &[u8]) -> Result<(), Refusal> {
        let mut cost = Cost {
            work: record.len() as u64,
            depth: 1,
        };
        let mut reader = Reader::new(record);
        let leaf = reader.u16().ok_or(TRUNCATED)?;
        if leaf::is_ancient(leaf) {
            return Err("its type records are of an ancient format");
        }
        if leaf == leaf::FIELDLIST {
            self.field_list(reader, &mut cost)?;
        } else {
            self.single(leaf, reader, &mut cost)?;
        }
        if cost.depth > MAX_DEPTH {
            return Err("its types refer to each other in too long a chain");
        }
        self.costs.push(cost);
        self.spend(cost.work)
    }

    fn spend(&mut self, work: u64) -> Result<(), Refusal> {
        self.work = self.work.saturating_add(work);
        match self.work {
            0..=MAX_WORK => Ok(()),
            _ => Err("its types repeat each other too often"),
        }
    }

    /// Cost of a type that was already met.
    fn cost_of(&self, index: u32) -> Result<Cost, Refusal> {
        let Some(nth) = index.checked_sub(FIRST_TYPE) else {
            return Ok(Cost::default());
        };
        let nth = usize::try_from(nth).ok();
        let cost = nth.and_then(|nth| self.costs.get(nth));
        cost.copied().ok_or("a type refers to a later one")
    }

    /// A record of its own, as opposed to a list of members.
    fn single(&mut self, leaf: u16, reader: Reader, cost: &mut Cost) -> Result<(), Refusal> {
        let links = links(leaf, reader).ok_or("a type record is damaged")?;
        for target in links.followed {
            cost.include(self.cost_of(target)?);
        }
        // The member list of a structure is read for it alone: a reference to
        // the structure does not lead there.
        let members = self.cost_of(links.members)?;
        self.spend(members.work)
    }

    fn field_list(&self, mut reader: Reader, cost: &mut Cost) -> Result<(), Refusal> {
        while !reader.is_empty() {
            let target = match reader.u16().ok_or(TRUNCATED)? {
                leaf::INDEX => self.misread_continuation(&mut reader)?,
                leaf => member(leaf, &mut reader).ok_or("a member list is damaged")?,
            };
            cost.include(self.cost_of(target)?);
            reader.padding().ok_or(TRUNCATED)?;
        }
        Ok(())
    }

    /// The type that the parser takes for the continuation of a field list, 0
    /// where it finds none.
    ///
    /// It takes the padding before the index for its lower half.
    fn misread_continuation(&self, reader: &mut Reader) -> Result<u32, Refusal> {
        let (padding, index) = (reader.u16(), reader.u32().ok_or(TRUNCATED)?);
        if padding != Some(0) || !reader.is_empty() {
            return Err("a member list goes on after its end");
        }
        let misread = index.wrapping_shl(16);
        let known = u32::try_from(self.costs.len()).unwrap_or(u32::MAX);
        let indexed = known.saturating_add(FIRST_TYPE).saturating_add(LOOK_AHEAD);
        Ok(if misread < indexed { misread } else { 0 })
    }
}

/// Types that the parser finds although it has not come to them yet.
const LOOK_AHEAD: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream of type records.
    fn stream(records: &[Vec<u8>]) -> Vec<u8> {
        let mut stream = Vec::new();
        let count = u32::try_from(records.len()).unwrap();
        for word in [20_040_203, 56, FIRST_TYPE, FIRST_TYPE + count] {
            stream.extend(u32::to_le_bytes(word));
        }
        stream.resize(56, 0);
        for record in records {
            stream.extend(u16::try_from(record.len()).unwrap().to_le_bytes());
            stream.extend(record);
        }
        stream
    }

    fn record(leaf: u16, words: &[u32]) -> Vec<u8> {
        let mut record = leaf.to_le_bytes().to_vec();
        record.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        record
    }

    /// A field list with members called `x` of one type.
    fn list(target: u32, members: usize) -> Vec<u8> {
        let mut record = leaf::FIELDLIST.to_le_bytes().to_vec();
        for _ in 0..members {
            record.extend(leaf::MEMBER.to_le_bytes());
            record.extend(3u16.to_le_bytes());
            record.extend(target.to_le_bytes());
            record.extend(*b"\0\0x\0");
        }
        record
    }

    #[test]
    fn references_go_backwards() {
        let pointer = |target| record(leaf::POINTER, &[target, 0x1000c]);
        assert_eq!(check(&stream(&[pointer(0x74), pointer(0x1000)])), Ok(()));
        assert!(check(&stream(&[pointer(0x1000)])).is_err(), "to itself");
        assert!(check(&stream(&[pointer(0x1001), pointer(0x74)])).is_err());
        assert!(check(&stream(&[list(0x1000, 1)])).is_err());
    }

    #[test]
    fn long_chains_are_refused() {
        let chain = |len: u32| {
            let target = |nth: u32| if nth == 0 { 0x74 } else { 0xfff + nth };
            let links = (0..len).map(|nth| record(leaf::MODIFIER, &[target(nth), 0]));
            check(&stream(&links.collect::<Vec<_>>()))
        };
        assert_eq!(chain(100), Ok(()));
        assert!(chain(200).is_err());
    }

    #[test]
    fn lists_inside_of_lists_are_refused() {
        let mut nested = leaf::FIELDLIST.to_le_bytes().to_vec();
        for _ in 0..1000 {
            nested.extend(leaf::FIELDLIST.to_le_bytes());
        }
        assert!(check(&stream(&[nested])).is_err());
    }

    #[test]
    fn counts_are_bounded_by_their_record() {
        assert!(check(&stream(&[record(leaf::ARGLIST, &[u32::MAX])])).is_err());
        assert_eq!(check(&stream(&[record(leaf::ARGLIST, &[1, 0x74])])), Ok(()));
        let mut header = stream(&[]);
        header[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(check(&header).is_err());
    }

    #[test]
    fn one_long_list_for_many_structures_is_refused() {
        let structure = || record(leaf::STRUCTURE, &[0, 0x1000, 0, 0, 0x0061_0000]);
        let sharing = |structures| {
            let mut records = vec![list(0x74, 5000)];
            records.extend(std::iter::repeat_with(structure).take(structures));
            check(&stream(&records))
        };
        assert_eq!(sharing(100), Ok(()));
        assert!(sharing(20_000).is_err());
    }

    #[test]
    fn a_truncated_stream_is_refused_at_every_length() {
        let whole = stream(&[list(0x74, 3), record(leaf::POINTER, &[0x1000, 0])]);
        assert_eq!(check(&whole), Ok(()));
        let ends = [0, 56, 56 + 2 + list(0x74, 3).len()];
        for len in (0..whole.len()).filter(|len| !ends.contains(len)) {
            assert!(check(&whole[..len]).is_err(), "{len}");
        }
    }
}
