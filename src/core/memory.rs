//! Reads and writes across pages, in any space.

use std::sync::{Arc, OnceLock};

use super::{
    PAGE_SIZE, Pa, Translate, Translation, Va,
    backing::{Backing, Frames},
    driver::{Driver, PhysicalMemory, VirtualMemory},
    lease::Lease,
    tlb::{PageMapping, Tlb},
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
    backing: Backing,
    translate: OnceLock<Arc<dyn Translate>>,
    tlb: Lease,
}

impl Memory {
    /// Memory of `driver`; virtual spaces need [`Memory::set_translate`] first.
    pub fn new(driver: Arc<dyn Driver>, tlb_slots: usize) -> Self {
        Self {
            backing: Backing::new(driver),
            translate: OnceLock::new(),
            tlb: Lease::new(tlb_slots),
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
        self.backing.driver()
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
    #[inline]
    pub fn physical(&self) -> Result<&dyn PhysicalMemory> {
        match self.backing.frames() {
            Some(frames) => Ok(frames),
            None => Err(no_frames()),
        }
    }

    /// Resolves `va`.
    #[inline]
    pub fn translate(&self, root: Pa, va: Va) -> Result<Translation> {
        if let Some(mapping) = self.mapping_cached(root, va) {
            return Ok(mapping.translation(va));
        }
        let frames = self.backing.frames().ok_or_else(no_frames)?;
        Ok(self.walk(frames, root, va)?.translation(va))
    }

    /// The mapping of the page of `va`, when it is in the cache.
    #[inline(always)]
    pub fn mapping_cached(&self, root: Pa, va: Va) -> Option<PageMapping> {
        self.tlb.lookup(root, va)
    }

    /// The translation cache, which stays readable when this value is gone.
    pub(crate) fn translations(&self) -> &'static Tlb {
        self.tlb.lasting()
    }

    /// Physical memory, by frame.
    #[inline]
    pub(super) const fn frames(&self) -> Option<&Frames> {
        self.backing.frames()
    }

    /// The mapping of the page of `va`.
    #[inline]
    pub(super) fn page(&self, frames: &Frames, root: Pa, va: Va) -> Result<PageMapping, Fault> {
        match self.tlb.lookup(root, va) {
            Some(mapping) => Ok(mapping),
            None => self.walk(frames, root, va),
        }
    }

    #[inline(never)]
    fn walk(&self, frames: &Frames, root: Pa, va: Va) -> Result<PageMapping, Fault> {
        let translator = self.translate.get().ok_or(Fault {
            address: va.0,
            root: Some(root),
            level: 0,
            kind: FaultKind::NotMapped,
        })?;
        let generation = self.tlb.generation();
        let mapping = PageMapping::new(&translator.walk(frames, root, va)?);
        if self.tlb.admits(root, va) {
            self.tlb.insert(generation, root, va, mapping);
        }
        Ok(mapping)
    }

    /// Reads bytes of `space` from `address` on.
    #[inline]
    pub fn read(&self, space: Space, address: u64, buffer: &mut [u8]) -> Result<(), Partial> {
        if self.read_cached(space, address, buffer) {
            return Ok(());
        }
        self.read_pages(space, address, buffer)
    }

    /// What nearly all reads are: bytes of one cached page that is pinned. False,
    /// with the buffer as it was, for all others.
    #[inline(always)]
    pub fn read_cached(&self, space: Space, address: u64, buffer: &mut [u8]) -> bool {
        let Some(frames) = self.backing.frames() else {
            return false;
        };
        let pa = match space {
            Space::Physical => Pa(address),
            Space::Virtual { .. } if buffer.len() as u64 > Va(address).left_in_page() => {
                return false;
            }
            Space::Virtual { root } => match self.tlb.lookup(root, Va(address)) {
                Some(mapping) => mapping.pa(Va(address)),
                None => return false,
            },
        };
        frames.copy(pa, buffer)
    }

    #[inline(never)]
    fn read_pages(&self, space: Space, address: u64, buffer: &mut [u8]) -> Result<(), Partial> {
        let absent = Partial {
            done: 0,
            fault: Fault::physical(Pa(address), FaultKind::NotInImage),
        };
        match (space, self.backing.frames(), self.backing.by_address()) {
            (Space::Physical, Some(frames), _) => {
                in_pages(address, buffer, |pa, piece, _| frames.read(Pa(pa), piece))
            }
            (Space::Virtual { root }, Some(frames), _) => {
                self.read_virtual(frames, root, address, buffer)
            }
            (Space::Virtual { .. }, None, Some(bytes)) => {
                read_by_address(bytes, Va(address), buffer)
            }
            _ => Err(absent),
        }
    }

    fn read_virtual(
        &self,
        frames: &Frames,
        root: Pa,
        address: u64,
        buffer: &mut [u8],
    ) -> Result<(), Partial> {
        let mut ahead = None;
        in_pages(address, buffer, |at, piece, next| {
            let here = ahead.take();
            let here = here.unwrap_or_else(|| self.page(frames, root, Va(at)))?;
            // The next page comes into the cache while this one is copied.
            ahead = next.map(|next| self.page(frames, root, Va(next)));
            if let (Some(Ok(mapping)), Some(next)) = (ahead, next) {
                frames.prefetch(mapping.pa(Va(next)), PAGE_SIZE);
            }
            frames.read(here.pa(Va(at)), piece).map_err(|fault| Fault {
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
        let Some(frames) = self.backing.frames() else {
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
                    .page(frames, root, Va(at))
                    .map(|mapping| mapping.pa(Va(at))),
            };
            pa.and_then(|pa| frames.write(pa, piece))
                .map_err(|fault| Partial { done, fault })?;
            done = done.wrapping_add(length);
        }
        // The bytes may have been a page table.
        self.flush();
        Ok(())
    }
}

#[cold]
fn no_frames() -> Error {
    Error::not_supported("this image stores memory by virtual address only")
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

/// Splits `buffer` at page borders and has `read` fill each piece: it gets the
/// piece's address and that of the next piece, if there is one.
#[inline]
fn in_pages(
    address: u64,
    buffer: &mut [u8],
    mut read: impl FnMut(u64, &mut [u8], Option<u64>) -> Result<(), Fault>,
) -> Result<(), Partial> {
    let mut rest = buffer;
    let mut done = 0_usize;
    while !rest.is_empty() {
        let at = address.wrapping_add(done as u64);
        let length = rest.len().min(Va(at).left_in_page() as usize);
        let Some((piece, tail)) = rest.split_at_mut_checked(length) else {
            break;
        };
        let next = (!tail.is_empty()).then(|| at.wrapping_add(length as u64));
        read(at, piece, next).map_err(|fault| Partial { done, fault })?;
        done = done.wrapping_add(length);
        rest = tail;
    }
    Ok(())
}
