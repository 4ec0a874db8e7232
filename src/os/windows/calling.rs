//! How Windows calls functions: arguments, results, return addresses.
//!
//! Corresponds to the x64 calling convention of Windows, its system calls, and
//! the 32-bit `stdcall`/`cdecl` stack of code under WoW64.

use super::Windows;
use crate::{
    core::{Memory, Pa, Registers, Space, Va},
    error::{Error, Result},
};

/// Arguments that any function of interest has at most.
const MAX_ARGUMENTS: u32 = 64;

/// `CS.L`: the code segment is a 64-bit one.
const LONG_CODE: u32 = 1 << 13;

/// RPL bits of a selector.
const PRIVILEGE: u16 = 3;

/// Bit that is set in every kernel address and clear in every user address.
const KERNEL_BIT: u64 = 1 << 47;

/// A processor in the middle of a call: its registers and its own address space.
pub struct Frame<'a> {
    memory: &'a Memory,
    registers: &'a Registers,
}

impl<'a> Frame<'a> {
    /// The frame of a processor that stands at the first instruction of a function.
    pub const fn new(memory: &'a Memory, registers: &'a Registers) -> Self {
        Self { memory, registers }
    }

    fn space(&self) -> Space {
        Space::Virtual {
            root: Pa(self.registers.cr3 & 0x000f_ffff_ffff_f000),
        }
    }

    /// Does the processor run 64-bit code? The kernel always does.
    pub const fn is_64_bit(&self) -> bool {
        self.registers.cs.access & LONG_CODE != 0 || self.registers.cs.selector & PRIVILEGE == 0
    }

    /// Bytes of a stack slot: 8 in 64-bit code, else 4.
    const fn slot(&self) -> u64 {
        if self.is_64_bit() { 8 } else { 4 }
    }

    /// The stack slot `index` above the stack pointer.
    fn stack(&self, index: u64) -> Result<u64> {
        let offset = index.wrapping_mul(self.slot());
        let address = self.registers.rsp.wrapping_add(offset);
        let mut bytes = [0; 8];
        let slot = self.slot() as usize;
        let buffer = bytes.get_mut(..slot).unwrap_or_default();
        self.memory.read(self.space(), address, buffer)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Argument `index` of the function, from 0: RCX, RDX, R8, R9, then the
    /// stack above the home space; in 32-bit code the stack alone.
    pub fn argument(&self, index: u32) -> Result<u64> {
        check(index)?;
        let in_register = match index {
            _ if !self.is_64_bit() => None,
            0 => Some(self.registers.rcx),
            1 => Some(self.registers.rdx),
            2 => Some(self.registers.r8),
            3 => Some(self.registers.r9),
            _ => None,
        };
        self.register_or_stack(in_register, index)
    }

    /// Argument `index` of the system call, from 0, at its entry: R10 takes the
    /// place of RCX, which holds the return address.
    pub fn syscall_argument(&self, index: u32) -> Result<u64> {
        match index {
            0 => Ok(self.registers.r10),
            _ => self.argument(index),
        }
    }

    fn register_or_stack(&self, register: Option<u64>, index: u32) -> Result<u64> {
        match register {
            Some(value) => Ok(value),
            // The return address lies below the first slot.
            None => self.stack(u64::from(index).wrapping_add(1)),
        }
    }

    /// Where the function returns to, at its first instruction.
    pub fn return_address(&self) -> Result<Va> {
        self.stack(0).map(Va)
    }

    /// Result of a function that has just returned: RAX.
    pub const fn return_value(&self) -> u64 {
        self.registers.rax
    }

    /// The registers with which the function returns at once with `result`.
    ///
    /// In 32-bit `stdcall` code the callee also removes its `arguments`; in
    /// 64-bit code the number does not matter.
    pub fn skip(&self, result: u64, arguments: u32) -> Result<Registers> {
        check(arguments)?;
        let removed = match self.is_64_bit() {
            true => 1,
            false => u64::from(arguments).wrapping_add(1),
        };
        Ok(Registers {
            rax: result,
            rip: self.return_address()?.0,
            rsp: self
                .registers
                .rsp
                .wrapping_add(removed.wrapping_mul(self.slot())),
            ..*self.registers
        })
    }
}

fn check(index: u32) -> Result<()> {
    if index < MAX_ARGUMENTS {
        return Ok(());
    }
    let reason = format!("{index} is beyond the {MAX_ARGUMENTS} arguments that are looked at");
    Err(Error::invalid_argument("index", reason))
}

/// Address of the `_KPCR` of the processor with these registers.
///
/// In user mode, and in the few instructions of the kernel before `swapgs`, the
/// active GS base is the thread's, and the kernel's waits in `KERNEL_GS_BASE`.
pub const fn current_pcr(registers: &Registers) -> Va {
    let in_user_mode = registers.cs.selector & PRIVILEGE != 0;
    if in_user_mode || registers.gs.base & KERNEL_BIT == 0 {
        Va(registers.kernel_gs_base)
    } else {
        Va(registers.gs.base)
    }
}

impl Windows {
    /// The processor that has these registers, in the kernel's eyes.
    pub fn current_processor(&self, registers: &Registers) -> Result<super::Processor<'_>> {
        let pcr = current_pcr(registers);
        if pcr.0 & KERNEL_BIT == 0 {
            return Err(Error::corrupt("_KPCR", pcr, "not a kernel address"));
        }
        let prcb = self.layouts.processor._KPCR.Prcb;
        Ok(super::Processor::new(self, pcr.wrapping_add(prcb.offset())))
    }

    /// The thread that runs on the processor with these registers.
    pub fn current_thread(&self, registers: &Registers) -> Result<super::Thread<'_>> {
        self.current_processor(registers)?.current_thread()
    }

    /// The process whose address space the processor with these registers uses:
    /// the one its thread is attached to, if it is.
    pub fn current_process(&self, registers: &Registers) -> Result<super::Process<'_>> {
        let thread = self.current_thread(registers)?;
        match thread.current_process()? {
            Some(process) => Ok(process),
            None => thread.process(),
        }
    }
}
