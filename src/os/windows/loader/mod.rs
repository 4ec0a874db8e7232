//! `_PEB_LDR_DATA`: the modules that the loader of a process knows.

mod entry;

use isr::macros::Field;

use super::{List, Windows, user::UserRecord};
use crate::{core::Va, error::Result};

pub use entry::LoaderEntry;

/// More modules than any process has: the bound of a walk through lists that
/// user mode may write as it likes.
pub(super) const MAX_MODULES: u32 = 1 << 16;

/// Order of a list of modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoaderOrder {
    /// As they were loaded; the executable comes first.
    Load,
    /// The same, at present, but a list of its own.
    Memory,
    /// As their entry points were called; the executable is missing.
    Initialization,
}

impl LoaderOrder {
    /// Every order.
    pub const ALL: [Self; 3] = [Self::Load, Self::Memory, Self::Initialization];

    /// What links the entries, in errors.
    const fn structure(self) -> &'static str {
        match self {
            Self::Load => "_LDR_DATA_TABLE_ENTRY.InLoadOrderLinks",
            Self::Memory => "_LDR_DATA_TABLE_ENTRY.InMemoryOrderLinks",
            Self::Initialization => "_LDR_DATA_TABLE_ENTRY.InInitializationOrderLinks",
        }
    }
}

/// The loader's data of one width.
#[derive(Clone, Copy)]
pub struct LoaderData<'a> {
    windows: &'a Windows,
    record: UserRecord<'a>,
}

impl<'a> LoaderData<'a> {
    pub(super) const fn new(windows: &'a Windows, record: UserRecord<'a>) -> Self {
        Self { windows, record }
    }

    /// Address of the `_PEB_LDR_DATA`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// The structure itself, with its width.
    pub(super) const fn record(&self) -> UserRecord<'a> {
        self.record
    }

    /// Where the list in this order begins and what links its entries.
    pub(super) fn chain(&self, order: LoaderOrder) -> Chain {
        let layouts = &self.windows.layouts.user;
        let data = layouts.loader.of(self.record.architecture());
        let entry = layouts.entry.of(self.record.architecture());
        let (head, links) = match order {
            LoaderOrder::Load => (data.load_order, entry.load_links),
            LoaderOrder::Memory => (data.memory_order, entry.memory_links),
            LoaderOrder::Initialization => (data.initialization_order, entry.initialization_links),
        };
        Chain { head, links }
    }

    /// The modules in this order.
    pub fn entries(&self, order: LoaderOrder) -> LoaderEntries<'a> {
        let Chain { head, links } = self.chain(order);
        let record = self.record.record();
        let list = List::new(
            record.memory(),
            record.space(),
            record.address(head),
            order.structure(),
        );
        LoaderEntries {
            windows: self.windows,
            record: self.record,
            list: list.of_user(self.record.architecture(), MAX_MODULES),
            links,
        }
    }

    /// The entry at `address`.
    pub(super) const fn entry(&self, address: Va) -> LoaderEntry<'a> {
        LoaderEntry::new(self.windows, self.record.at(address))
    }

    /// Where an entry names its image.
    pub(super) fn base_field(&self) -> Field {
        let entries = &self.windows.layouts.user.entry;
        entries.of(self.record.architecture()).base
    }
}

/// One list of a loader.
#[derive(Clone, Copy)]
pub(super) struct Chain {
    /// Its head in the loader's data.
    pub(super) head: Field,
    /// Its links in an entry.
    pub(super) links: Field,
}

/// Entries of one list of the loader; an `Err` is a gap.
pub struct LoaderEntries<'a> {
    windows: &'a Windows,
    record: UserRecord<'a>,
    list: List<'a>,
    links: Field,
}

impl<'a> Iterator for LoaderEntries<'a> {
    type Item = Result<LoaderEntry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.list.next()?.map(|links| {
            let entry = links.wrapping_sub(self.links.offset());
            LoaderEntry::new(self.windows, self.record.at(entry))
        }))
    }
}
