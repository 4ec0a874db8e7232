//! Reads and writes across pages, in any space.

use std::sync::{Arc, OnceLock};

use super::{
    Pa, Translate, Translation, Va,
    driver::{Driver, PhysicalMemory, PinnedPage, VirtualMemory},
    tlb::{Cached, Tlb},
};
use crate::error::{Error, Fault, FaultKind, Result};

/// Where an address lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// Guest physical memory.
    Physical,
    /// The virtual address space of a page-table root.
    Virtual {
        /// Physical address of the top-level table.
        root: Pa,
    },
}

/// A read or write that stopped early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partial {
    /// Bytes done before the fault.
    pub done: usize,
    /// Why it stopped, with the address of the first byte that failed.
    pub fault: Fault,
}

impl From<Partial> for Error {
    fn from(partial: Partial) -> Self {
        Error::Fault(partial.fault)
    }
}

/// Guest memory: a driver, a translator and the cache between them.
///
/// `Send + Sync`; readers share no lock.
pub struct Memory {
    driver: Arc<dyn Driver>,
    translate: OnceLock<Arc<dyn Translate>>,
    tlb: Tlb,
}

impl Memory {
    /// Memory of `driver`; virtual spaces need [`Memory::set_translate`] first.
    pub fn new(driver: Arc<dyn Driver>, tlb_slots: usize) -> Self {
        Self {
            driver,
            translate: OnceLock::new(),
            tlb: Tlb::new(tlb_slots),
        }
    }

    /// Sets the paging mode. The first call wins.
    pub fn set_translate(&self, translate: Arc<dyn Translate>) {
        // A second paging mode for one guest would be a contradiction.
        let _ = self.translate.set(translate);
    }

    /// The paging mode, once it is known.
    pub fn translator(&self) -> Option<&dyn Translate> {
        self.translate.get().map(|translate| &**translate)
    }

    /// The back end.
    pub fn driver(&self) -> &dyn Driver {
        &*self.driver
    }

    /// Drops all cached translations.
    pub fn flush(&self) {
        self.tlb.flush();
    }

    /// Turns the translation cache on or off (off while a guest runs).
    pub fn set_caching(&self, enabled: bool) {
        self.tlb.set_enabled(enabled);
    }

    /// Physical memory, or the reason why there is none.
    pub fn physical(&self) -> Result<&dyn PhysicalMemory> {
        self.driver
            .physical()
            .ok_or_else(|| Error::not_supported("this image stores memory by virtual address only"))
    }

    /// Resolves `va`.
    pub fn translate(&self, root: Pa, va: Va) -> Result<Translation> {
        let physical = self.physical()?;
        let mut translation = self.page(physical, root, va)?.translation;
        translation.pa = translation.pa.wrapping_add(va.page_offset());
        Ok(translation)
    }

    #[inline]
    fn page(&self, physical: &dyn PhysicalMemory, root: Pa, va: Va) -> Result<Cached, Fault> {
        match self.tlb.lookup(root, va) {
            Some(cached) => Ok(cached),
            None => self.walk(physical, root, va),
        }
    }

    #[cold]
    fn walk(&self, physical: &dyn PhysicalMemory, root: Pa, va: Va) -> Result<Cached, Fault> {
        let translator = self.translate.get().ok_or(Fault {
            address: va.0,
            root: Some(root),
            level: 0,
            kind: FaultKind::NotMapped,
        })?;
        let generation = self.tlb.generation();
        let mut translation = translator.walk(physical, root, va)?;
        translation.pa = translation.pa.page();
        let page = physical.pin(translation.pa.gfn());
        let cached = Cached { translation, page };
        self.tlb.insert(generation, root, va, &cached);
        Ok(cached)
    }

    /// Reads bytes of `space` from `address` on.
    #[inline]
    pub fn read(&self, space: Space, address: u64, buffer: &mut [u8]) -> Result<(), Partial> {
        match (space, self.driver.physical(), self.driver.by_address()) {
            (Space::Physical, Some(physical), _) => read_physical(physical, Pa(address), buffer),
            (Space::Virtual { root }, Some(physical), _) => {
                self.read_virtual(physical, root, Va(address), buffer)
            }
            (Space::Virtual { .. }, None, Some(bytes)) => {
                read_by_address(bytes, Va(address), buffer)
            }
            _ => Err(Partial {
                done: 0,
                fault: Fault::physical(Pa(address), FaultKind::NotInImage),
            }),
        }
    }

    fn read_virtual(
        &self,
        physical: &dyn PhysicalMemory,
        root: Pa,
        va: Va,
        buffer: &mut [u8],
    ) -> Result<(), Partial> {
        in_pages(va.0, buffer, |at, piece| {
            let va = Va(at);
            let cached = self.page(physical, root, va)?;
            if copy_pinned(cached.page, va.page_offset(), piece) {
                return Ok(());
            }
            let pa = cached.translation.pa.wrapping_add(va.page_offset());
            physical.read(pa, piece).map_err(|fault| Fault {
                address: at,
                root: Some(root),
                ..fault
            })
        })
    }

    /// Writes bytes of `space` from `address` on.
    pub fn write(&self, space: Space, address: u64, bytes: &[u8]) -> Result<(), Partial> {
        let refused = |kind| Partial {
            done: 0,
            fault: Fault::physical(Pa(address), kind),
        };
        let Some(physical) = self.driver.physical() else {
            return Err(refused(FaultKind::BackEnd));
        };
        let mut done = 0_usize;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let at = address.wrapping_add(done as u64);
            let length = rest.len().min(Va(at).left_in_page() as usize);
            let piece = rest.get(..length).unwrap_or(rest);
            let pa = match space {
                Space::Physical => Ok(Pa(at)),
                Space::Virtual { root } => self
                    .page(physical, root, Va(at))
                    .map(|page| page.translation.pa.wrapping_add(Va(at).page_offset())),
            };
            pa.and_then(|pa| physical.write(pa, piece))
                .map_err(|fault| Partial { done, fault })?;
            done = done.wrapping_add(length);
        }
        // The bytes may have been a page table.
        self.flush();
        Ok(())
    }
}

#[inline]
fn copy_pinned(page: Option<PinnedPage>, offset: u64, piece: &mut [u8]) -> bool {
    page.is_some_and(|page| page.copy_to(offset, piece))
}

fn read_physical(physical: &dyn PhysicalMemory, pa: Pa, buffer: &mut [u8]) -> Result<(), Partial> {
    in_pages(pa.0, buffer, |at, piece| {
        let pa = Pa(at);
        if copy_pinned(physical.pin(pa.gfn()), pa.page_offset(), piece) {
            return Ok(());
        }
        physical.read(pa, piece)
    })
}

fn read_by_address(bytes: &dyn VirtualMemory, va: Va, buffer: &mut [u8]) -> Result<(), Partial> {
    let done = bytes.read(va, buffer);
    if done >= buffer.len() {
        return Ok(());
    }
    Err(Partial {
        done,
        fault: Fault {
            address: va.0.wrapping_add(done as u64),
            root: None,
            level: 0,
            kind: FaultKind::NotInImage,
        },
    })
}

/// Splits `buffer` at page borders and has `read` fill each piece.
#[inline]
fn in_pages(
    address: u64,
    buffer: &mut [u8],
    mut read: impl FnMut(u64, &mut [u8]) -> Result<(), Fault>,
) -> Result<(), Partial> {
    let mut rest = buffer;
    let mut done = 0_usize;
    loop {
        let at = address.wrapping_add(done as u64);
        let length = rest.len().min(Va(at).left_in_page() as usize);
        let Some((piece, tail)) = rest.split_at_mut_checked(length) else {
            return Ok(());
        };
        if piece.is_empty() {
            return Ok(());
        }
        read(at, piece).map_err(|fault| Partial { done, fault })?;
        done = done.wrapping_add(length);
        rest = tail;
    }
}
