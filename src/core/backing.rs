//! A driver with what it answers to every read resolved once.

use std::sync::Arc;

use super::{
    Gfn, Pa,
    driver::{Driver, PhysicalMemory, PinnedPage, PinnedRun, Run, VirtualMemory},
};
use crate::error::{Fault, Result};

/// Most runs that each read looks through.
const MAX_RUNS: usize = 8;

/// A driver and its memory.
pub struct Backing {
    // Borrowed from the driver, so declared (and dropped) before it.
    frames: Option<Frames>,
    bytes: Option<&'static dyn VirtualMemory>,
    driver: Arc<dyn Driver>,
}

impl Backing {
    /// Asks `driver` what memory it has.
    pub fn new(driver: Arc<dyn Driver>) -> Self {
        let lasting: *const dyn Driver = Arc::as_ptr(&driver);
        // SAFETY: the `Arc` keeps the driver at its address as long as this
        // value, which hands nothing out for longer than it is borrowed.
        let lasting = unsafe { &*lasting };
        Self {
            frames: lasting.physical().map(Frames::new),
            bytes: lasting.by_address(),
            driver,
        }
    }

    /// The driver.
    pub fn driver(&self) -> &dyn Driver {
        &*self.driver
    }

    /// Physical memory, by frame.
    #[inline]
    pub const fn frames(&self) -> Option<&Frames> {
        self.frames.as_ref()
    }

    /// Memory that is stored by virtual address.
    pub fn by_address(&self) -> Option<&dyn VirtualMemory> {
        self.bytes
    }
}

/// Physical memory: what is pinned as a whole is reached without the driver.
pub struct Frames {
    /// The longest run, which has most of what is read; empty where none is pinned.
    longest: PinnedRun<'static>,
    /// The next ones, longest first.
    runs: Box<[PinnedRun<'static>]>,
    driver: &'static dyn PhysicalMemory,
}

impl Frames {
    fn new(driver: &'static dyn PhysicalMemory) -> Self {
        let mut runs = driver.pinned_runs();
        runs.sort_by_key(|run| std::cmp::Reverse(run.length()));
        runs.truncate(MAX_RUNS);
        let mut runs = runs.into_iter();
        Self {
            longest: runs.next().unwrap_or(PinnedRun::EMPTY),
            runs: runs.collect(),
            driver,
        }
    }

    /// Is anything pinned as a whole?
    pub const fn has_runs(&self) -> bool {
        self.longest.length() > 0
    }

    #[inline]
    fn page(&self, pa: Pa) -> Option<PinnedPage<'static>> {
        let others = || self.runs.iter().find_map(|run| run.page(pa));
        self.longest.page(pa).or_else(others)
    }

    /// Copies bytes that one run has; false when none has all of them.
    #[inline(always)]
    pub fn copy(&self, pa: Pa, buffer: &mut [u8]) -> bool {
        self.longest.copy_to(pa, buffer) || self.runs.iter().any(|run| run.copy_to(pa, buffer))
    }

    /// Has the processor fetch the `length` bytes at `pa`, which are read soon.
    #[inline]
    pub fn prefetch(&self, pa: Pa, length: u64) {
        if let Some(page) = self.page(pa.page()) {
            page.prefetch(pa.page_offset(), length);
        }
    }
}

impl PhysicalMemory for Frames {
    #[inline]
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        if self.copy(pa, buffer) {
            return Ok(());
        }
        match self.driver.pin(pa.gfn()) {
            Some(page) if page.copy_to(pa.page_offset(), buffer) => Ok(()),
            _ => self.driver.read(pa, buffer),
        }
    }

    #[inline]
    fn pin(&self, gfn: Gfn) -> Option<PinnedPage<'_>> {
        self.page(gfn.pa()).or_else(|| self.driver.pin(gfn))
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        self.driver.next_run(from)
    }

    #[inline]
    fn entry(&self, pa: Pa) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        self.read(pa, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn write(&self, pa: Pa, bytes: &[u8]) -> Result<(), Fault> {
        self.driver.write(pa, bytes)
    }
}
