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
        let rest = self.segments.get(inside.unwrap_or(next)..)?;
        let start = rest.first()?.start.max(from);
        let end = rest
            .windows(2)
            .take_while(|pair| matches!(pair, [a, b] if a.end() == b.start))
            .last()
            .map_or(rest.first()?.end(), |pair| {
                pair.last().map_or(start, Segment::end)
            });
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
