//! `wvmi_registers`: registers of the virtual processors.

use super::{
    ffi::{Call, Plain},
    session::wvmi_session,
    status::{WVMI_OK, wvmi_status},
};
use crate::core::{DescriptorTable, Registers, Segment};

/// A segment register with its hidden part.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_segment_register {
    /// Base address.
    pub base: u64,
    /// Limit in bytes.
    pub limit: u32,
    /// Access rights: type 0-3, S 4, DPL 5-6, P 7, AVL 12, L 13, D/B 14, G 15.
    /// 0 when the back end does not know them.
    pub access: u32,
    /// Selector.
    pub selector: u32,
    /// Always 0.
    pub reserved: u32,
}

/// GDTR or IDTR.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_descriptor_table {
    /// Base address.
    pub base: u64,
    /// Limit in bytes.
    pub limit: u32,
    /// Always 0.
    pub reserved: u32,
}

/// Registers of one x86-64 virtual processor. What the back end cannot know is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wvmi_registers {
    /// General-purpose register RAX.
    pub rax: u64,
    /// General-purpose register RBX.
    pub rbx: u64,
    /// General-purpose register RCX.
    pub rcx: u64,
    /// General-purpose register RDX.
    pub rdx: u64,
    /// General-purpose register RSI.
    pub rsi: u64,
    /// General-purpose register RDI.
    pub rdi: u64,
    /// General-purpose register RBP.
    pub rbp: u64,
    /// General-purpose register RSP.
    pub rsp: u64,
    /// General-purpose register R8.
    pub r8: u64,
    /// General-purpose register R9.
    pub r9: u64,
    /// General-purpose register R10.
    pub r10: u64,
    /// General-purpose register R11.
    pub r11: u64,
    /// General-purpose register R12.
    pub r12: u64,
    /// General-purpose register R13.
    pub r13: u64,
    /// General-purpose register R14.
    pub r14: u64,
    /// General-purpose register R15.
    pub r15: u64,
    /// Instruction pointer.
    pub rip: u64,
    /// Flags.
    pub rflags: u64,
    /// Control register 0.
    pub cr0: u64,
    /// Control register 2: address of the last page fault.
    pub cr2: u64,
    /// Control register 3: page-table root and flags.
    pub cr3: u64,
    /// Control register 4.
    pub cr4: u64,
    /// Control register 8: task priority, the IRQL in Windows.
    pub cr8: u64,
    /// Extended control register 0.
    pub xcr0: u64,
    /// Debug address 0.
    pub dr0: u64,
    /// Debug address 1.
    pub dr1: u64,
    /// Debug address 2.
    pub dr2: u64,
    /// Debug address 3.
    pub dr3: u64,
    /// Debug status.
    pub dr6: u64,
    /// Debug control.
    pub dr7: u64,
    /// MSR `IA32_SYSENTER_CS`.
    pub sysenter_cs: u64,
    /// MSR `IA32_SYSENTER_ESP`.
    pub sysenter_esp: u64,
    /// MSR `IA32_SYSENTER_EIP`.
    pub sysenter_eip: u64,
    /// MSR `IA32_KERNEL_GS_BASE`.
    pub kernel_gs_base: u64,
    /// MSR `IA32_EFER`.
    pub efer: u64,
    /// MSR `IA32_STAR`.
    pub star: u64,
    /// MSR `IA32_LSTAR`: 64-bit system-call entry.
    pub lstar: u64,
    /// MSR `IA32_CSTAR`: 32-bit system-call entry.
    pub cstar: u64,
    /// MSR `IA32_FMASK`.
    pub fmask: u64,
    /// MSR `IA32_TSC_AUX`.
    pub tsc_aux: u64,
    /// Code segment.
    pub cs: wvmi_segment_register,
    /// Data segment.
    pub ds: wvmi_segment_register,
    /// Extra segment.
    pub es: wvmi_segment_register,
    /// Segment FS.
    pub fs: wvmi_segment_register,
    /// Segment GS.
    pub gs: wvmi_segment_register,
    /// Stack segment.
    pub ss: wvmi_segment_register,
    /// Task register.
    pub tr: wvmi_segment_register,
    /// Local descriptor table register.
    pub ldtr: wvmi_segment_register,
    /// Global descriptor table register.
    pub gdtr: wvmi_descriptor_table,
    /// Interrupt descriptor table register.
    pub idtr: wvmi_descriptor_table,
}

// SAFETY: integers only; every bit pattern is valid.
unsafe impl Plain for wvmi_registers {}

impl From<Segment> for wvmi_segment_register {
    fn from(segment: Segment) -> Self {
        Self {
            base: segment.base,
            limit: segment.limit,
            access: segment.access,
            selector: segment.selector.into(),
            reserved: 0,
        }
    }
}

impl From<wvmi_segment_register> for Segment {
    fn from(segment: wvmi_segment_register) -> Self {
        Self {
            selector: segment.selector as u16,
            base: segment.base,
            limit: segment.limit,
            access: segment.access,
        }
    }
}

impl From<DescriptorTable> for wvmi_descriptor_table {
    fn from(table: DescriptorTable) -> Self {
        Self {
            base: table.base,
            limit: table.limit.into(),
            reserved: 0,
        }
    }
}

impl From<wvmi_descriptor_table> for DescriptorTable {
    fn from(table: wvmi_descriptor_table) -> Self {
        Self {
            base: table.base,
            limit: table.limit as u16,
        }
    }
}

/// The fields that both sides spell alike, taken over one by one.
macro_rules! convert {
    ($registers:ident, $target:ident) => {
        $target {
            rax: $registers.rax,
            rbx: $registers.rbx,
            rcx: $registers.rcx,
            rdx: $registers.rdx,
            rsi: $registers.rsi,
            rdi: $registers.rdi,
            rbp: $registers.rbp,
            rsp: $registers.rsp,
            r8: $registers.r8,
            r9: $registers.r9,
            r10: $registers.r10,
            r11: $registers.r11,
            r12: $registers.r12,
            r13: $registers.r13,
            r14: $registers.r14,
            r15: $registers.r15,
            rip: $registers.rip,
            rflags: $registers.rflags,
            cr0: $registers.cr0,
            cr2: $registers.cr2,
            cr3: $registers.cr3,
            cr4: $registers.cr4,
            cr8: $registers.cr8,
            xcr0: $registers.xcr0,
            dr0: $registers.dr0,
            dr1: $registers.dr1,
            dr2: $registers.dr2,
            dr3: $registers.dr3,
            dr6: $registers.dr6,
            dr7: $registers.dr7,
            sysenter_cs: $registers.sysenter_cs,
            sysenter_esp: $registers.sysenter_esp,
            sysenter_eip: $registers.sysenter_eip,
            kernel_gs_base: $registers.kernel_gs_base,
            efer: $registers.efer,
            star: $registers.star,
            lstar: $registers.lstar,
            cstar: $registers.cstar,
            fmask: $registers.fmask,
            tsc_aux: $registers.tsc_aux,
            cs: $registers.cs.into(),
            ds: $registers.ds.into(),
            es: $registers.es.into(),
            fs: $registers.fs.into(),
            gs: $registers.gs.into(),
            ss: $registers.ss.into(),
            tr: $registers.tr.into(),
            ldtr: $registers.ldtr.into(),
            gdtr: $registers.gdtr.into(),
            idtr: $registers.idtr.into(),
        }
    };
}

impl From<&Registers> for wvmi_registers {
    fn from(registers: &Registers) -> Self {
        convert!(registers, Self)
    }
}

impl From<&wvmi_registers> for Registers {
    fn from(registers: &wvmi_registers) -> Self {
        convert!(registers, Self)
    }
}

/// Reads the registers of a virtual processor.
///
/// Where the back end carries none, those come that the kernel saved when the
/// processor last stopped (`_KPRCB.ProcessorState`).
///
/// `vcpu` counts from 0. `registers` receives them, `size` is `sizeof
/// *registers`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_FOUND` for a processor that the guest does
/// not have; `WVMI_ERROR_NOT_SUPPORTED` where there are none;
/// `WVMI_ERROR_FAULT`; `WVMI_ERROR_NULL_ARGUMENT`;
/// `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_registers_get(
    session: *mut wvmi_session,
    vcpu: u16,
    registers: *mut wvmi_registers,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_registers_get") };
    call.run(|| {
        let session = call.session(session)?;
        let output = call.sized_output(registers, size, "registers")?;
        output.write((&session.engine().registers(vcpu)?).into());
        Ok(WVMI_OK)
    })
}

/// Sets the registers of a virtual processor.
///
/// `vcpu` counts from 0. `registers` holds all of them, as
/// `wvmi_registers_get()` gave them and the caller changed them; `size` is
/// `sizeof *registers`.
///
/// Returns `WVMI_OK`; `WVMI_ERROR_NOT_SUPPORTED` where the back end cannot set
/// registers, as with all images; `WVMI_ERROR_NOT_FOUND`;
/// `WVMI_ERROR_NULL_ARGUMENT`; `WVMI_ERROR_INVALID_ARGUMENT`.
///
/// Any thread, also from a callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wvmi_registers_set(
    session: *mut wvmi_session,
    vcpu: u16,
    registers: *const wvmi_registers,
    size: usize,
) -> wvmi_status {
    // SAFETY: the caller passes pointers as the header demands.
    let call = unsafe { Call::new(c"wvmi_registers_set") };
    call.run(|| {
        let session = call.session(session)?;
        let registers = call.sized_input(registers, size, "registers")?;
        session.engine().set_registers(vcpu, &(&registers).into())?;
        Ok(WVMI_OK)
    })
}
