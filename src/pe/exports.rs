//! Exported symbols (`IMAGE_EXPORT_DIRECTORY`).

use std::{cmp::Ordering, ops::Deref};

use super::{Directory, DirectoryKind, Image, Pe, read::Sparse};
use crate::{core::bytes::u32_at, error::Result};

const STRUCTURE: &str = "IMAGE_EXPORT_DIRECTORY";
const DIRECTORY_SIZE: usize = 40;
/// Ordinals have 16 bits: no table has more entries.
const ENTRIES_MAX: u32 = 1 << 16;

/// What an export leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportTarget {
    /// Code or data at this RVA.
    Rva(u32),
    /// An export of another module (`"NTDLL.RtlAllocateHeap"`, `"NTDLL.#7"`).
    Forwarder(String),
}

/// An exported symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Ordinal, with the directory's base added.
    pub ordinal: u32,
    /// Name, `None` for exports by ordinal only.
    pub name: Option<String>,
    /// What it leads to.
    pub target: ExportTarget,
}

/// The export tables of an image.
///
/// The tables are read once; entries on missing pages fail one by one. `P` is the
/// image, borrowed or owned.
pub struct Exports<P> {
    pe: P,
    directory: Directory,
    module_name: u32,
    ordinal_base: u32,
    functions: Sparse,
    names: Sparse,
    ordinals: Sparse,
}

impl<I: Image> Pe<I> {
    /// The exports, `None` when the image has none.
    ///
    /// Fails with [`crate::Error::Corrupt`] when the directory contradicts itself,
    /// and with a fault when it cannot be read.
    pub fn exports(&self) -> Result<Option<Exports<&Self>>> {
        Exports::of(self)
    }

    /// As [`Pe::exports`], for iterations that outlive the call.
    pub fn into_exports(self) -> Result<Option<Exports<Box<Self>>>> {
        Exports::of(Box::new(self))
    }
}

/// Where an iteration over exports has come to.
struct Position {
    /// Next entry of the name table.
    named: usize,
    /// Next entry of the address table whose name was not met.
    unnamed: usize,
    /// Which entries of the address table have names.
    has_name: Vec<bool>,
}

impl<I: Image, P: Deref<Target = Pe<I>>> Exports<P> {
    fn of(pe: P) -> Result<Option<Self>> {
        match pe.directory(DirectoryKind::Export)? {
            Some(directory) => Self::new(pe, directory).map(Some),
            None => Ok(None),
        }
    }

    fn new(pe: P, directory: Directory) -> Result<Self> {
        let fields: [u8; DIRECTORY_SIZE] = pe.array(STRUCTURE, directory.rva)?;
        let field = |offset| u32_at(&fields, offset).unwrap_or_default();
        let (functions, names) = (field(20), field(24));
        if functions > ENTRIES_MAX || names > ENTRIES_MAX {
            let reason = format!("{functions} functions and {names} names are too many");
            return Err(pe.corrupt(STRUCTURE, directory.rva, reason));
        }
        let table = |rva, count: u32, width: usize| {
            pe.sparse(STRUCTURE, rva, (count as usize).saturating_mul(width))
        };
        let functions = table(field(28), functions, 4)?;
        let ordinals = table(field(36), names, 2)?;
        let names = table(field(32), names, 4)?;
        Ok(Self {
            directory,
            module_name: field(12),
            ordinal_base: field(16),
            functions,
            names,
            ordinals,
            pe,
        })
    }

    /// Name that the linker gave the module.
    pub fn module_name(&self) -> Result<String> {
        self.pe.name_at(STRUCTURE, self.module_name)
    }

    /// The export of this name.
    ///
    /// Searched as the loader does it, in a table that is sorted by name.
    pub fn by_name(&self, name: &str) -> Result<Option<Export>> {
        let (mut low, mut high) = (0, self.names.len_u32());
        while low < high {
            let middle = low.midpoint(high);
            let Some(candidate) = self.name(middle) else {
                break;
            };
            let candidate = candidate?;
            match candidate.as_str().cmp(name) {
                Ordering::Less => low = middle.saturating_add(1),
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.named(middle, candidate),
            }
        }
        Ok(None)
    }

    /// The export of this ordinal, with the first of its names.
    pub fn by_ordinal(&self, ordinal: u32) -> Result<Option<Export>> {
        let Some(index) = ordinal.checked_sub(self.ordinal_base) else {
            return Ok(None);
        };
        self.function(index as usize, self.first_name(index))
    }

    /// The export of this name, or of the ordinal in `#7`.
    pub fn named_or_numbered(&self, name: &str) -> Result<Option<Export>> {
        match name.strip_prefix('#').map(str::parse) {
            Some(Ok(ordinal)) => self.by_ordinal(ordinal),
            _ => self.by_name(name),
        }
    }

    /// The last export at or before `rva`, and how many bytes `rva` is behind it.
    ///
    /// Entries on missing pages are passed over.
    pub fn nearest(&self, rva: u32) -> Result<Option<(Export, u32)>> {
        let before = (0..self.functions.len_u32())
            .filter_map(|index| Some((self.functions.u32(index)?.ok()?, index)))
            .filter(|&(start, _)| start != 0 && start <= rva && !self.directory.holds(start))
            // The first of several exports at one address.
            .max_by_key(|&(start, index)| (start, std::cmp::Reverse(index)));
        let Some((start, index)) = before else {
            return Ok(None);
        };
        let export = self.function(index, self.first_name(index as u32))?;
        Ok(export.map(|export| (export, rva.saturating_sub(start))))
    }

    /// All exports: those with a name in the order of the name table (an export
    /// with two names comes twice), then those without. An `Err` is one export
    /// that cannot be read.
    pub fn iter(&self) -> impl Iterator<Item = Result<Export>> + '_ {
        let mut position = self.start();
        std::iter::from_fn(move || self.step(&mut position))
    }

    /// As [`Exports::iter`], of the exports themselves.
    pub fn into_all(self) -> impl Iterator<Item = Result<Export>> {
        let mut position = self.start();
        std::iter::from_fn(move || self.step(&mut position))
    }

    fn start(&self) -> Position {
        let mut has_name = vec![false; self.functions.len_u32()];
        let indices = (0..self.names.len_u32()).filter_map(|at| self.ordinals.u16(at)?.ok());
        for index in indices {
            if let Some(flag) = has_name.get_mut(usize::from(index)) {
                *flag = true;
            }
        }
        Position {
            named: 0,
            unnamed: 0,
            has_name,
        }
    }

    /// The next export behind `position`, unused entries passed over.
    fn step(&self, position: &mut Position) -> Option<Result<Export>> {
        while let Some(name) = self.name(position.named) {
            let at = position.named;
            position.named = at.saturating_add(1);
            let export = name.and_then(|name| self.named(at, name));
            if let Some(export) = export.transpose() {
                return Some(export);
            }
        }
        while let Some(&has_name) = position.has_name.get(position.unnamed) {
            let index = position.unnamed;
            position.unnamed = index.saturating_add(1);
            if has_name {
                continue;
            }
            if let Some(export) = self.function(index, None).transpose() {
                return Some(export);
            }
        }
        None
    }

    /// Entry `at` of the name table, `None` behind its end.
    fn name(&self, at: usize) -> Option<Result<String>> {
        Some(match self.names.u32(at)? {
            Ok(rva) => self.pe.name_at(STRUCTURE, rva),
            Err(fault) => Err(fault.into()),
        })
    }

    /// The export that entry `at` of the name table stands for.
    fn named(&self, at: usize, name: String) -> Result<Option<Export>> {
        match self.ordinals.u16(at).transpose()? {
            Some(index) => self.function(index.into(), Some(name)),
            None => Ok(None),
        }
    }

    /// The first readable name of a function.
    fn first_name(&self, index: u32) -> Option<String> {
        let at = (0..self.names.len_u32())
            .find(|&at| matches!(self.ordinals.u16(at), Some(Ok(it)) if u32::from(it) == index))?;
        self.name(at)?.ok()
    }

    /// Entry `index` of the address table, `None` when it is unused or behind the end.
    fn function(&self, index: usize, name: Option<String>) -> Result<Option<Export>> {
        let rva = match self.functions.u32(index).transpose()? {
            None | Some(0) => return Ok(None),
            Some(rva) => rva,
        };
        Ok(Some(Export {
            ordinal: self.ordinal_base.wrapping_add(index as u32),
            name,
            target: match self.directory.holds(rva) {
                true => ExportTarget::Forwarder(self.pe.name_at(STRUCTURE, rva)?),
                false => ExportTarget::Rva(rva),
            },
        }))
    }
}
