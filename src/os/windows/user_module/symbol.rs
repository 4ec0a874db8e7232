//! `module!symbol` in a process.

use std::sync::Arc;

use super::UserModule;
use crate::{
    core::Va,
    error::{Error, Result},
    os::windows::{Architecture, Process, module_image::is_named},
    pe::{Export, ExportTarget},
    symbols::{PdbId, Profile},
};

/// Longest chain of forwarded exports that is followed.
const FORWARDS_MAX: usize = 8;

/// Finds the symbols of a module.
pub trait FindProfile {
    /// The profile of this PDB; `None` when there is none and the export table
    /// has to do.
    fn find(&self, id: &PdbId) -> Result<Option<Arc<Profile>>>;
}

/// No symbols but exports.
impl FindProfile for () {
    fn find(&self, _: &PdbId) -> Result<Option<Arc<Profile>>> {
        Ok(None)
    }
}

impl<'a> Process<'a> {
    /// The module of this name: a file name, its extension may be left out,
    /// ASCII case does not count.
    ///
    /// A WoW64 process has modules of both widths under one name (`ntdll`);
    /// without an `architecture` the process's own counts.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the fault where a module of this name has a header
    /// that is not in memory.
    pub fn user_module(
        &self,
        name: &str,
        architecture: Option<Architecture>,
    ) -> Result<UserModule<'a>> {
        let wanted = match architecture {
            Some(architecture) => architecture,
            None => self.architecture()?,
        };
        let named = |module: &UserModule<'_>| module.name().is_ok_and(|it| is_named(&it, name));
        let mut fault = None;
        for module in self.user_modules().flatten().filter(named) {
            match module.architecture() {
                Ok(architecture) if architecture == wanted => return Ok(module),
                Ok(_) => {}
                Err(error) => drop(fault.get_or_insert(error)),
            }
        }
        Err(fault.unwrap_or_else(|| Error::not_found(format!("module {name}"))))
    }

    /// Address of `module!symbol`, from the module's own symbols where
    /// `profiles` has them, else from its export table.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] without an exclamation mark,
    /// [`Error::NotFound`] when module or symbol do not exist, and the fault
    /// where the module's pages are not in memory.
    pub fn user_symbol(
        &self,
        text: &str,
        architecture: Option<Architecture>,
        profiles: &dyn FindProfile,
    ) -> Result<Va> {
        let Some((module, symbol)) = text.split_once('!') else {
            let reason = format!("`{text}` is not module!symbol");
            return Err(Error::invalid_argument("symbol", reason));
        };
        self.user_module(module, architecture)?
            .symbol(symbol, profiles)
    }
}

impl UserModule<'_> {
    /// Address of a symbol, from the module's own symbols where `profiles` has
    /// them, else from its export table, through other modules where it
    /// forwards to them.
    ///
    /// # Errors
    /// As [`Process::user_symbol`].
    pub fn symbol(&self, name: &str, profiles: &dyn FindProfile) -> Result<Va> {
        let known = match self.pdb() {
            Ok(Some(id)) => profiles.find(&id)?,
            _ => None,
        };
        match known.and_then(|profile| profile.symbol(name)) {
            Some(rva) => Ok(self.base.wrapping_add(rva)),
            None => self.exported(name),
        }
    }

    /// The export of this name, or of the ordinal in `#7`.
    pub fn export(&self, name: &str) -> Result<Option<Export>> {
        let pe = self.pe()?;
        match pe.exports()? {
            Some(exports) => exports.named_or_numbered(name),
            None => Ok(None),
        }
    }

    /// Address of an export, forwarders followed.
    fn exported(&self, name: &str) -> Result<Va> {
        let mut module = *self;
        let mut name = name.to_owned();
        for _ in 0..FORWARDS_MAX {
            let export = module.export(&name)?;
            match export.map(|export| export.target) {
                Some(ExportTarget::Rva(rva)) => return Ok(module.base.wrapping_add(rva.into())),
                Some(ExportTarget::Forwarder(target)) => {
                    (module, name) = module.forwarded(&target)?;
                }
                None => break,
            }
        }
        Err(Error::not_found(format!("symbol {name}")))
    }

    /// Module and export that `NTDLL.RtlAllocateHeap` means.
    fn forwarded(&self, target: &str) -> Result<(Self, String)> {
        let Some((module, name)) = target.rsplit_once('.') else {
            let reason = format!("`{target}` forwards to no module");
            return Err(Error::corrupt("IMAGE_EXPORT_DIRECTORY", self.base, reason));
        };
        let module = self
            .process
            .user_module(module, Some(self.architecture()?))?;
        Ok((module, name.to_owned()))
    }
}
