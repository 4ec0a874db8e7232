//! `_KPROCESSOR_STATE`: the registers that a processor saved when it stopped.

use isr::macros::Field;

use crate::{
    core::{DescriptorTable, Registers, Segment},
    error::Result,
    os::windows::Record,
};

isr::macros::offsets! {
    /// Where the registers are.
    pub struct StateLayout {
        struct _KPROCESSOR_STATE {
            SpecialRegisters: Field,
            ContextFrame: Field,
        }

        struct _KDESCRIPTOR {
            Limit: Field,
            Base: Field,
        }

        struct _KSPECIAL_REGISTERS {
            Cr0: Field,
            Cr2: Field,
            Cr3: Field,
            Cr4: Field,
            Cr8: Field,
            KernelDr0: Field,
            KernelDr1: Field,
            KernelDr2: Field,
            KernelDr3: Field,
            KernelDr6: Field,
            KernelDr7: Field,
            Gdtr: Field,
            Idtr: Field,
            Tr: Field,
            Ldtr: Field,
            MsrGsBase: Field,
            MsrGsSwap: Field,
            MsrStar: Field,
            MsrLStar: Field,
            MsrCStar: Field,
            MsrSyscallMask: Field,
            Xcr0: Option<Field>,
            MsrFsBase: Option<Field>,
        }

        struct _CONTEXT {
            Rax: Field,
            Rbx: Field,
            Rcx: Field,
            Rdx: Field,
            Rsi: Field,
            Rdi: Field,
            Rbp: Field,
            Rsp: Field,
            R8: Field,
            R9: Field,
            R10: Field,
            R11: Field,
            R12: Field,
            R13: Field,
            R14: Field,
            R15: Field,
            Rip: Field,
            EFlags: Field,
            SegCs: Field,
            SegDs: Field,
            SegEs: Field,
            SegFs: Field,
            SegGs: Field,
            SegSs: Field,
        }
    }
}

/// A 64-bit Windows kernel runs with system calls, long mode and no-execute on;
/// the register itself is not saved.
const EFER: u64 = 0xd01;

impl StateLayout {
    /// The registers in the `_KPROCESSOR_STATE` that `state` is.
    pub(super) fn registers(&self, state: Record<'_>) -> Result<Registers> {
        let mut registers = Registers {
            efer: EFER,
            ..Registers::default()
        };
        let halves = &self._KPROCESSOR_STATE;
        self.special(&state.embedded(halves.SpecialRegisters), &mut registers)?;
        self.context(&state.embedded(halves.ContextFrame), &mut registers)?;
        Ok(registers)
    }

    fn special(&self, record: &Record<'_>, to: &mut Registers) -> Result<()> {
        let at = &self._KSPECIAL_REGISTERS;
        to.cr0 = record.uint(at.Cr0)?;
        to.cr2 = record.uint(at.Cr2)?;
        to.cr3 = record.uint(at.Cr3)?;
        to.cr4 = record.uint(at.Cr4)?;
        to.cr8 = record.uint(at.Cr8)?;
        to.dr0 = record.uint(at.KernelDr0)?;
        to.dr1 = record.uint(at.KernelDr1)?;
        to.dr2 = record.uint(at.KernelDr2)?;
        to.dr3 = record.uint(at.KernelDr3)?;
        to.dr6 = record.uint(at.KernelDr6)?;
        to.dr7 = record.uint(at.KernelDr7)?;
        to.gdtr = self.table(record, at.Gdtr)?;
        to.idtr = self.table(record, at.Idtr)?;
        to.tr.selector = record.uint(at.Tr)? as u16;
        to.ldtr.selector = record.uint(at.Ldtr)? as u16;
        to.gs.base = record.uint(at.MsrGsBase)?;
        to.kernel_gs_base = record.uint(at.MsrGsSwap)?;
        to.star = record.uint(at.MsrStar)?;
        to.lstar = record.uint(at.MsrLStar)?;
        to.cstar = record.uint(at.MsrCStar)?;
        to.fmask = record.uint(at.MsrSyscallMask)?;
        to.xcr0 = optional(record, at.Xcr0)?;
        to.fs.base = optional(record, at.MsrFsBase)?;
        Ok(())
    }

    fn context(&self, record: &Record<'_>, to: &mut Registers) -> Result<()> {
        let at = &self._CONTEXT;
        to.rax = record.uint(at.Rax)?;
        to.rbx = record.uint(at.Rbx)?;
        to.rcx = record.uint(at.Rcx)?;
        to.rdx = record.uint(at.Rdx)?;
        to.rsi = record.uint(at.Rsi)?;
        to.rdi = record.uint(at.Rdi)?;
        to.rbp = record.uint(at.Rbp)?;
        to.rsp = record.uint(at.Rsp)?;
        to.r8 = record.uint(at.R8)?;
        to.r9 = record.uint(at.R9)?;
        to.r10 = record.uint(at.R10)?;
        to.r11 = record.uint(at.R11)?;
        to.r12 = record.uint(at.R12)?;
        to.r13 = record.uint(at.R13)?;
        to.r14 = record.uint(at.R14)?;
        to.r15 = record.uint(at.R15)?;
        to.rip = record.uint(at.Rip)?;
        to.rflags = record.uint(at.EFlags)?;
        let selectors = [
            (&mut to.cs, at.SegCs),
            (&mut to.ds, at.SegDs),
            (&mut to.es, at.SegEs),
            (&mut to.fs, at.SegFs),
            (&mut to.gs, at.SegGs),
            (&mut to.ss, at.SegSs),
        ];
        for (segment, field) in selectors {
            load_selector(record, field, segment)?;
        }
        Ok(())
    }

    /// Corresponds to `_KDESCRIPTOR`.
    fn table(&self, record: &Record<'_>, field: Field) -> Result<DescriptorTable> {
        let descriptor = record.embedded(field);
        Ok(DescriptorTable {
            base: descriptor.uint(self._KDESCRIPTOR.Base)?,
            limit: descriptor.uint(self._KDESCRIPTOR.Limit)? as u16,
        })
    }
}

fn load_selector(record: &Record<'_>, field: Field, segment: &mut Segment) -> Result<()> {
    segment.selector = record.uint(field)? as u16;
    Ok(())
}

fn optional(record: &Record<'_>, field: Option<Field>) -> Result<u64> {
    field.map_or(Ok(0), |field| record.uint(field))
}
