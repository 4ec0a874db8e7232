//! The live guest as the monitor sees it: frames, rights, and a pause that ends.

use std::sync::Arc;

use crate::{
    core::{
        Driver, Gfn, Memory, PAGE_SIZE, Pa, Va,
        driver::{Control, Event, Events, PatchMask, PhysicalMemory, Views},
    },
    error::{Error, Result},
    log::Log,
};

/// The bytes of one 4 KiB page.
pub type PageBytes = [u8; PAGE_SIZE as usize];

/// A guest that can be stopped, written and watched.
///
/// All reads and writes go to the frames themselves, past every cache.
#[derive(Clone)]
pub struct Machine {
    memory: Arc<Memory>,
    log: Log,
}

impl Machine {
    /// The guest behind `memory`.
    ///
    /// Fails with [`Error::NotSupported`] when the back end has no running guest.
    pub fn new(memory: Arc<Memory>) -> Result<Self> {
        let machine = Self {
            memory,
            log: Log::new(""),
        };
        machine.physical()?;
        machine.control()?;
        machine.events()?;
        Ok(machine)
    }

    /// The same, telling `log` what happens.
    pub fn with_log(self, log: Log) -> Self {
        Self { log, ..self }
    }

    /// Where to tell what happens.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Guest memory as everybody reads it.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    fn driver(&self) -> &dyn Driver {
        self.memory.driver()
    }

    fn lacks(&self, what: &str) -> Error {
        Error::not_supported(format!(
            "{what} by the back end \"{}\"",
            self.driver().info().name
        ))
    }

    /// Physical memory, patches included.
    pub fn physical(&self) -> Result<&dyn PhysicalMemory> {
        self.driver()
            .unmasked()
            .ok_or_else(|| self.lacks("memory by frame"))
    }

    /// Pausing, injection and frame allocation.
    pub fn control(&self) -> Result<&dyn Control> {
        self.driver()
            .control()
            .ok_or_else(|| self.lacks("pausing the guest"))
    }

    /// Guest events.
    pub fn events(&self) -> Result<&dyn Events> {
        self.driver()
            .events()
            .ok_or_else(|| self.lacks("guest events"))
    }

    /// Alternative memory views.
    pub fn views(&self) -> Result<&dyn Views> {
        self.driver()
            .views()
            .ok_or_else(|| self.lacks("memory views"))
    }

    /// Where a processor is in its code, which may be running.
    pub fn instruction_pointer(&self, vcpu: u16) -> Option<Va> {
        let registers = self.driver().registers()?.get(vcpu).ok()?;
        Some(Va(registers.rip))
    }

    /// Interrupt request level of a stopped processor: its CR8, which some back
    /// ends tell apart from their events only.
    pub fn irql(&self, event: &Event) -> u64 {
        let registers = self.driver().registers();
        let asked = registers.and_then(|registers| registers.get(event.vcpu).ok());
        asked.map_or(event.registers.cr8, |registers| registers.cr8)
    }

    /// What hides patches in the guest's own memory from readers.
    pub fn mask(&self) -> Option<&PatchMask> {
        self.driver().mask()
    }

    /// Does the back end have memory views, so that hooks can be hidden?
    pub fn has_views(&self) -> bool {
        self.driver().views().is_some()
    }

    /// The whole page of a frame.
    pub fn read_page(&self, gfn: Gfn) -> Result<Box<PageBytes>> {
        let mut page = Box::new([0; PAGE_SIZE as usize]);
        self.physical()?.read(gfn.pa(), &mut page[..])?;
        Ok(page)
    }

    /// Overwrites the whole page of a frame.
    pub fn write_page(&self, gfn: Gfn, page: &PageBytes) -> Result<()> {
        Ok(self.physical()?.write(gfn.pa(), page)?)
    }

    /// One byte.
    pub fn read_byte(&self, pa: Pa) -> Result<u8> {
        let mut byte = [0];
        self.physical()?.read(pa, &mut byte)?;
        let [byte] = byte;
        Ok(byte)
    }

    /// Overwrites one byte.
    pub fn write_byte(&self, pa: Pa, byte: u8) -> Result<()> {
        Ok(self.physical()?.write(pa, &[byte])?)
    }

    /// Stops all processors until the guard is dropped.
    pub fn pause(&self) -> Result<Pause<'_>> {
        let control = self.control()?;
        control.pause()?;
        Ok(Pause { control })
    }
}

/// All processors are stopped as long as this lives.
#[must_use = "the guest runs on as soon as the guard is dropped"]
pub struct Pause<'a> {
    control: &'a dyn Control,
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        // A second try costs nothing; a back end that refuses twice has lost its guest.
        if self.control.resume().is_err() {
            let _ = self.control.resume();
        }
    }
}
