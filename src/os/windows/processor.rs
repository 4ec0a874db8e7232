//! `_KPCR` and the `_KPRCB` inside it: one processor in the kernel's eyes.

mod state;

use isr::macros::Field;

use super::{Record, Thread, Windows};
use crate::{
    core::{Registers, Va},
    error::{Error, Result},
};

pub(super) use state::StateLayout;

isr::macros::offsets! {
    /// Where the fields of a processor are.
    pub struct Layout {
        struct _KPCR {
            Prcb: Field,
        }

        struct _KPRCB {
            Number: Field,
            CurrentThread: Field,
            NextThread: Field,
            IdleThread: Field,
            ProcessorState: Field,
            Context: Option<Field>,
        }
    }
}

/// A processor.
#[derive(Clone, Copy)]
pub struct Processor<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> Processor<'a> {
    /// The processor whose `_KPRCB` is at `prcb`.
    pub fn new(windows: &'a Windows, prcb: Va) -> Self {
        Self {
            windows,
            record: windows.record(prcb),
        }
    }

    fn layout(&self) -> &'a _KPRCB {
        &self.windows.layouts.processor._KPRCB
    }

    /// Address of the `_KPRCB`.
    pub const fn prcb(&self) -> Va {
        self.record.base()
    }

    /// Address of the `_KPCR` that embeds it. Corresponds to `_KPCR.Prcb`.
    pub fn pcr(&self) -> Va {
        let prcb = self.windows.layouts.processor._KPCR.Prcb;
        self.prcb().wrapping_sub(prcb.offset())
    }

    /// Number of the processor. Corresponds to `_KPRCB.Number`.
    pub fn number(&self) -> Result<u32> {
        self.record.uint32(self.layout().Number)
    }

    /// The running thread. Corresponds to `_KPRCB.CurrentThread`.
    pub fn current_thread(&self) -> Result<Thread<'a>> {
        match self.thread(self.layout().CurrentThread)? {
            Some(thread) => Ok(thread),
            None => Err(Error::corrupt(
                "_KPRCB",
                self.prcb(),
                "CurrentThread is NULL",
            )),
        }
    }

    /// The thread that was chosen to run next. Corresponds to `_KPRCB.NextThread`.
    pub fn next_thread(&self) -> Result<Option<Thread<'a>>> {
        self.thread(self.layout().NextThread)
    }

    /// The processor's idle thread. Corresponds to `_KPRCB.IdleThread`.
    pub fn idle_thread(&self) -> Result<Option<Thread<'a>>> {
        self.thread(self.layout().IdleThread)
    }

    fn thread(&self, field: Field) -> Result<Option<Thread<'a>>> {
        let object = self.record.pointer_or_none(field)?;
        Ok(object.map(|object| self.windows.thread(object)))
    }

    /// Registers that the processor saved when it last stopped (bug check, crash
    /// dump, debugger). Corresponds to `_KPRCB.ProcessorState`.
    pub fn saved_registers(&self) -> Result<Registers> {
        let state = self.record.embedded(self.layout().ProcessorState);
        self.windows.layouts.processor_state.registers(state)
    }

    /// Address of the `_CONTEXT` that a bug check saved. Corresponds to `_KPRCB.Context`.
    pub fn context_address(&self) -> Result<Option<Va>> {
        match self.layout().Context {
            Some(field) => self.record.pointer_or_none(field),
            None => Ok(None),
        }
    }
}

impl Windows {
    /// Processor `number`. Corresponds to `KiProcessorBlock[number]`.
    pub fn processor(&self, number: u16) -> Result<Processor<'_>> {
        let block = self.optional_variable(self.variables.KiProcessorBlock, "KiProcessorBlock")?;
        let slot = block.wrapping_add(u64::from(number).wrapping_mul(8));
        let prcb = self.pointer_variable(slot)?;
        if prcb.is_null() {
            return Err(Error::not_found(format!("processor {number}")));
        }
        Ok(Processor::new(self, prcb))
    }
}
