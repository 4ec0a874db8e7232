//! A sorted table of segments: few, long stretches of memory in a file.

use super::image::{Layout, Piece};
use crate::core::{Pa, driver::Run};

/// A stretch of memory in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Address of the first byte.
    pub start: u64,
    /// Length in bytes.
    pub length: u64,
    /// File offset of the first byte.
    pub offset: u64,
}

impl Segment {
    const fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    /// The segment without its first `bytes`, `None` when nothing is left.
    fn skip(&self, bytes: u64) -> Option<Self> {
        Some(Self {
            start: self.start.checked_add(bytes)?,
            length: self.length.checked_sub(bytes).filter(|&left| left > 0)?,
            offset: self.offset.checked_add(bytes)?,
        })
    }

    /// The part that a file of `length` bytes holds and that addresses can reach.
    fn clip(mut self, length: u64) -> Option<Self> {
        let in_file = length.checked_sub(self.offset)?;
        let addressable = u64::MAX.wrapping_sub(self.start);
        self.length = self.length.min(in_file).min(addressable);
        (self.length > 0).then_some(self)
    }
}

/// Disjoint segments in ascending order of address.
#[derive(Debug, Default)]
pub struct SegmentTable {
    segments: Vec<Segment>,
    size: u64,
}

impl SegmentTable {
    /// The table of `segments`, in any order, of a file of `file_length` bytes.
    ///
    /// What lies past the end of the file is absent. Where segments overlap, the
    /// one with the lower address wins, of equal ones the earlier.
    pub fn new(mut segments: Vec<Segment>, file_length: u64) -> Self {
        segments.sort_by_key(|segment| segment.start);
        let mut table = Self::default();
        let mut end = 0_u64;
        for segment in segments {
            let rest = segment
                .clip(file_length)
                .and_then(|segment| segment.skip(end.saturating_sub(segment.start)));
            if let Some(rest) = rest {
                end = rest.end();
                table.push(rest);
            }
        }
        table
    }

    /// Appends a segment, as part of the last one where it continues it.
    fn push(&mut self, segment: Segment) {
        self.size = self.size.saturating_add(segment.length);
        match self.segments.last_mut() {
            Some(last)
                if last.end() == segment.start
                    && last.offset.checked_add(last.length) == Some(segment.offset) =>
            {
                last.length = last.length.saturating_add(segment.length);
            }
            _ => self.segments.push(segment),
        }
    }

    /// Index of the last segment that starts at or before `address`, plus one.
    #[inline]
    fn after(&self, address: u64) -> usize {
        self.segments
            .partition_point(|segment| segment.start <= address)
    }

    /// The bytes from `address` on.
    #[inline]
    pub fn find(&self, address: u64) -> Option<Piece> {
        let segment = self.segments.get(self.after(address).checked_sub(1)?)?;
        let rest = segment.skip(address.wrapping_sub(segment.start))?;
        Some(Piece {
            offset: rest.offset,
            length: rest.length,
        })
    }

    /// First run of present bytes at or after `from`, adjacent segments joined.
    pub fn run_from(&self, from: u64) -> Option<Run> {
        let next = self.after(from);
        let inside = next
            .checked_sub(1)
            .filter(|&index| self.segments.get(index).is_some_and(|s| s.end() > from));
        let mut rest = self.segments.get(inside.unwrap_or(next)..)?.iter();
        let first = rest.next()?;
        let start = first.start.max(from);
        let mut end = first.end();
        for segment in rest {
            if segment.start != end {
                break;
            }
            end = segment.end();
        }
        Some(Run {
            start,
            length: end.checked_sub(start)?,
        })
    }
}

impl Layout for SegmentTable {
    #[inline]
    fn piece(&self, pa: Pa) -> Option<Piece> {
        self.find(pa.0)
    }

    fn next_run(&self, from: Pa) -> Option<Run> {
        self.run_from(from.0)
    }

    fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: u64 = 0x1000;

    fn table(segments: &[(u64, u64, u64)]) -> SegmentTable {
        let segments = segments.iter().map(|&(start, length, offset)| Segment {
            start,
            length,
            offset,
        });
        SegmentTable::new(segments.collect(), FILE)
    }

    fn offset(table: &SegmentTable, address: u64) -> Option<(u64, u64)> {
        table.find(address).map(|it| (it.offset, it.length))
    }

    fn run(table: &SegmentTable, from: u64) -> Option<(u64, u64)> {
        table.run_from(from).map(|it| (it.start, it.length))
    }

    #[test]
    fn finds_bytes_in_unordered_segments() {
        let table = table(&[(0x200, 0x10, 0x40), (0x100, 0x10, 0x80)]);
        assert_eq!(offset(&table, 0xff), None);
        assert_eq!(offset(&table, 0x10f), Some((0x8f, 1)));
        assert_eq!(offset(&table, 0x110), None);
        assert_eq!(offset(&table, 0x204), Some((0x44, 0xc)));
        assert_eq!(table.size(), 0x20);
    }

    #[test]
    fn overlaps_go_to_the_lower_address_and_equal_ones_to_the_earlier() {
        let table = table(&[
            (0x100, 0x10, 0x0),
            (0x108, 0x10, 0x200),
            (0x100, 0x04, 0x400),
            (0x104, 0x04, 0x600),
        ]);
        assert_eq!(offset(&table, 0x100), Some((0x0, 0x10)));
        assert_eq!(offset(&table, 0x110), Some((0x208, 8)));
        assert_eq!(table.size(), 0x18);
    }

    #[test]
    fn what_the_file_or_the_address_space_cannot_hold_is_absent() {
        let table = table(&[
            (0x100, 0x20, FILE - 0x10),
            (0x200, 0x10, FILE + 1),
            (0x300, 0, 0),
            (u64::MAX - 4, u64::MAX, 0),
        ]);
        assert_eq!(run(&table, 0), Some((0x100, 0x10)));
        assert_eq!(run(&table, 0x110), Some((u64::MAX - 4, 4)));
        assert_eq!(run(&table, u64::MAX), None);
    }

    #[test]
    fn adjacent_segments_make_one_run() {
        let table = table(&[(0x100, 0x10, 0), (0x110, 0x10, 0x800), (0x121, 1, 0x20)]);
        assert_eq!(run(&table, 0), Some((0x100, 0x20)));
        assert_eq!(run(&table, 0x118), Some((0x118, 8)));
        assert_eq!(run(&table, 0x120), Some((0x121, 1)));
    }
}
