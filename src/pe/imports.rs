//! Imported symbols (`IMAGE_IMPORT_DESCRIPTOR`).

use super::{DirectoryKind, Format, Image, Pe};
use crate::{
    core::bytes::{u16_at, u32_at},
    error::Result,
};

const DESCRIPTOR: &str = "IMAGE_IMPORT_DESCRIPTOR";
const DESCRIPTOR_SIZE: usize = 20;
const THUNK: &str = "IMAGE_THUNK_DATA";
const BY_NAME: &str = "IMAGE_IMPORT_BY_NAME";

/// Most modules that are listed, and most symbols of each.
const MODULES_MAX: usize = 1024;
const SYMBOLS_MAX: u32 = 1 << 16;
/// Most symbols of all modules together.
const ALL_MAX: usize = 1 << 20;

/// A module that an image imports from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedModule {
    /// File name.
    pub name: String,
    /// RVA of the import lookup table, which keeps the names when the image is loaded.
    pub lookup_table: u32,
    /// RVA of the import address table.
    pub address_table: u32,
}

/// What an import asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportSymbol {
    /// An export by name.
    Name {
        /// Likely index in the exporter's name table.
        hint: u16,
        /// The name.
        name: String,
    },
    /// An export by ordinal.
    Ordinal(u16),
}

/// An imported symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// What is imported.
    pub symbol: ImportSymbol,
    /// RVA of the slot in the import address table that the loader fills.
    pub slot: u32,
}

impl<I: Image> Pe<I> {
    /// The modules that the image imports from; none when it has no imports.
    ///
    /// An `Err` in the iteration is one module whose name cannot be read. Fails
    /// with a fault when the directory cannot be read.
    pub fn imported_modules(&self) -> Result<impl Iterator<Item = Result<ImportedModule>> + '_> {
        let descriptors = match self.directory(DirectoryKind::Import)? {
            Some(directory) => self.bytes(DESCRIPTOR, directory.rva, directory.size as usize)?,
            None => Vec::new(),
        };
        let modules: Vec<_> = descriptors
            .chunks_exact(DESCRIPTOR_SIZE)
            .map_while(Descriptor::from_bytes)
            .take(MODULES_MAX)
            .collect();
        Ok(modules.into_iter().map(|module| {
            Ok(ImportedModule {
                name: self.name_at(DESCRIPTOR, module.name)?,
                lookup_table: module.lookup_table,
                address_table: module.address_table,
            })
        }))
    }

    /// The symbols that the image imports from `module`.
    ///
    /// An `Err` is one symbol that cannot be read; the last item when it is the
    /// table itself. A loaded image whose linker made no lookup table has lost
    /// the names: its symbols come out wrong or not at all.
    pub fn imports<'a>(
        &'a self,
        module: &ImportedModule,
    ) -> impl Iterator<Item = Result<Import>> + 'a {
        let module = module.clone();
        let mut position = Some(0);
        std::iter::from_fn(move || self.import_step(&module, &mut position))
    }

    /// The symbols that the image imports, module by module, each with the name
    /// of its module; a million at most.
    ///
    /// An `Err` is one module or symbol that cannot be read. Fails with a fault
    /// when the directory cannot be read.
    pub fn into_imports(self) -> Result<impl Iterator<Item = Result<(String, Import)>>> {
        let modules: Vec<_> = self.imported_modules()?.collect();
        let mut modules = modules.into_iter();
        let mut current: Option<(ImportedModule, Option<u32>)> = None;
        let next = move || {
            loop {
                if let Some((module, position)) = &mut current
                    && let Some(import) = self.import_step(module, position)
                {
                    return Some(import.map(|import| (module.name.clone(), import)));
                }
                match modules.next()? {
                    Ok(module) => current = Some((module, Some(0))),
                    Err(gap) => return Some(Err(gap)),
                }
            }
        };
        Ok(std::iter::from_fn(next).take(ALL_MAX))
    }

    /// The symbol at `position` of a module's table, `None` at its end.
    fn import_step(
        &self,
        module: &ImportedModule,
        position: &mut Option<u32>,
    ) -> Option<Result<Import>> {
        let width = match self.headers.format {
            Format::Pe32 => 4,
            Format::Pe32Plus => 8,
        };
        let index = position.filter(|&index| index < SYMBOLS_MAX)?;
        let offset = index.saturating_mul(width);
        let slot = module.address_table.saturating_add(offset);
        let thunk = self.thunk(module.lookup_table.saturating_add(offset));
        // Behind a missing piece of the table there is no telling where it ends.
        *position = match thunk {
            Ok(Some(_)) => index.checked_add(1),
            _ => None,
        };
        Some(
            thunk
                .transpose()?
                .and_then(|thunk| self.import(thunk, slot)),
        )
    }

    /// The thunk at `rva`, `None` at the end of the table.
    fn thunk(&self, rva: u32) -> Result<Option<Thunk>> {
        let (value, ordinal_flag) = match self.headers.format {
            Format::Pe32 => (u32::from_le_bytes(self.array(THUNK, rva)?).into(), 1 << 31),
            Format::Pe32Plus => (u64::from_le_bytes(self.array(THUNK, rva)?), 1 << 63),
        };
        Ok(match value {
            0 => None,
            _ if value & ordinal_flag != 0 => Some(Thunk::Ordinal(value as u16)),
            _ => Some(Thunk::Name(value as u32)),
        })
    }

    fn import(&self, thunk: Thunk, slot: u32) -> Result<Import> {
        let symbol = match thunk {
            Thunk::Ordinal(ordinal) => ImportSymbol::Ordinal(ordinal),
            Thunk::Name(rva) => {
                let hint: [u8; 2] = self.array(BY_NAME, rva)?;
                ImportSymbol::Name {
                    hint: u16_at(&hint, 0).unwrap_or_default(),
                    name: self.name_at(BY_NAME, rva.saturating_add(2))?,
                }
            }
        };
        Ok(Import { symbol, slot })
    }
}

/// An entry of an import lookup table.
enum Thunk {
    Ordinal(u16),
    /// RVA of an `IMAGE_IMPORT_BY_NAME`.
    Name(u32),
}

struct Descriptor {
    lookup_table: u32,
    name: u32,
    address_table: u32,
}

impl Descriptor {
    /// `None` for the entry that ends the table.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (name, address_table) = (u32_at(bytes, 12)?, u32_at(bytes, 16)?);
        if name == 0 || address_table == 0 {
            return None;
        }
        Some(Self {
            lookup_table: match u32_at(bytes, 0)? {
                0 => address_table,
                lookup_table => lookup_table,
            },
            name,
            address_table,
        })
    }
}
