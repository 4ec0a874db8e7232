//! A guest that is played: the memory of a dump, and one processor that comes to
//! functions of the kernel, one after the other.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use signal_hook::{consts::SIGTERM, low_level::raise};
use winvmi::{
    Error, Fault, Result,
    core::{
        Capabilities, Driver, Gfn, Pa, Registers, Va,
        driver::{
            Control, DriverInfo, Event, EventReason, EventResponse, Events, Hints, Interrupt,
            InterruptKind, Monitor, PhysicalMemory, ResponseAction, Run, VcpuRegisters,
        },
    },
    session::Session,
};

const INT3: u8 = 0xcc;
pub const PAGE: usize = 4096;

/// Where the processor comes next.
pub type Call = Registers;

/// A back end whose breakpoints are in the guest's own memory.
pub struct Played {
    pub source: Session,
    pub written: Mutex<HashMap<Gfn, Box<[u8; PAGE]>>>,
    pub calls: Mutex<VecDeque<Call>>,
}

impl Played {
    /// Memory as the dump has it.
    pub fn memory(&self) -> &dyn PhysicalMemory {
        self.source.memory().driver().physical().unwrap()
    }

    /// Does the processor come to a patch?
    fn is_hooked(&self, registers: &Registers) -> bool {
        let (root, va) = (Pa(registers.cr3), Va(registers.rip));
        let found = self.source.memory().translate(root, va).unwrap();
        let mut byte = [0];
        self.read(found.pa, &mut byte).unwrap();
        byte == [INT3]
    }
}

impl PhysicalMemory for Played {
    fn read(&self, pa: Pa, buffer: &mut [u8]) -> Result<(), Fault> {
        let offset = pa.page_offset() as usize;
        match self.written.lock().unwrap().get(&pa.gfn()) {
            Some(page) => buffer.copy_from_slice(&page[offset..offset + buffer.len()]),
            None => self.memory().read(pa, buffer)?,
        }
        Ok(())
    }

    fn next_run(&self, from: Gfn) -> Option<Run> {
        self.memory().next_run(from)
    }

    fn write(&self, pa: Pa, bytes: &[u8]) -> Result<(), Fault> {
        let mut page = Box::new([0; PAGE]);
        self.read(pa.gfn().pa(), &mut page[..])?;
        let offset = pa.page_offset() as usize;
        page[offset..offset + bytes.len()].copy_from_slice(bytes);
        self.written.lock().unwrap().insert(pa.gfn(), page);
        Ok(())
    }
}

impl VcpuRegisters for Played {
    fn get(&self, vcpu: u16) -> Result<Registers> {
        self.source.registers(vcpu)
    }

    fn set(&self, _vcpu: u16, _registers: &Registers) -> Result<()> {
        Err(Error::not_supported("other registers"))
    }
}

impl Control for Played {
    fn pause(&self) -> Result<()> {
        Ok(())
    }

    fn resume(&self) -> Result<()> {
        Ok(())
    }

    fn inject(&self, _vcpu: u16, _interrupt: &Interrupt) -> Result<()> {
        panic!("no page of the forged guest can come in")
    }

    fn allocate_frame(&self) -> Result<Gfn> {
        Err(Error::not_supported("frames"))
    }

    fn free_frame(&self, _gfn: Gfn) -> Result<()> {
        Err(Error::not_supported("frames"))
    }

    fn reset(&self) -> Result<()> {
        Ok(())
    }
}

impl Events for Played {
    fn enable(&self, _monitor: Monitor) -> Result<()> {
        Ok(())
    }

    fn disable(&self, _monitor: Monitor) -> Result<()> {
        Ok(())
    }

    /// The next call, where it is hooked; after the last one a signal comes.
    fn wait(
        &self,
        _timeout: Duration,
        handler: &mut dyn FnMut(&Event) -> EventResponse,
    ) -> Result<usize> {
        let mut calls = self.calls.lock().unwrap();
        let Some(registers) = calls.front().copied() else {
            raise(SIGTERM).unwrap();
            return Ok(0);
        };
        if !self.is_hooked(&registers) {
            return Ok(0);
        }
        calls.pop_front();
        drop(calls);
        let event = |reason| Event {
            vcpu: 0,
            view: None,
            registers,
            reason,
        };
        let breakpoint = Interrupt {
            vector: 3,
            kind: InterruptKind::SoftwareException,
            error_code: None,
            instruction_length: 1,
            extra: 0,
        };
        let answer = handler(&event(EventReason::Interrupt(breakpoint)));
        assert_eq!(answer.action, ResponseAction::SingleStep, "{registers:x?}");
        handler(&event(EventReason::SingleStep));
        Ok(2)
    }

    fn fd(&self) -> Result<i32> {
        Err(Error::not_supported("a descriptor"))
    }
}

impl Driver for Played {
    fn info(&self) -> DriverInfo {
        DriverInfo {
            name: "played",
            ..self.source.driver_info()
        }
    }

    fn capabilities(&self) -> Capabilities {
        self.source.capabilities() | Capabilities::LIVE | Capabilities::EVENTS
    }

    fn hints(&self) -> Hints {
        self.source.hints()
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        Some(self)
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        Some(self)
    }

    fn control(&self) -> Option<&dyn Control> {
        Some(self)
    }

    fn events(&self) -> Option<&dyn Events> {
        Some(self)
    }
}

/// A guest that does not run.
pub struct Still(pub Arc<Played>);

impl Driver for Still {
    fn info(&self) -> DriverInfo {
        self.0.info()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.source.capabilities()
    }

    fn physical(&self) -> Option<&dyn PhysicalMemory> {
        self.0.physical()
    }

    fn registers(&self) -> Option<&dyn VcpuRegisters> {
        self.0.registers()
    }
}
