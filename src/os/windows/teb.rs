//! `_TEB`: what a thread knows about itself, written by its own user mode.

use super::{
    Architecture, Record, Thread, Windows,
    user::{TebLayout, UserRecord},
};
use crate::{
    core::{
        Va,
        bytes::{u32_at, u64_at},
    },
    error::Result,
};

/// Number of slots inside of a TEB.
pub const TLS_SLOTS: usize = 64;

/// Number of further slots that `TlsExpansionSlots` points to.
pub const TLS_EXPANSION_SLOTS: usize = 1024;

/// A thread environment block, of 32-bit or of 64-bit code.
#[derive(Clone, Copy)]
pub struct Teb<'a> {
    windows: &'a Windows,
    record: UserRecord<'a>,
}

impl<'a> Teb<'a> {
    fn layout(&self) -> &'a TebLayout {
        self.windows.layouts.user.teb.of(self.architecture())
    }

    /// Address of the `_TEB` in the process's own space.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Whose code the block belongs to.
    pub const fn architecture(&self) -> Architecture {
        self.record.architecture()
    }

    /// Address of the PEB. Corresponds to `_TEB.ProcessEnvironmentBlock`.
    pub fn peb(&self) -> Result<Va> {
        self.record.pointer(self.layout().peb)
    }

    /// Process id. Corresponds to `_TEB.ClientId.UniqueProcess`.
    pub fn process_id(&self) -> Result<u32> {
        self.record.uint32(self.layout().process_id)
    }

    /// Thread id. Corresponds to `_TEB.ClientId.UniqueThread`.
    pub fn thread_id(&self) -> Result<u32> {
        self.record.uint32(self.layout().thread_id)
    }

    /// Address of the block itself, as its owner finds it.
    /// Corresponds to `_TEB.NtTib.Self`.
    pub fn self_pointer(&self) -> Result<Va> {
        self.record.pointer(self.layout().self_pointer)
    }

    /// First exception handler of 32-bit code. Corresponds to `_TEB.NtTib.ExceptionList`.
    pub fn exception_list(&self) -> Result<Va> {
        self.record.pointer(self.layout().exception_list)
    }

    /// First address behind the user-mode stack. Corresponds to `_TEB.NtTib.StackBase`.
    pub fn stack_base(&self) -> Result<Va> {
        self.record.pointer(self.layout().stack_base)
    }

    /// Lowest committed address of the user-mode stack.
    /// Corresponds to `_TEB.NtTib.StackLimit`.
    pub fn stack_limit(&self) -> Result<Va> {
        self.record.pointer(self.layout().stack_limit)
    }

    /// What `GetLastError` returns. Corresponds to `_TEB.LastErrorValue`.
    pub fn last_error(&self) -> Result<u32> {
        self.record.uint32(self.layout().last_error)
    }

    /// Last `NTSTATUS` that became an error. Corresponds to `_TEB.LastStatusValue`.
    pub fn last_status(&self) -> Result<i32> {
        let status = self.record.uint32(self.layout().last_status)?;
        Ok(status.cast_signed())
    }

    /// The first 64 slots of thread-local storage. Corresponds to `_TEB.TlsSlots`.
    pub fn tls_slots(&self) -> Result<Vec<u64>> {
        let slots = self.record.record().address(self.layout().tls_slots);
        self.slots(slots, TLS_SLOTS)
    }

    /// The 1024 slots behind them, `None` when the thread never needed one.
    /// Corresponds to `_TEB.TlsExpansionSlots`.
    pub fn tls_expansion_slots(&self) -> Result<Option<Vec<u64>>> {
        let field = self.layout().tls_expansion_slots;
        let slots = self.record.target("_TEB.TlsExpansionSlots", field)?;
        slots
            .map(|slots| self.slots(slots, TLS_EXPANSION_SLOTS))
            .transpose()
    }

    fn slots(&self, at: Va, count: usize) -> Result<Vec<u64>> {
        let width = self.architecture().pointer_size();
        let mut bytes = vec![0; count.saturating_mul(width)];
        self.record.at(at).record().read(0, &mut bytes)?;
        let slot = |bytes| u64_at(bytes, 0).or_else(|| u32_at(bytes, 0).map(u64::from));
        Ok(bytes.chunks_exact(width).filter_map(slot).collect())
    }
}

impl<'a> Thread<'a> {
    /// The environment block that the thread's own code uses: under WoW64 the
    /// 32-bit one. `None` for system threads.
    pub fn environment_block(&self) -> Result<Option<Teb<'a>>> {
        let architecture = self.process()?.architecture()?;
        self.block(self.teb()?, architecture)
    }

    /// The 64-bit environment block.
    pub fn native_environment_block(&self) -> Result<Option<Teb<'a>>> {
        self.block(self.native_teb()?, Architecture::Amd64)
    }

    /// The block of code of this architecture; without one, of the process's own.
    /// `None` when the thread has no such block.
    pub fn environment_block_of(
        &self,
        architecture: Option<Architecture>,
    ) -> Result<Option<Teb<'a>>> {
        match architecture {
            Some(Architecture::Amd64) => self.native_environment_block(),
            Some(Architecture::X86) => {
                let own = self.environment_block()?;
                Ok(own.filter(|block| block.architecture() == Architecture::X86))
            }
            None => self.environment_block(),
        }
    }

    /// The block through the owner's page tables, even while the thread is attached.
    fn block(&self, address: Option<Va>, architecture: Architecture) -> Result<Option<Teb<'a>>> {
        let Some(address) = address else {
            return Ok(None);
        };
        let windows = self.windows();
        let record = Record::new(windows.memory(), self.process()?.space()?, address);
        Ok(Some(Teb {
            windows,
            record: UserRecord::new(record, architecture),
        }))
    }
}
