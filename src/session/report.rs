//! What a session tells the log about its opening.

use super::Session;
use crate::{
    core::Va,
    error::{Error, Result},
    log::{self, Level, Log},
    os::windows::{Windows, kernel::FoundKernel},
};

impl Session {
    /// The session's log.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn report_opened(&self) {
        if !log::enabled(Level::Info) {
            return;
        }
        let info = self.driver_info();
        self.log.info(format_args!(
            "opened: back end {}{}{}, {} bytes of memory, {} processors",
            info.name,
            if info.format.is_empty() { "" } else { ", " },
            info.format,
            info.memory_size,
            info.vcpus,
        ));
        match &self.located {
            Ok(kernel) => self.report_kernel(kernel),
            Err(error) => self.log.warning(format_args!("{error}")),
        }
    }

    fn report_kernel(&self, kernel: &FoundKernel) {
        let image = &kernel.image;
        self.log.info(format_args!(
            "kernel at {:#x}, {:#x} bytes, page tables at {:#x}: {}",
            image.base.0,
            image.size,
            kernel.root.0,
            self.how_found(image.base, image.size),
        ));
    }

    /// The clue that leads to where the kernel was found.
    fn how_found(&self, base: Va, size: u32) -> &'static str {
        if self.hints().kernel_base == Some(base) {
            return "named by the back end";
        }
        let registers = self.memory.driver().registers();
        let lstar = registers.and_then(|it| it.get(0).ok()).map(|it| it.lstar);
        let inside = |lstar: u64| {
            let rva = lstar.checked_sub(base.0);
            rva.is_some_and(|rva| rva < u64::from(size))
        };
        match lstar.is_some_and(inside) {
            true => "around the system-call entry",
            false => "found by scanning",
        }
    }

    pub(super) fn report_symbols(&self, loaded: &Result<&Windows>) {
        match loaded {
            Ok(windows) => {
                let id = windows.profile().id();
                self.log.info(format_args!(
                    "symbols of {} {}, age {}",
                    id.name,
                    id.guid_text(),
                    id.age
                ));
            }
            Err(Error::Cancelled | Error::NoKernel { .. }) => {}
            Err(error) => self.log.warning(format_args!("{error}")),
        }
    }
}
