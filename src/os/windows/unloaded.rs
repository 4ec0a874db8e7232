//! `MmUnloadedDrivers`: the drivers that were unloaded last.

use isr::macros::Field;

use super::{FileTime, Record, Windows};
use crate::{
    core::Va,
    error::{Error, Result},
};

/// Records of the ring.
const RECORDS: u32 = 50;

/// Size of a record in bytes. No symbols describe it; no 64-bit Windows changed it.
const RECORD_SIZE: u64 = 0x28;

const NAME: Field = Field::new(0x00, 16);
const START_ADDRESS: Field = Field::new(0x10, 8);
const END_ADDRESS: Field = Field::new(0x18, 8);
const CURRENT_TIME: Field = Field::new(0x20, 8);

/// A driver that was unloaded.
#[derive(Clone, Copy)]
pub struct UnloadedModule<'a> {
    record: Record<'a>,
}

impl UnloadedModule<'_> {
    /// Address of the record.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// File name.
    pub fn name(&self) -> Result<String> {
        self.record.text(NAME)
    }

    /// UTF-16 units of [`UnloadedModule::name`].
    pub fn name_utf16(&self) -> Result<Vec<u16>> {
        self.record.unicode_string(NAME)
    }

    /// First address that the image had.
    pub fn start(&self) -> Result<Va> {
        self.record.pointer(START_ADDRESS)
    }

    /// First address after the image.
    pub fn end(&self) -> Result<Va> {
        self.record.pointer(END_ADDRESS)
    }

    /// When it was unloaded.
    pub fn time(&self) -> Result<FileTime> {
        self.record.uint(CURRENT_TIME).map(FileTime)
    }

    /// Was the record ever filled?
    fn is_used(&self) -> Result<bool> {
        let buffer = Field::new(NAME.offset().wrapping_add(8), 8);
        Ok(!self.record.pointer(buffer)?.is_null())
    }
}

/// The drivers that were unloaded, the latest first; an `Err` is a gap.
pub struct UnloadedModules<'a> {
    windows: &'a Windows,
    /// Start of the ring, an error that is still to be told, or `None` at the end.
    ring: Option<Result<Va>>,
    /// The record after the next one.
    index: u32,
    left: u32,
}

impl<'a> UnloadedModules<'a> {
    fn new(windows: &'a Windows) -> Self {
        let (ring, index) = match windows.unloaded_ring() {
            Ok(Some((ring, index))) => (Some(Ok(ring)), index),
            Ok(None) => (None, 0),
            Err(error) => (Some(Err(error)), 0),
        };
        Self {
            windows,
            ring,
            index,
            left: RECORDS,
        }
    }

    fn previous(&mut self, ring: Va) -> UnloadedModule<'a> {
        self.index = self.index.checked_sub(1).unwrap_or(RECORDS - 1);
        let offset = u64::from(self.index).wrapping_mul(RECORD_SIZE);
        UnloadedModule {
            record: self.windows.record(ring.wrapping_add(offset)),
        }
    }
}

impl<'a> Iterator for UnloadedModules<'a> {
    type Item = Result<UnloadedModule<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let ring = match self.ring.take()? {
            Ok(ring) => ring,
            Err(error) => return Some(Err(error)),
        };
        self.left = self.left.checked_sub(1)?;
        let module = self.previous(ring);
        match module.is_used() {
            Ok(false) => None,
            Ok(true) => {
                self.ring = Some(Ok(ring));
                Some(Ok(module))
            }
            Err(gap) => {
                self.ring = Some(Ok(ring));
                Some(Err(gap))
            }
        }
    }
}

impl Windows {
    /// The drivers that were unloaded, the latest first.
    /// Corresponds to `MmUnloadedDrivers`.
    pub fn unloaded_modules(&self) -> UnloadedModules<'_> {
        UnloadedModules::new(self)
    }

    /// Address of the ring and the index that follows the latest record, `None`
    /// while nothing was unloaded.
    fn unloaded_ring(&self) -> Result<Option<(Va, u32)>> {
        let variables = &self.variables;
        let ring = self.optional_variable(variables.MmUnloadedDrivers, "MmUnloadedDrivers")?;
        let ring = self.pointer_variable(ring)?;
        if ring.is_null() {
            return Ok(None);
        }
        let rva = variables.MmLastUnloadedDriver;
        let last = self.optional_variable(rva, "MmLastUnloadedDriver")?;
        match self.record(last).uint32(Field::new(0, 4))? {
            index @ 0..=RECORDS => Ok(Some((ring, index))),
            _ => Err(Error::corrupt(
                "MmLastUnloadedDriver",
                last,
                "it is beyond the ring",
            )),
        }
    }
}
