//! What a loader lists: each entry once, with the lists that it is on.
//!
//! An entry holds the links of all three lists side by side. Nearly always the
//! list in load order holds every entry: it is read once, and the other lists are
//! followed in what was read. Where anything does not fit, each list is walked by
//! itself, which finds what is missing from another.

use std::collections::HashMap;

use isr::macros::Field;

use super::LoaderLists;
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{
        loader::{Chain, LoaderData, LoaderOrder, MAX_MODULES},
        user::UserRecord,
    },
};

/// An entry of a loader.
pub struct Found {
    /// Address of the entry.
    pub entry: Va,
    /// Base of its module.
    pub base: Va,
    /// The lists that it is on.
    pub lists: LoaderLists,
}

/// The entries of one loader, in the order in which they are met.
#[derive(Default)]
pub struct Listing {
    /// Parts of lists that could not be read.
    pub gaps: Vec<Error>,
    /// The entries.
    pub found: Vec<Found>,
}

impl Listing {
    /// What the loader lists.
    pub fn of(data: &LoaderData<'_>) -> Self {
        let agreeing = Agreeing::read(data).and_then(Agreeing::found);
        match agreeing {
            Some(found) => Self {
                found,
                gaps: Vec::new(),
            },
            None => Self::by_lists(data),
        }
    }

    /// Walks the lists one after the other.
    fn by_lists(data: &LoaderData<'_>) -> Self {
        let mut listing = Self::default();
        let mut entries: Vec<(Va, LoaderLists)> = Vec::new();
        let mut places: HashMap<Va, usize> = HashMap::new();
        for order in LoaderOrder::ALL {
            for entry in data.entries(order) {
                let address = match entry {
                    Ok(entry) => entry.address(),
                    Err(gap) => {
                        listing.gaps.push(gap);
                        continue;
                    }
                };
                let new = entries.len();
                let place = *places.entry(address).or_insert(new);
                match entries.get_mut(place) {
                    Some((_, lists)) => *lists |= order.into(),
                    None => entries.push((address, order.into())),
                }
            }
        }
        for (entry, lists) in entries {
            match data.entry(entry).base() {
                Ok(base) => listing.found.push(Found { entry, base, lists }),
                Err(gap) => listing.gaps.push(gap),
            }
        }
        listing
    }
}

/// A `_LIST_ENTRY`.
#[derive(Clone, Copy)]
struct Links {
    flink: Va,
    blink: Va,
}

impl Links {
    fn read(record: &UserRecord<'_>, at: Field) -> Result<Self> {
        let width = record.architecture().pointer_size() as u64;
        let pointer = |offset: u64| {
            let field = Field::new(at.offset().wrapping_add(offset), width);
            record.pointer(field)
        };
        Ok(Self {
            flink: pointer(0)?,
            blink: pointer(width)?,
        })
    }
}

/// Bytes of an entry, or of the heads, that hold all links and the base.
const LINKS_SIZE: usize = 64;

/// One list: its head, and the place of its links in an entry.
struct Head {
    address: Va,
    links: Links,
    offset: u64,
}

/// An entry with the links of all lists.
struct Known {
    found: Found,
    links: [Links; 3],
}

/// Lists of which that in load order holds every entry.
struct Agreeing {
    heads: [Head; 3],
    known: Vec<Known>,
    /// Addresses of entries and their places, in order; made when it is needed.
    places: Vec<(Va, usize)>,
}

impl Agreeing {
    /// Reads the list in load order; `None` where it is damaged.
    fn read(data: &LoaderData<'_>) -> Option<Self> {
        let chains = LoaderOrder::ALL.map(|order| data.chain(order));
        let mut buffer = [0; LINKS_SIZE];
        let record = data.record().with_copy(&mut buffer);
        let [load, memory, initialization] = chains;
        let heads = [
            head(&record, load).ok()?,
            head(&record, memory).ok()?,
            head(&record, initialization).ok()?,
        ];
        let mut known = Vec::with_capacity(64);
        let [first, ..] = &heads;
        let (mut previous, mut next) = (first.address, first.links.flink);
        while next != first.address {
            if known.len() >= MAX_MODULES as usize {
                return None;
            }
            let entry = Known::read(data, next.wrapping_sub(first.offset), chains).ok()?;
            let [links, ..] = entry.links;
            // An entry has one `Blink`: no circle survives.
            if links.blink != previous {
                return None;
            }
            known.push(entry);
            (previous, next) = (next, links.flink);
        }
        (first.links.blink == previous).then_some(Self {
            heads,
            known,
            places: Vec::new(),
        })
    }

    /// Follows the other lists; `None` where they lead to what is not known.
    fn found(mut self) -> Option<Vec<Found>> {
        for (list, order) in LoaderOrder::ALL.into_iter().enumerate().skip(1) {
            self.follow(list, order)?;
        }
        Some(self.known.into_iter().map(|it| it.found).collect())
    }

    fn follow(&mut self, list: usize, order: LoaderOrder) -> Option<()> {
        let Head {
            address,
            links,
            offset,
        } = *self.heads.get(list)?;
        let (mut previous, mut next) = (address, links.flink);
        let mut place = 0;
        // Each entry comes once.
        for _ in 0..=self.known.len() {
            if next == address {
                return (links.blink == previous).then_some(());
            }
            place = self.place(next.wrapping_sub(offset), place)?;
            let entry = self.known.get_mut(place)?;
            let links = *entry.links.get(list)?;
            if links.blink != previous {
                return None;
            }
            entry.found.lists |= order.into();
            (previous, next) = (next, links.flink);
            place = place.saturating_add(1);
        }
        None
    }

    /// Place of an entry: the next in load order mostly, or the one after it.
    fn place(&mut self, entry: Va, next: usize) -> Option<usize> {
        let is_at = |place: &usize| {
            let known = self.known.get(*place);
            known.is_some_and(|known| known.found.entry == entry)
        };
        if let Some(place) = [next, next.saturating_add(1)].iter().find(|it| is_at(it)) {
            return Some(*place);
        }
        if self.places.is_empty() {
            let entries = self.known.iter().map(|known| known.found.entry);
            self.places = entries.zip(0..).collect();
            self.places.sort_unstable();
        }
        let found = self
            .places
            .binary_search_by_key(&entry, |(entry, _)| *entry);
        self.places.get(found.ok()?).map(|(_, place)| *place)
    }
}

fn head(data: &UserRecord<'_>, chain: Chain) -> Result<Head> {
    Ok(Head {
        address: data.record().address(chain.head),
        links: Links::read(data, chain.head)?,
        offset: chain.links.offset(),
    })
}

impl Known {
    fn read(data: &LoaderData<'_>, entry: Va, chains: [Chain; 3]) -> Result<Self> {
        let mut buffer = [0; LINKS_SIZE];
        let record = data.record().at(entry).with_copy(&mut buffer);
        let [load, memory, initialization] = chains;
        Ok(Self {
            found: Found {
                entry,
                base: record.pointer(data.base_field())?,
                lists: LoaderOrder::Load.into(),
            },
            links: [
                Links::read(&record, load.links)?,
                Links::read(&record, memory.links)?,
                Links::read(&record, initialization.links)?,
            ],
        })
    }
}
