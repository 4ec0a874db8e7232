//! `module!symbol`, in the kernel and in a process.

use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, PoisonError},
};

use super::Session;
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Architecture, FindProfile, Module, Process},
    symbols::{PdbId, Profile},
};

/// Modules that are remembered to have no symbols.
const UNFOUND_MAX: usize = 4096;

/// The places that a session looks for symbols in.
pub(super) struct Profiles<'a>(pub(super) &'a Session);

impl FindProfile for Profiles<'_> {
    /// Symbols that are damaged are none.
    fn find(&self, id: &PdbId) -> Result<Option<Arc<Profile>>> {
        let Self(session) = self;
        let store = session.config.symbol_store(&[]);
        match store.load(id, &session.watch()) {
            Err(Error::Cancelled) => Err(Error::Cancelled),
            profile => Ok(profile.ok()),
        }
    }
}

/// The same for searches that ask each time that a module is loaded: where there were
/// none they do not look again, until [`Session::forget_unfound`].
struct Remembered<'a>(&'a Session);

impl FindProfile for Remembered<'_> {
    fn find(&self, id: &PdbId) -> Result<Option<Arc<Profile>>> {
        let Self(session) = self;
        if session.unfound().contains(id) {
            return Ok(None);
        }
        let profile = Profiles(session).find(id)?;
        let mut unfound = session.unfound();
        // The guest says what they are called, as often as it likes.
        if profile.is_none() && unfound.len() < UNFOUND_MAX {
            unfound.insert(id.clone());
        }
        Ok(profile)
    }
}

/// How far one gets from a process, or from the kernel, to `module!symbol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSymbol {
    /// It is there.
    At(Va),
    /// There is no such module.
    NoModule,
    /// The module has no such export, and its symbols were not found.
    NoSymbols,
    /// The module's symbols were found, and this one is not among them.
    NoSymbol,
}

impl Session {
    /// Modules whose symbols a search did not find.
    fn unfound(&self) -> MutexGuard<'_, HashSet<PdbId>> {
        self.unfound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has searches look for all symbols again: somebody may have put them in place.
    pub fn forget_unfound(&self) {
        self.unfound().clear();
    }

    /// As [`Session::user_symbol`], telling apart what may be missing.
    ///
    /// # Errors
    /// The fault where a page on the way is not in memory; [`Error::Cancelled`].
    pub fn find_user_symbol(
        &self,
        process: &Process<'_>,
        (module, symbol): (&str, &str),
        architecture: Option<Architecture>,
    ) -> Result<UserSymbol> {
        let module = match process.user_module(module, architecture) {
            Ok(module) => module,
            Err(Error::NotFound { .. }) => return Ok(UserSymbol::NoModule),
            Err(error) => return Err(error),
        };
        self.classify(module.symbol(symbol, &Remembered(self)), || module.pdb())
    }

    /// As [`Session::kernel_symbol`], telling apart what may be missing.
    ///
    /// # Errors
    /// The fault where a page on the way is not in memory; [`Error::Cancelled`].
    pub fn find_kernel_symbol(&self, (module, symbol): (&str, &str)) -> Result<UserSymbol> {
        match self.windows()?.module_by_name(module) {
            Ok(module) => self.find_module_symbol(&module, symbol),
            Err(Error::NotFound { .. }) => Ok(UserSymbol::NoModule),
            Err(error) => Err(error),
        }
    }

    /// The same for one module of the kernel, which its list need not have.
    pub fn find_module_symbol(&self, module: &Module<'_>, symbol: &str) -> Result<UserSymbol> {
        self.classify(module.symbol(symbol, &Remembered(self)), || module.pdb())
    }

    fn classify(
        &self,
        symbol: Result<Va>,
        pdb: impl FnOnce() -> Result<Option<PdbId>>,
    ) -> Result<UserSymbol> {
        match symbol {
            Ok(va) => Ok(UserSymbol::At(va)),
            Err(Error::NotFound { .. }) => {
                let known = match pdb()? {
                    Some(id) => Remembered(self).find(&id)?.is_some(),
                    None => false,
                };
                Ok(match known {
                    true => UserSymbol::NoSymbol,
                    false => UserSymbol::NoSymbols,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Address of `module!symbol` among the modules of the kernel, from the
    /// module's PDB, ISF or ISR where the configuration's places have it, else
    /// from its export table; without a module, of the kernel itself.
    ///
    /// # Errors
    /// As [`Windows::module_symbol`](crate::os::windows::Windows::module_symbol),
    /// and [`Error::Cancelled`].
    pub fn kernel_symbol(&self, symbol: &str) -> Result<Va> {
        self.windows()?.module_symbol(symbol, &Profiles(self))
    }

    /// Address of `module!symbol` in a process, from the module's PDB, ISF or
    /// ISR where the configuration's places have it, else from its export table.
    ///
    /// Without an `architecture` the process's own modules count: the 32-bit
    /// `ntdll` of a WoW64 process.
    ///
    /// # Errors
    /// As [`Process::user_symbol`], and [`Error::Cancelled`].
    pub fn user_symbol(
        &self,
        process: &Process<'_>,
        symbol: &str,
        architecture: Option<Architecture>,
    ) -> Result<Va> {
        process.user_symbol(symbol, architecture, &Profiles(self))
    }
}
