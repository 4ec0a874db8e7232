//! Images of kernel modules, and `module!symbol` among them.

use super::{FindProfile, LoadedImage, Module, Windows};
use crate::{
    core::Va,
    error::{Error, Result},
    pe::{Export, ExportTarget, Mapped, Pe},
    symbols::PdbId,
};

/// Longest chain of forwarded exports that is followed.
const FORWARDS_MAX: usize = 8;

impl<'a> Module<'a> {
    /// The image itself, read page by page.
    pub fn image(&self) -> Result<LoadedImage<'a>> {
        let windows = self.windows();
        let image = Mapped::new(windows.memory(), windows.space(), self.base()?);
        Ok(LoadedImage::Mapped(image))
    }

    /// Headers, sections, exports, imports and CodeView of the image.
    ///
    /// Fails with the fault when the header page is not in memory.
    pub fn pe(&self) -> Result<Pe<LoadedImage<'a>>> {
        Pe::parse(self.image()?)
    }

    /// Identity of the image's PDB, `None` when it has none.
    pub fn pdb(&self) -> Result<Option<PdbId>> {
        let record = self.pe()?.codeview()?;
        Ok(record.map(|record| PdbId::new(&record.pdb, record.guid, record.age)))
    }

    /// Is this its file name, with or without its extension? ASCII case does not count.
    pub fn is_named(&self, name: &str) -> Result<bool> {
        self.name().map(|file| is_named(&file, name))
    }

    /// Address of a symbol, from the module's own symbols where `profiles` has
    /// them, else from its export table, through other modules where it forwards
    /// to them.
    pub fn symbol(&self, name: &str, profiles: &dyn FindProfile) -> Result<Va> {
        let base = self.base()?;
        if base == self.windows().kernel_base()
            && let Ok(address) = self.windows().symbol(name)
        {
            return Ok(address);
        }
        let known = match self.pdb() {
            Ok(Some(id)) => profiles.find(&id)?,
            _ => None,
        };
        match known.and_then(|profile| profile.symbol(name)) {
            Some(rva) => Ok(base.wrapping_add(rva)),
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
            match module.export(&name)?.map(|export| export.target) {
                Some(ExportTarget::Rva(rva)) => return Ok(module.base()?.wrapping_add(rva.into())),
                Some(ExportTarget::Forwarder(target)) => {
                    let Some((file, symbol)) = target.rsplit_once('.') else {
                        break;
                    };
                    module = self.windows().module_by_name(file)?;
                    name = symbol.to_owned();
                }
                None => break,
            }
        }
        Err(Error::not_found(format!("symbol {name}")))
    }
}

impl Windows {
    /// The kernel's module of this name: a file name, its extension may be left
    /// out, ASCII case does not count; `nt` is the kernel.
    pub fn module_by_name(&self, name: &str) -> Result<Module<'_>> {
        let is_kernel = name.eq_ignore_ascii_case("nt");
        let wanted = |module: &Module<'_>| match is_kernel {
            true => module.base().is_ok_and(|base| base == self.kernel_base()),
            false => module.is_named(name).unwrap_or(false),
        };
        self.modules()
            .flatten()
            .find(wanted)
            .ok_or_else(|| Error::not_found(format!("kernel module {name}")))
    }

    /// Address of `module!symbol` among the modules of the kernel; without a
    /// module, of the kernel itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] when module or symbol do not exist, and the fault where
    /// the module's pages are not in memory.
    pub fn module_symbol(&self, text: &str, profiles: &dyn FindProfile) -> Result<Va> {
        match text.split_once('!') {
            None => self.symbol(text),
            Some((module, symbol)) if module.eq_ignore_ascii_case("nt") => self.symbol(symbol),
            Some((module, symbol)) => self.module_by_name(module)?.symbol(symbol, profiles),
        }
    }
}

/// Is `wanted` this file name, with or without its extension?
pub(super) fn is_named(file: &str, wanted: &str) -> bool {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    file.eq_ignore_ascii_case(wanted) || stem.eq_ignore_ascii_case(wanted)
}

#[cfg(test)]
mod tests {
    use super::is_named;

    #[test]
    fn modules_are_named_with_and_without_extension() {
        assert!(is_named("ntdll.dll", "NTDLL"));
        assert!(is_named("ntdll.dll", "ntdll.DLL"));
        assert!(is_named("winspool.drv", "winspool"));
        assert!(is_named("noextension", "NoExtension"));
        assert!(!is_named("ntdll.dll", "ntdl"));
        assert!(!is_named("ntdll.dll", "dll"));
    }
}
