//! Which symbol is at an address, in any module.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use super::{Session, user_symbol::Profiles};
use crate::{
    core::Va,
    error::Result,
    os::windows::{FindProfile, LoadedImage, Module, Process, UserModule},
    pe::Pe,
    symbols::{PdbId, Profile},
};

/// The symbol at or closest before an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearestSymbol {
    /// Base of its module.
    pub module_base: Va,
    /// File name of its module, empty where it cannot be read.
    pub module: String,
    /// Its name; of an export without one its ordinal (`#7`).
    pub name: String,
    /// Distance from the symbol to the address, in bytes.
    pub displacement: u64,
}

/// A module of the kernel or of the process.
enum Owner<'a> {
    Kernel(Module<'a>),
    User(UserModule<'a>),
}

/// What is known about one module's symbols, found out once.
struct Known<'a> {
    name: String,
    profile: Option<Arc<Profile>>,
    pe: Result<Pe<LoadedImage<'a>>>,
}

/// Modules and their symbols, for looking up many addresses.
pub struct SymbolFinder<'a> {
    session: &'a Session,
    process: Option<Process<'a>>,
    /// Base, size and module, once they are needed.
    modules: Option<Vec<(Va, u64, Owner<'a>)>>,
    known: HashMap<Va, Known<'a>>,
}

impl Session {
    /// Finds symbols by address: those of the kernel's modules and, with a
    /// process, of its own modules.
    pub fn symbol_finder<'a>(&'a self, process: Option<Process<'a>>) -> SymbolFinder<'a> {
        SymbolFinder {
            session: self,
            process,
            modules: None,
            known: HashMap::new(),
        }
    }
}

impl<'a> SymbolFinder<'a> {
    /// The symbol at or closest before `address`, `None` outside of all modules
    /// and before a module's first symbol.
    ///
    /// # Errors
    /// The fault where the module's symbols are not at hand and the pages of its
    /// exports are not in memory.
    pub fn nearest(&mut self, address: Va) -> Result<Option<NearestSymbol>> {
        if let Some((name, displacement)) = self.session.nearest_symbol(address)? {
            return Ok(Some(NearestSymbol {
                module_base: self.session.windows()?.kernel_base(),
                module: "nt".into(),
                name: name.into(),
                displacement,
            }));
        }
        let Some((base, offset)) = self.place(address)? else {
            return Ok(None);
        };
        let Some(known) = self.known.get(&base) else {
            return Ok(None);
        };
        let symbol = known.nearest(offset)?;
        Ok(symbol.map(|(name, displacement)| NearestSymbol {
            module_base: base,
            module: known.name.clone(),
            name,
            displacement,
        }))
    }

    /// Base of the module that holds `address`, and the distance from there;
    /// what is known about the module is then in `known`.
    fn place(&mut self, address: Va) -> Result<Option<(Va, u64)>> {
        let session = self.session;
        if self.modules.is_none() {
            self.modules = Some(modules(session, self.process.as_ref())?);
        }
        let modules = self.modules.iter().flatten();
        let mut found = modules.filter_map(|(base, size, owner)| {
            let offset = address.0.checked_sub(base.0)?;
            (offset < *size).then_some((*base, offset, owner))
        });
        let Some((base, offset, owner)) = found.next_back() else {
            return Ok(None);
        };
        if let Entry::Vacant(place) = self.known.entry(base) {
            place.insert(Known::new(session, owner)?);
        }
        Ok(Some((base, offset)))
    }
}

/// All modules whose place can be read.
fn modules<'a>(
    session: &'a Session,
    process: Option<&Process<'a>>,
) -> Result<Vec<(Va, u64, Owner<'a>)>> {
    let kernel = session.windows()?.modules().flatten();
    let kernel = kernel.filter_map(|module| {
        let size = module.size().ok()?;
        Some((module.base().ok()?, size.into(), Owner::Kernel(module)))
    });
    let user = process
        .into_iter()
        .flat_map(|it| it.user_modules().flatten());
    let user = user.filter_map(|module| {
        let size = module.size().ok()?;
        Some((module.base(), size, Owner::User(module)))
    });
    Ok(kernel.chain(user).collect())
}

impl<'a> Known<'a> {
    fn new(session: &'a Session, owner: &Owner<'a>) -> Result<Self> {
        let (name, pe) = match owner {
            Owner::Kernel(module) => (module.name(), module.pe()),
            Owner::User(module) => (module.name(), module.pe()),
        };
        let record = pe.as_ref().ok().and_then(|pe| pe.codeview().ok().flatten());
        let id = record.map(|record| PdbId::new(&record.pdb, record.guid, record.age));
        let profile = match id {
            Some(id) => Profiles(session).find(&id)?,
            None => None,
        };
        Ok(Self {
            name: name.unwrap_or_default(),
            profile,
            pe,
        })
    }

    fn nearest(&self, offset: u64) -> Result<Option<(String, u64)>> {
        let named = self.profile.as_ref().and_then(|it| it.nearest(offset));
        if let Some((name, displacement)) = named {
            return Ok(Some((name.into(), displacement)));
        }
        let pe = self.pe.as_ref().map_err(Clone::clone)?;
        let (Some(exports), Ok(rva)) = (pe.exports()?, u32::try_from(offset)) else {
            return Ok(None);
        };
        let nearest = exports.nearest(rva)?;
        Ok(nearest.map(|(export, displacement)| {
            let ordinal = || format!("#{}", export.ordinal);
            let name = export.name.clone().unwrap_or_else(ordinal);
            (name, displacement.into())
        }))
    }
}
