//! Walking all entries of a handle table, a page of entries at a time.

use std::num::NonZeroU64;

use super::{HANDLE_STEP, HandleEntry, HandleTable, POINTERS};
use crate::{
    core::{PAGE_SIZE, Va},
    error::{Error, Result},
};

/// A table with this many unreadable pages in a row is damaged as a whole.
const MAX_GAPS: u32 = 64;

/// What the walk does next.
enum Step {
    /// Read the page of entries that holds the current handle.
    Load,
    /// Give out entries of the loaded page.
    Decode,
    /// Say once that the table claims more than it has, then end.
    Overrun,
    Done,
}

/// The open handles of a table; an `Err` is a gap.
pub struct Handles<'a> {
    table: HandleTable<'a>,
    per_page: NonZeroU64,
    step: Step,
    /// Value of the next handle to look at.
    handle: u64,
    /// First value that is not looked at.
    end: u64,
    gaps: u32,
    /// Middle table that was read last, with its index in the upper table.
    middle: Option<(u64, Va)>,
    page: Box<[u8; PAGE_SIZE as usize]>,
}

impl<'a> Handles<'a> {
    pub(super) fn new(table: HandleTable<'a>) -> Self {
        Self {
            table,
            per_page: table.entries_per_page(),
            step: Step::Load,
            handle: 0,
            end: 0,
            gaps: 0,
            middle: None,
            page: Box::new([0; PAGE_SIZE as usize]),
        }
        .bounded()
    }

    fn bounded(mut self) -> Self {
        // A fourth level is told by the first page that is loaded.
        let capacity = self.table.capacity().unwrap_or(1);
        self.end = u64::from(self.table.next_handle).min(capacity);
        self
    }

    /// Like [`HandleTable::entry_page`], reading each middle pointer once.
    fn entry_page(&mut self) -> Result<Option<Va>> {
        if self.table.table_code & 3 != 2 {
            return self.table.entry_page(self.handle);
        }
        let page = self.handle / self.table.page_span();
        let upper = page / POINTERS;
        let middle = match self.middle {
            Some((index, middle)) if index == upper => Some(middle),
            _ => self.table.pointer(Va(self.table.table_code & !3), upper)?,
        };
        let Some(middle) = middle else {
            return Ok(None);
        };
        self.middle = Some((upper, middle));
        self.table.pointer(middle, page % POINTERS)
    }

    fn load(&mut self) -> Option<Error> {
        let loaded = self.entry_page().and_then(|page| match page {
            Some(page) => {
                let record = self.table.record.at(page);
                record.read(0, self.page.as_mut_slice()).map(|()| true)
            }
            None => Ok(false),
        });
        match loaded {
            Ok(true) => {
                self.gaps = 0;
                self.step = Step::Decode;
                None
            }
            Ok(false) => {
                self.step = Step::Overrun;
                None
            }
            Err(gap) => {
                self.skip_page();
                Some(gap)
            }
        }
    }

    fn skip_page(&mut self) {
        self.gaps = self.gaps.saturating_add(1);
        let span = self.table.page_span();
        let page = self.handle / span;
        self.handle = page.wrapping_add(1).wrapping_mul(span.get());
        let hopeless = self.gaps >= MAX_GAPS || self.table.table_code & 3 == 3;
        self.step = if hopeless { Step::Done } else { Step::Load };
    }

    fn decode(&mut self) -> Option<HandleEntry> {
        let layout = &self.table.windows.layouts.handle_entry;
        let body_offset = self.table.windows.body_offset();
        let per_page = self.per_page;
        while self.handle < self.end {
            let index = self.handle / HANDLE_STEP % per_page;
            let start = (index as usize).wrapping_mul(layout.size);
            let bytes = self.page.get(start..).unwrap_or_default();
            let bytes = bytes.get(..layout.size).unwrap_or_default();
            let entry = layout.decode(bytes, self.handle as u32, self.table.kind, body_offset);
            self.handle = self.handle.wrapping_add(HANDLE_STEP.get());
            let last = index.wrapping_add(1) == per_page.get();
            if last {
                self.step = Step::Load;
            }
            if entry.is_some() || last {
                return entry;
            }
        }
        None
    }

    fn finish(&mut self) -> Option<Result<HandleEntry>> {
        self.step = Step::Done;
        let claimed = u64::from(self.table.next_handle);
        (self.handle < claimed).then(|| {
            Err(self
                .table
                .corrupt("NextHandleNeedingPool is beyond the table's end"))
        })
    }
}

impl Iterator for Handles<'_> {
    type Item = Result<HandleEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.step {
                Step::Done => return None,
                Step::Overrun => return self.finish(),
                _ if self.handle >= self.end => self.step = Step::Overrun,
                Step::Load => {
                    if let Some(gap) = self.load() {
                        return Some(Err(gap));
                    }
                }
                Step::Decode => {
                    if let Some(entry) = self.decode() {
                        return Some(Ok(entry));
                    }
                }
            }
        }
    }
}
