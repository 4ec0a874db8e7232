//! `_KTRAP_FRAME`: what a processor was doing when it entered the kernel.

use isr::macros::Field;

use super::{Record, Thread, Windows};
use crate::{
    core::{Registers, Va},
    error::Result,
};

isr::macros::offsets! {
    /// Where the fields of a trap frame are.
    pub struct Layout {
        struct _KTRAP_FRAME {
            P1Home: Field,
            PreviousMode: Field,
            PreviousIrql: Field,
            ExceptionActive: Field,
            MxCsr: Field,
            Rax: Field,
            Rcx: Field,
            Rdx: Field,
            R8: Field,
            R9: Field,
            R10: Field,
            R11: Field,
            GsBase: Field,
            Xmm0: Field,
            FaultAddress: Field,
            Dr0: Field,
            Dr1: Field,
            Dr2: Field,
            Dr3: Field,
            Dr6: Field,
            Dr7: Field,
            SegDs: Field,
            SegEs: Field,
            SegFs: Field,
            SegGs: Field,
            TrapFrame: Field,
            Rbx: Field,
            Rdi: Field,
            Rsi: Field,
            Rbp: Field,
            ErrorCode: Field,
            Rip: Field,
            SegCs: Field,
            EFlags: Field,
            Rsp: Field,
            SegSs: Field,
        }
    }
}

/// Number of SSE registers in a trap frame.
pub const XMM_REGISTERS: usize = 6;

/// A trap frame.
///
/// It holds what calls may change: `R12` to `R15` are not in it, and what a
/// system call does not save is left over from an earlier frame.
#[derive(Clone, Copy)]
pub struct TrapFrame<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> TrapFrame<'a> {
    /// The trap frame at `address`.
    pub fn new(windows: &'a Windows, address: Va) -> Self {
        Self {
            windows,
            record: windows.record(address),
        }
    }

    /// Size of a buffer for [`TrapFrame::with_copy`], in bytes.
    pub const SNAPSHOT: usize = 400;

    /// The same frame read once into `buffer`, for many getters.
    pub fn with_copy(self, buffer: &'a mut [u8]) -> Self {
        Self {
            record: self.record.with_copy(buffer),
            ..self
        }
    }

    fn layout(&self) -> &'a _KTRAP_FRAME {
        &self.windows.layouts.trap_frame._KTRAP_FRAME
    }

    /// Address of the `_KTRAP_FRAME`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Instruction that the processor returns to. Corresponds to `_KTRAP_FRAME.Rip`.
    pub fn rip(&self) -> Result<Va> {
        self.record.pointer(self.layout().Rip)
    }

    /// Stack pointer that the processor returns to. Corresponds to `_KTRAP_FRAME.Rsp`.
    pub fn rsp(&self) -> Result<Va> {
        self.record.pointer(self.layout().Rsp)
    }

    /// Did the processor come from user mode? Corresponds to the privilege level
    /// in `_KTRAP_FRAME.SegCs`.
    pub fn is_from_user_mode(&self) -> Result<bool> {
        let selector = self.record.uint(self.layout().SegCs)?;
        Ok(selector & 3 == 3)
    }

    /// Previous mode of the thread, as it is stored.
    /// Corresponds to `_KTRAP_FRAME.PreviousMode`.
    pub fn previous_mode(&self) -> Result<u8> {
        self.byte(self.layout().PreviousMode)
    }

    /// Interrupt level that the processor returns to.
    /// Corresponds to `_KTRAP_FRAME.PreviousIrql`.
    pub fn previous_irql(&self) -> Result<u8> {
        self.byte(self.layout().PreviousIrql)
    }

    /// 0 after an interrupt, 1 after an exception, 2 after a system call.
    /// Corresponds to `_KTRAP_FRAME.ExceptionActive`.
    pub fn exception_active(&self) -> Result<u8> {
        self.byte(self.layout().ExceptionActive)
    }

    /// SSE control and status. Corresponds to `_KTRAP_FRAME.MxCsr`.
    pub fn mx_csr(&self) -> Result<u32> {
        self.record.uint32(self.layout().MxCsr)
    }

    /// Error code of the exception. Corresponds to `_KTRAP_FRAME.ErrorCode`.
    pub fn error_code(&self) -> Result<u64> {
        self.record.uint(self.layout().ErrorCode)
    }

    /// Address that a page fault was about. Corresponds to `_KTRAP_FRAME.FaultAddress`.
    pub fn fault_address(&self) -> Result<Va> {
        self.record.pointer(self.layout().FaultAddress)
    }

    /// The first four arguments' places, which debuggers show.
    /// Corresponds to `_KTRAP_FRAME.P1Home` to `P4Home`.
    pub fn homes(&self) -> Result<[u64; 4]> {
        let mut homes = [0; 4];
        for (home, index) in homes.iter_mut().zip(0_u64..) {
            *home = self.record.uint(element(self.layout().P1Home, index))?;
        }
        Ok(homes)
    }

    /// `XMM0` to `XMM5`. Corresponds to `_KTRAP_FRAME.Xmm0` to `Xmm5`.
    pub fn xmm(&self) -> Result<[u128; XMM_REGISTERS]> {
        let mut registers = [0; XMM_REGISTERS];
        for (register, index) in registers.iter_mut().zip(0_u64..) {
            let bytes = self.record.bytes(element(self.layout().Xmm0, index))?;
            *register = u128::from_le_bytes(bytes);
        }
        Ok(registers)
    }

    /// The frame that was current before this one, NULL mostly.
    /// Corresponds to `_KTRAP_FRAME.TrapFrame`.
    pub fn previous_frame(&self) -> Result<Option<Va>> {
        self.record.pointer_or_none(self.layout().TrapFrame)
    }

    /// Everything that the frame says about the registers; the rest is 0.
    pub fn registers(&self) -> Result<Registers> {
        let at = self.layout();
        let mut to = Registers::default();
        let words = [
            (&mut to.rax, at.Rax),
            (&mut to.rcx, at.Rcx),
            (&mut to.rdx, at.Rdx),
            (&mut to.rbx, at.Rbx),
            (&mut to.rsi, at.Rsi),
            (&mut to.rdi, at.Rdi),
            (&mut to.rbp, at.Rbp),
            (&mut to.rsp, at.Rsp),
            (&mut to.r8, at.R8),
            (&mut to.r9, at.R9),
            (&mut to.r10, at.R10),
            (&mut to.r11, at.R11),
            (&mut to.rip, at.Rip),
            (&mut to.rflags, at.EFlags),
            (&mut to.gs.base, at.GsBase),
            (&mut to.dr0, at.Dr0),
            (&mut to.dr1, at.Dr1),
            (&mut to.dr2, at.Dr2),
            (&mut to.dr3, at.Dr3),
            (&mut to.dr6, at.Dr6),
            (&mut to.dr7, at.Dr7),
        ];
        for (register, field) in words {
            *register = self.record.uint(field)?;
        }
        let selectors = [
            (&mut to.cs, at.SegCs),
            (&mut to.ds, at.SegDs),
            (&mut to.es, at.SegEs),
            (&mut to.fs, at.SegFs),
            (&mut to.gs, at.SegGs),
            (&mut to.ss, at.SegSs),
        ];
        for (segment, field) in selectors {
            segment.selector = self.record.uint(field)? as u16;
        }
        Ok(to)
    }

    fn byte(&self, field: Field) -> Result<u8> {
        self.record.bytes::<1>(field).map(|[byte]| byte)
    }
}

/// Element `index` of an array that begins at `first`.
const fn element(first: Field, index: u64) -> Field {
    let distance = first.size().wrapping_mul(index);
    Field::new(first.offset().wrapping_add(distance), first.size())
}

impl<'a> Thread<'a> {
    /// The frame of the thread's last way into the kernel, `None` when it has
    /// none. Corresponds to `_KTHREAD.TrapFrame`.
    pub fn last_trap(&self) -> Result<Option<TrapFrame<'a>>> {
        let address = self.trap_frame()?;
        Ok(address.map(|address| TrapFrame::new(self.windows(), address)))
    }
}
