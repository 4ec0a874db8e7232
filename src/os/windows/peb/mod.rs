//! `_PEB`: what a process knows about itself, written by its own user mode.

mod environment;
mod parameters;

use super::{
    Architecture, PebAddress, Process, Record, Windows,
    loader::LoaderData,
    user::{PebLayout, UserRecord},
};
use crate::{core::Va, error::Result};

pub use self::{
    environment::{Environment, Variable},
    parameters::{ParameterText, ProcessParameters},
};

const STRUCTURE: &str = "_PEB";

/// A process environment block, of 32-bit or of 64-bit code.
#[derive(Clone, Copy)]
pub struct Peb<'a> {
    windows: &'a Windows,
    record: UserRecord<'a>,
}

impl<'a> Peb<'a> {
    fn layout(&self) -> &'a PebLayout {
        self.windows.layouts.user.peb.of(self.architecture())
    }

    /// Address of the `_PEB` in the process's own space.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Whose code the block belongs to.
    pub const fn architecture(&self) -> Architecture {
        self.record.architecture()
    }

    /// Base of the executable. Corresponds to `_PEB.ImageBaseAddress`.
    pub fn image_base(&self) -> Result<Va> {
        self.record.pointer(self.layout().image_base)
    }

    /// Does a debugger say it is attached? Corresponds to `_PEB.BeingDebugged`.
    pub fn is_being_debugged(&self) -> Result<bool> {
        let flag = self.record.uint(self.layout().being_debugged)?;
        Ok(flag != 0)
    }

    /// Number of the session. Corresponds to `_PEB.SessionId`.
    pub fn session_id(&self) -> Result<u32> {
        self.record.uint32(self.layout().session_id)
    }

    /// What the process was started with, `None` before it is set up.
    /// Corresponds to `_PEB.ProcessParameters`.
    pub fn parameters(&self) -> Result<Option<ProcessParameters<'a>>> {
        let address = self.record.target(STRUCTURE, self.layout().parameters)?;
        Ok(address.map(|address| ProcessParameters::new(self.windows, self.record.at(address))))
    }

    /// The loader's data, `None` before the loader has run.
    /// Corresponds to `_PEB.Ldr`.
    pub fn loader_data(&self) -> Result<Option<LoaderData<'a>>> {
        let address = self.record.target(STRUCTURE, self.layout().loader_data)?;
        Ok(address.map(|address| LoaderData::new(self.windows, self.record.at(address))))
    }
}

impl<'a> Process<'a> {
    /// The environment block that the process's own code uses: under WoW64 the
    /// 32-bit one. `None` for system processes and after the exit.
    pub fn environment_block(&self) -> Result<Option<Peb<'a>>> {
        self.block(self.peb()?)
    }

    /// The 64-bit environment block, which every process with user mode has.
    pub fn native_environment_block(&self) -> Result<Option<Peb<'a>>> {
        self.block(self.native_peb()?)
    }

    /// The environment block of this architecture, without one that of the
    /// process's own code; `None` when the process has none.
    pub fn environment_block_of(
        &self,
        architecture: Option<Architecture>,
    ) -> Result<Option<Peb<'a>>> {
        match architecture {
            None => self.environment_block(),
            Some(Architecture::Amd64) => self.native_environment_block(),
            Some(Architecture::X86) => {
                let own = self.environment_block()?;
                Ok(own.filter(|block| block.architecture() == Architecture::X86))
            }
        }
    }

    /// The block through the process's own page tables, whoever runs now.
    fn block(&self, address: Option<PebAddress>) -> Result<Option<Peb<'a>>> {
        let Some(PebAddress {
            address,
            architecture,
        }) = address
        else {
            return Ok(None);
        };
        let windows = self.windows();
        let record = Record::new(windows.memory(), self.space()?, address);
        Ok(Some(Peb {
            windows,
            record: UserRecord::new(record, architecture),
        }))
    }
}
