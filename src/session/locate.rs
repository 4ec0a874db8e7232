//! Finding the kernel of a guest, by whatever the back end knows.

use std::sync::Arc;

use crate::{
    arch::amd64::{LongMode, PagingMode, dtb_to_root},
    core::{Capabilities, Driver, Memory, Progress, Registers, Va},
    error::{Error, Result},
    os::windows::kernel::{self, Clues, FoundKernel},
};

/// A memory without a kernel: virtual spaces work with roots that the caller knows.
pub fn memory_only(driver: &Arc<dyn Driver>, slots: usize) -> Arc<Memory> {
    let memory = memory_of(driver, slots);
    memory.set_translate(Arc::new(LongMode::new(4)));
    memory
}

/// A running guest changes its page tables at any time: nothing is cached.
fn memory_of(driver: &Arc<dyn Driver>, slots: usize) -> Arc<Memory> {
    let memory = Memory::new(Arc::clone(driver), slots);
    memory.set_caching(!driver.capabilities().contains(Capabilities::LIVE));
    Arc::new(memory)
}

/// Finds the kernel of `driver`'s guest and the paging mode that leads to it.
pub fn locate(
    driver: &Arc<dyn Driver>,
    slots: usize,
    progress: &dyn Progress,
) -> Result<(Arc<Memory>, FoundKernel)> {
    let registers = driver.registers().and_then(|it| it.get(0).ok());
    let clues = clues(&**driver, registers.as_ref());
    let mut first = None;
    for mode in paging_modes(registers.as_ref())? {
        let memory = memory_of(driver, slots);
        memory.set_translate(Arc::new(mode.walker()?));
        match kernel::locate(&memory, &clues, progress) {
            Ok(found) => return Ok((memory, found)),
            Err(Error::Cancelled) => return Err(Error::Cancelled),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| Error::NoKernel {
        reason: "no paging mode could be tried".into(),
    }))
}

/// What the registers say; without registers, what 64-bit Windows can use.
fn paging_modes(registers: Option<&Registers>) -> Result<Vec<PagingMode>> {
    match registers.map(PagingMode::from_registers) {
        Some(PagingMode::Off) | None => Ok(vec![PagingMode::FourLevel, PagingMode::FiveLevel]),
        // Refused here, by name, when no supported guest uses it.
        Some(mode) => mode.walker().map(|_| vec![mode]),
    }
}

fn clues(driver: &dyn Driver, registers: Option<&Registers>) -> Clues {
    let hints = driver.hints();
    let mut roots: Vec<_> = hints.root.into_iter().collect();
    roots.extend(registers.map(|it| dtb_to_root(it.cr3)));
    if driver.physical().is_none() {
        // Memory by address needs no page tables; any root stands for "the kernel's".
        roots.push(Default::default());
    }
    Clues {
        roots: roots.into_iter().map(|root| dtb_to_root(root.0)).collect(),
        base: hints.kernel_base.filter(|base| *base != Va(0)),
        lstar: registers.map_or(0, |it| it.lstar),
    }
}
