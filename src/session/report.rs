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

    /// Tells what was undone before anything else was done.
    fn report_recovered(&self) {
        if let Some(undone) = self.memory.driver().recovered() {
            self.log.warning(format_args!(
                "restored what a killed run left in the guest: {undone}"
            ));
        }
    }

    pub(super) fn report_opened(&self) {
        self.report_recovered();
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::{
        core::{
            Capabilities, Driver, Gfn, Pa,
            driver::PhysicalMemory,
            driver::{DriverInfo, Run},
        },
        error::{Fault, FaultKind},
        log::{Record, Sink, set_sink},
        session::{Config, Session},
    };

    /// A guest without memory that a killed run had changed.
    struct Changed;

    impl PhysicalMemory for Changed {
        fn read(&self, pa: Pa, _: &mut [u8]) -> Result<(), Fault> {
            Err(Fault::physical(pa, FaultKind::NotInImage))
        }

        fn next_run(&self, _: Gfn) -> Option<Run> {
            None
        }
    }

    impl Driver for Changed {
        fn info(&self) -> DriverInfo {
            DriverInfo {
                name: "changed",
                format: "",
                vcpus: 1,
                memory_size: 0,
            }
        }

        fn capabilities(&self) -> Capabilities {
            Capabilities::PHYSICAL_READ
        }

        fn physical(&self) -> Option<&dyn PhysicalMemory> {
            Some(self)
        }

        fn recovered(&self) -> Option<&str> {
            Some("resumed the domain")
        }
    }

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Sink for Told {
        fn log(&self, record: &Record<'_>) {
            if record.session == "recovered" {
                let line = format!("{:?} {}", record.level, record.message);
                self.0.lock().unwrap().push(line);
            }
        }
    }

    #[test]
    fn what_a_killed_run_left_is_told_at_open() {
        let told = Arc::new(Told::default());
        set_sink(Some((Level::Info, told.clone())));
        let config = Config {
            name: "recovered".into(),
            ..Config::default()
        };
        let opened = Session::open_driver(Arc::new(Changed), &config);
        set_sink(None);
        opened.unwrap();
        let lines = told.0.lock().unwrap();
        let expected = "Warning restored what a killed run left in the guest: resumed the domain";
        assert_eq!(lines[0], expected);
        assert!(lines[1].contains("opened: back end changed"));
    }
}
