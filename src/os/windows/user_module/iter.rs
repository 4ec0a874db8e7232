//! Where a process's modules are found: the loader's lists, then the regions.

use std::collections::HashSet;

use super::{
    LoaderLists, UserModule,
    listing::{Found, Listing},
};
use crate::{
    core::{Space, Va},
    error::{Error, Result},
    os::windows::{
        Architecture, Peb, Process, Regions,
        loader::{LoaderData, LoaderEntries, LoaderOrder},
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
    space: Result<Space, Option<Error>>,
    /// Loaders that are still to be asked.
    loaders: std::vec::IntoIter<Result<Option<Peb<'a>>>>,
    /// What the last one said.
    loader: Option<LoaderData<'a>>,
    gaps: std::vec::IntoIter<Error>,
    found: std::vec::IntoIter<Found>,
    bases: Bases,
    regions: Regions<'a>,
}

impl<'a> UserModules<'a> {
    fn new(process: Process<'a>) -> Self {
        Self {
            process,
            space: process.space().map_err(Some),
            loaders: loaders(&process).into_iter(),
            loader: None,
            gaps: Vec::new().into_iter(),
            found: Vec::new().into_iter(),
            bases: Bases::default(),
            regions: process.regions(),
        }
    }

    /// The next thing that the loaders say.
    fn listed(&mut self, space: Space) -> Option<Result<UserModule<'a>>> {
        loop {
            if let Some(gap) = self.gaps.next() {
                return Some(Err(gap));
            }
            if let (Some(found), Some(loader)) = (self.found.next(), &self.loader) {
                return Some(Ok(UserModule {
                    process: self.process,
                    space,
                    base: found.base,
                    entry: Some(loader.entry(found.entry)),
                    lists: found.lists,
                }));
            }
            let data = self.loaders.next()?.and_then(|block| match block {
                Some(block) => block.loader_data(),
                None => Ok(None),
            });
            match data {
                Ok(Some(data)) => self.ask(data),
                Ok(None) => {}
                Err(gap) => return Some(Err(gap)),
            }
        }
    }

    fn ask(&mut self, loader: LoaderData<'a>) {
        let mut listing = Listing::of(&loader);
        self.bases.keep_new(&mut listing.found);
        self.gaps = listing.gaps.into_iter();
        self.found = listing.found.into_iter();
        self.loader = Some(loader);
    }

    /// The next image region whose base no list has.
    fn unlisted(&mut self, space: Space) -> Option<Result<UserModule<'a>>> {
        loop {
            let base = self.regions.next_image()?;
            match base {
                Ok(base) if self.bases.passes(base) => {}
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
        let space = match &mut self.space {
            Ok(space) => *space,
            Err(gap) => return gap.take().map(Err),
        };
        self.listed(space).or_else(|| self.unlisted(space))
    }
}

/// The blocks of the process's loaders: that of its own code first.
fn loaders<'a>(process: &Process<'a>) -> Vec<Result<Option<Peb<'a>>>> {
    let own = process.environment_block();
    let native = process.native_environment_block();
    match (&own, &native) {
        (Ok(Some(own)), Ok(Some(native))) if own.address() == native.address() => {
            vec![Ok(Some(*own))]
        }
        _ => vec![own, native],
    }
}

/// Bases that came out already.
#[derive(Default)]
struct Bases {
    sorted: Vec<Va>,
    /// Those below came out of the regions, too.
    passed: usize,
}

impl Bases {
    /// Keeps the first entry of each base that is new.
    fn keep_new(&mut self, found: &mut Vec<Found>) {
        let mut bases: Vec<Va> = found.iter().map(|it| it.base).collect();
        bases.sort_unstable();
        let all_new = self.sorted.is_empty() && bases.is_sorted_by(|one, next| one < next);
        if !all_new {
            let mut seen: HashSet<Va> = self.sorted.iter().copied().collect();
            found.retain(|it| seen.insert(it.base));
            bases.append(&mut self.sorted);
            bases.sort_unstable();
            bases.dedup();
        }
        self.sorted = bases;
    }

    /// Is `base` one of them? Asked in ascending order.
    fn passes(&mut self, base: Va) -> bool {
        let rest = self.sorted.get(self.passed..).unwrap_or_default();
        let below = rest.iter().take_while(|it| **it < base).count();
        self.passed = self.passed.saturating_add(below);
        self.sorted.get(self.passed) == Some(&base)
    }
}
