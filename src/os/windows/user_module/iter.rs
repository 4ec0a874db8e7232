//! Where a process's modules are found: the loader's lists, then the regions.

use std::collections::{HashMap, HashSet};

use super::{LoaderLists, UserModule};
use crate::{
    core::{Space, Va},
    error::{Error, Result},
    os::windows::{
        Architecture, Peb, Process, Regions,
        loader::{LoaderData, LoaderEntries, LoaderEntry, LoaderOrder},
    },
};

impl<'a> Process<'a> {
    /// The process's modules: what the loader lists, of a WoW64 process first
    /// the 32-bit one and then the 64-bit one; then mapped images that are on no
    /// list, which [`UserModule::lists`] tells.
    pub fn user_modules(&self) -> UserModules<'a> {
        UserModules::new(*self)
    }

    /// The modules on one list of a loader, in the list's order; without an
    /// `architecture`, of the loader of the process's own code.
    ///
    /// Fails with [`Error::NotFound`] when the process has no such loader.
    pub fn listed_modules(
        &self,
        order: LoaderOrder,
        architecture: Option<Architecture>,
    ) -> Result<ListedModules<'a>> {
        let data = match self.environment_block_of(architecture)? {
            Some(block) => block.loader_data()?,
            None => None,
        };
        let data = data.ok_or_else(|| Error::not_found("loader of the process"))?;
        Ok(ListedModules {
            process: *self,
            space: self.space()?,
            lists: order.into(),
            entries: data.entries(order),
        })
    }

    /// The module that `address` lies in.
    pub fn user_module_at(&self, address: Va) -> Result<UserModule<'a>> {
        let holds = |module: &UserModule<'_>| {
            let offset = address.0.checked_sub(module.base().0);
            offset.is_some_and(|offset| module.size().is_ok_and(|size| offset < size))
        };
        self.user_modules()
            .flatten()
            .find(holds)
            .ok_or_else(|| Error::not_found(format!("module at {address}")))
    }
}

/// Modules on one list of a loader; an `Err` is a gap.
pub struct ListedModules<'a> {
    process: Process<'a>,
    space: Space,
    lists: LoaderLists,
    entries: LoaderEntries<'a>,
}

impl<'a> Iterator for ListedModules<'a> {
    type Item = Result<UserModule<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entries.next()?;
        Some(entry.and_then(|entry| {
            Ok(UserModule {
                process: self.process,
                space: self.space,
                base: entry.base()?,
                entry: Some(entry),
                lists: self.lists,
            })
        }))
    }
}

/// Modules of a process, each base once; an `Err` is a gap.
pub struct UserModules<'a> {
    process: Process<'a>,
    listed: std::vec::IntoIter<Result<UserModule<'a>>>,
    /// Bases that came out already.
    bases: HashSet<Va>,
    space: Option<Space>,
    regions: Regions<'a>,
}

impl<'a> UserModules<'a> {
    fn new(process: Process<'a>) -> Self {
        let mut found = Vec::new();
        let mut bases = HashSet::new();
        let space = match process.space() {
            Ok(space) => Some(space),
            Err(gap) => {
                found.push(Err(gap));
                None
            }
        };
        if let Some(space) = space {
            let mut listing = Listing {
                process,
                space,
                bases: &mut bases,
                found: &mut found,
            };
            listing.all();
        }
        Self {
            process,
            listed: found.into_iter(),
            bases,
            space,
            regions: process.regions(),
        }
    }

    /// The next image region whose base no list has.
    fn unlisted(&mut self, space: Space) -> Option<Result<UserModule<'a>>> {
        loop {
            let base = match self.regions.next()? {
                Ok(region) => match region.is_image() {
                    Ok(true) => region.start(),
                    Ok(false) => continue,
                    Err(gap) => Err(gap),
                },
                Err(gap) => Err(gap),
            };
            match base {
                Ok(base) if self.bases.contains(&base) => {}
                Ok(base) => {
                    return Some(Ok(UserModule {
                        process: self.process,
                        space,
                        base,
                        entry: None,
                        lists: LoaderLists::empty(),
                    }));
                }
                Err(gap) => return Some(Err(gap)),
            }
        }
    }
}

impl<'a> Iterator for UserModules<'a> {
    type Item = Result<UserModule<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listed.next() {
            Some(module) => Some(module),
            None => self.unlisted(self.space?),
        }
    }
}

/// Gathers what the loaders of one process list.
struct Listing<'a, 'b> {
    process: Process<'a>,
    space: Space,
    bases: &'b mut HashSet<Va>,
    found: &'b mut Vec<Result<UserModule<'a>>>,
}

impl<'a> Listing<'a, '_> {
    fn all(&mut self) {
        let own = self.process.environment_block();
        let native = self.process.native_environment_block();
        let same = matches!((&own, &native), (Ok(Some(own)), Ok(Some(native)))
            if own.address() == native.address());
        self.block(own);
        if !same {
            self.block(native);
        }
    }

    fn block(&mut self, block: Result<Option<Peb<'a>>>) {
        let data = block.and_then(|block| match block {
            Some(block) => block.loader_data(),
            None => Ok(None),
        });
        match data {
            Ok(Some(data)) => self.loader(&data),
            Ok(None) => {}
            Err(gap) => self.gap(gap),
        }
    }

    /// Walks all three lists of a loader: entries that are missing from one are
    /// often left on another.
    fn loader(&mut self, data: &LoaderData<'a>) {
        let mut entries: Vec<(LoaderEntry<'a>, LoaderLists)> = Vec::new();
        let mut places: HashMap<Va, usize> = HashMap::new();
        for order in LoaderOrder::ALL {
            for entry in data.entries(order) {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(gap) => {
                        self.gap(gap);
                        continue;
                    }
                };
                let new = entries.len();
                let place = *places.entry(entry.address()).or_insert(new);
                match entries.get_mut(place) {
                    Some((_, lists)) => *lists |= order.into(),
                    None => entries.push((entry, order.into())),
                }
            }
        }
        for (entry, lists) in entries {
            self.module(entry, lists);
        }
    }

    fn module(&mut self, entry: LoaderEntry<'a>, lists: LoaderLists) {
        match entry.base() {
            Ok(base) if self.bases.insert(base) => self.found.push(Ok(UserModule {
                process: self.process,
                space: self.space,
                base,
                entry: Some(entry),
                lists,
            })),
            Ok(_) => {}
            Err(gap) => self.gap(gap),
        }
    }

    fn gap(&mut self, gap: Error) {
        self.found.push(Err(gap));
    }
}
