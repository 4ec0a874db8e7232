//! What a process would find at an address, whether the page is in memory or not.
//!
//! The page-table entry decides where it says anything; else the region does,
//! and for mapped regions the prototype entries of what is mapped.

mod prototype;

use isr::macros::{Bitfield, Field};

use super::{Process, Region, RegionKind, RegionProtection};
use crate::{
    core::{EntryMeaning, Pa, Space, Va},
    error::{Error, Fault, FaultKind, Result},
    symbols::extract,
};

isr::macros::offsets! {
    /// Where the protection in an entry that is not present is, and what finds prototypes.
    pub struct Layout {
        struct _MMPTE_SOFTWARE {
            Protection: Bitfield,
        }

        struct _SUBSECTION {
            SubsectionBase: Field,
            PtesInSubsection: Field,
            NextSubsection: Field,
        }
    }
}

/// May a process touch an address?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Yes: the page is there, or Windows would bring it in.
    Valid,
    /// No: the access would fail.
    Invalid,
    /// What decides is itself not in the image, or damaged.
    Unknown,
}

/// Where the content of an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageContent {
    /// In memory, at this physical address.
    Memory(Pa),
    /// Nowhere yet: the first access finds zeros.
    Zero,
    /// In a page file.
    Pagefile {
        /// Page file number, 0 to 15.
        number: u8,
        /// Offset of the page in the page file, in bytes.
        offset: u64,
    },
    /// In the compressed store of Windows 10 and later.
    Compressed,
    /// In the mapped file, from which it was not read or was dropped again.
    File,
}

/// The prototype address that says "ask the region".
const ASK_REGION: Va = Va(0xffff_ffff_ffff_0000);

/// First address that no process has for itself.
const USER_END: u64 = 1 << 47;

/// A search for the content of one address.
struct Search<'a> {
    process: Process<'a>,
    va: Va,
    /// Why the page tables do not translate the address.
    fault: Fault,
}

impl Search<'_> {
    fn refused<T>(&self, kind: FaultKind) -> Result<T> {
        Err(Error::Fault(Fault { kind, ..self.fault }))
    }

    fn content(&self) -> Result<PageContent> {
        match (self.fault.kind, self.fault.level) {
            // There is no page table where nothing was ever touched.
            (FaultKind::NotMapped, 1..) | (FaultKind::DemandZero, 2..) => self.by_region(),
            (
                FaultKind::Prototype
                | FaultKind::DemandZero
                | FaultKind::Pagefile { .. }
                | FaultKind::Compressed,
                1,
            ) => self.by_entry(),
            (kind, _) => self.refused(kind),
        }
    }

    /// The process's own entry is not present, but says something.
    fn by_entry(&self) -> Result<PageContent> {
        let windows = self.process.windows();
        let memory = windows.memory();
        let translator = memory.translator().ok_or(self.fault)?;
        let root = self.process.translation_root()?;
        let entry = translator.entry(memory.physical()?, root, self.va)?;
        match translator.meaning(entry) {
            EntryMeaning::Prototype(ASK_REGION) => self.by_region(),
            EntryMeaning::Prototype(prototype) => self.by_prototype(prototype),
            EntryMeaning::Absent(_) if self.denies_all(entry) => self.refused(FaultKind::NotMapped),
            meaning => self.told(meaning),
        }
    }

    /// Committed pages that were taken back keep an entry that allows nothing.
    fn denies_all(&self, entry: u64) -> bool {
        let layout = &self.process.windows().layouts.validity._MMPTE_SOFTWARE;
        RegionProtection(extract(&layout.Protection, entry) as u8).denies_all()
    }

    fn by_prototype(&self, prototype: Va) -> Result<PageContent> {
        let windows = self.process.windows();
        let translator = windows.memory().translator().ok_or(self.fault)?;
        let entry = windows.record(prototype).pointer(prototype::ENTRY)?;
        match translator.meaning(entry.0) {
            // A prototype of a prototype names the part of the file.
            EntryMeaning::Prototype(_) => Ok(PageContent::File),
            EntryMeaning::Absent(FaultKind::NotMapped) => self.nowhere(),
            meaning => self.told(meaning),
        }
    }

    /// The section says nothing about the page: it was never committed. But an
    /// image is there as a whole from the moment it is mapped, so that in one the
    /// page exists and only its place is not told.
    fn nowhere(&self) -> Result<PageContent> {
        let region = self.process.region(self.va)?;
        let is_whole = match region {
            Some(region) => region.is_image()? && !region.protection()?.denies_all(),
            None => false,
        };
        self.refused(match is_whole {
            true => FaultKind::Prototype,
            false => FaultKind::NotMapped,
        })
    }

    fn told(&self, meaning: EntryMeaning) -> Result<PageContent> {
        match meaning {
            EntryMeaning::Memory(page) => {
                let pa = page.wrapping_add(self.va.page_offset());
                Ok(PageContent::Memory(pa))
            }
            EntryMeaning::Absent(FaultKind::DemandZero) => Ok(PageContent::Zero),
            EntryMeaning::Absent(FaultKind::Compressed) => Ok(PageContent::Compressed),
            EntryMeaning::Absent(FaultKind::Pagefile { number, offset }) => {
                Ok(PageContent::Pagefile { number, offset })
            }
            EntryMeaning::Absent(kind) => self.refused(kind),
            EntryMeaning::Prototype(_) => self.refused(FaultKind::Prototype),
        }
    }

    fn by_region(&self) -> Result<PageContent> {
        if self.va.0 >= USER_END {
            return self.refused(FaultKind::NotMapped);
        }
        let Some(region) = self.process.region(self.va)? else {
            return self.refused(FaultKind::NotMapped);
        };
        if region.protection()?.denies_all() {
            return self.refused(FaultKind::NotMapped);
        }
        match (region.is_private()?, region.kind()?) {
            (true, RegionKind::Private) if region.is_committed()? => Ok(PageContent::Zero),
            (true, _) => self.refused(FaultKind::NotMapped),
            (false, _) => self.by_section(&region),
        }
    }

    fn by_section(&self, region: &Region<'_>) -> Result<PageContent> {
        match prototype::address(self.process.windows(), region, self.va)? {
            Some(prototype) => self.by_prototype(prototype),
            None => self.nowhere(),
        }
    }
}

/// Does the fault tell that there is nothing at `va`? That of a structure that
/// would decide is no answer.
fn is_refusal(fault: &Fault, va: Va) -> bool {
    let is_final = matches!(fault.kind, FaultKind::NotMapped | FaultKind::NonCanonical);
    fault.address == va.0 && is_final
}

impl Process<'_> {
    /// Where the content of `va` is, in the process's own address space.
    ///
    /// # Errors
    /// A [`Fault`] where there is none or the page tables do not tell;
    /// [`Error::NotSupported`] for images that are stored by address.
    pub fn page_content(&self, va: Va) -> Result<PageContent> {
        let root = self.translation_root()?;
        match self.windows().memory().translate(root, va) {
            Ok(translation) => Ok(PageContent::Memory(translation.pa)),
            Err(Error::Fault(fault)) => Search {
                process: *self,
                va,
                fault,
            }
            .content(),
            Err(error) => Err(error),
        }
    }

    /// May the process touch `va`, whether or not the page is in memory now?
    pub fn validity(&self, va: Va) -> Validity {
        match self.page_content(va) {
            Ok(_) => Validity::Valid,
            Err(Error::Fault(fault)) if is_refusal(&fault, va) => Validity::Invalid,
            Err(Error::NotSupported { .. }) => self.validity_by_address(va),
            Err(_) => self.validity_without_content(va),
        }
    }

    /// Images are mapped as a whole: their regions are enough.
    fn validity_without_content(&self, va: Va) -> Validity {
        let accessible = self.region(va).and_then(|region| match region {
            Some(region) if !region.protection()?.denies_all() => region.kind().map(Some),
            _ => Ok(None),
        });
        match accessible {
            Ok(Some(RegionKind::Image)) => Validity::Valid,
            _ => Validity::Unknown,
        }
    }

    fn validity_by_address(&self, va: Va) -> Validity {
        let memory = self.windows().memory();
        let space = self.space();
        match space.map(|space: Space| memory.read(space, va.0, &mut [0])) {
            Ok(Ok(())) => Validity::Valid,
            _ => Validity::Unknown,
        }
    }
}
