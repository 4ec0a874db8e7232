//! `_HANDLE_TABLE`: handles of a process to objects.

mod entry;
mod iter;

use std::num::NonZeroU64;

use isr::macros::Field;

use super::{Record, Windows};
use crate::{
    core::{PAGE_SIZE, Va},
    error::{Error, Result},
};

pub use entry::{HandleAttributes, HandleEntry};
pub use iter::Handles;

pub(super) use entry::EntryLayout;

isr::macros::offsets! {
    /// Where the fields of a handle table are.
    pub struct Layout {
        struct _HANDLE_TABLE {
            TableCode: Field,
            NextHandleNeedingPool: Field,
        }
    }
}

/// Distance of neighbouring handle values.
const HANDLE_STEP: NonZeroU64 = NonZeroU64::new(4).unwrap();

/// Pointers in a middle or upper table.
const POINTERS: u64 = PAGE_SIZE / 8;

/// No Windows gives out more handles than 2^24; values are multiples of 4.
const HANDLE_LIMIT: u64 = 1 << 26;

/// How to read what a table's entries point at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableKind {
    /// Entries point at object headers.
    Objects,
    /// Entries of `PspCidTable` point at the objects themselves.
    ClientIds,
}

/// A handle table.
#[derive(Clone, Copy)]
pub struct HandleTable<'a> {
    windows: &'a Windows,
    record: Record<'a>,
    kind: TableKind,
    table_code: u64,
    next_handle: u32,
}

impl<'a> HandleTable<'a> {
    /// The table at `address`; its two governing fields are read here, once.
    pub fn new(windows: &'a Windows, address: Va) -> Result<Self> {
        Self::of_kind(windows, address, TableKind::Objects)
    }

    pub(super) fn of_kind(windows: &'a Windows, address: Va, kind: TableKind) -> Result<Self> {
        let record = windows.record(address);
        let layout = &windows.layouts.handle_table._HANDLE_TABLE;
        Ok(Self {
            windows,
            record,
            kind,
            table_code: record.uint(layout.TableCode)?,
            next_handle: record.uint32(layout.NextHandleNeedingPool)?,
        })
    }

    /// Address of the `_HANDLE_TABLE`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Address of the top table with the number of levels in its low 2 bits.
    /// Corresponds to `_HANDLE_TABLE.TableCode`.
    pub const fn table_code(&self) -> u64 {
        self.table_code
    }

    /// First handle value that the table has no room for.
    /// Corresponds to `_HANDLE_TABLE.NextHandleNeedingPool`.
    pub const fn next_handle_needing_pool(&self) -> u32 {
        self.next_handle
    }

    /// The entry of a handle, `None` when the handle is not open.
    ///
    /// The low 2 bits of a handle are the caller's and ignored.
    pub fn lookup(&self, handle: u64) -> Result<Option<HandleEntry>> {
        let value = handle & !3;
        if value >= u64::from(self.next_handle) {
            return Ok(None);
        }
        let Some(page) = self.entry_page(value)? else {
            return Ok(None);
        };
        let layout = &self.windows.layouts.handle_entry;
        let mut bytes = [0; entry::MAX_SIZE];
        let size = layout.size.min(bytes.len());
        let offset = (value / HANDLE_STEP % self.entries_per_page()).wrapping_mul(size as u64);
        let buffer = bytes.get_mut(..size).unwrap_or_default();
        self.record.at(page).read(offset, buffer)?;
        Ok(layout.decode(buffer, value as u32, self.kind, self.windows.body_offset()))
    }

    /// All open handles in order of their value; an `Err` is a gap.
    pub fn handles(&self) -> Handles<'a> {
        Handles::new(*self)
    }

    fn entries_per_page(&self) -> NonZeroU64 {
        let size = self.windows.layouts.handle_entry.size as u64;
        let entries = PAGE_SIZE.checked_div(size).and_then(NonZeroU64::new);
        entries.unwrap_or(NonZeroU64::MIN)
    }

    /// Handle values that one page of entries covers.
    fn page_span(&self) -> NonZeroU64 {
        self.entries_per_page().saturating_mul(HANDLE_STEP)
    }

    /// First handle value beyond what the number of levels can hold.
    fn capacity(&self) -> Result<u64> {
        let pages = match self.table_code & 3 {
            0 => 1,
            1 => POINTERS,
            2 => POINTERS * POINTERS,
            _ => return Err(self.corrupt("its TableCode names a fourth level")),
        };
        Ok(self
            .page_span()
            .get()
            .saturating_mul(pages)
            .min(HANDLE_LIMIT))
    }

    /// Page of entries that holds `value`, `None` where the table has none.
    fn entry_page(&self, value: u64) -> Result<Option<Va>> {
        if value >= self.capacity()? {
            return Ok(None);
        }
        let page = value / self.page_span();
        let top = Va(self.table_code & !3);
        match self.table_code & 3 {
            0 => Ok(Some(top)),
            1 => self.pointer(top, page),
            _ => match self.pointer(top, page / POINTERS)? {
                Some(middle) => self.pointer(middle, page % POINTERS),
                None => Ok(None),
            },
        }
    }

    fn pointer(&self, table: Va, index: u64) -> Result<Option<Va>> {
        let field = Field::new(index.wrapping_mul(8), 8);
        self.record.at(table).pointer_or_none(field)
    }

    fn corrupt(&self, reason: &'static str) -> Error {
        Error::corrupt("_HANDLE_TABLE", self.address(), reason)
    }
}
