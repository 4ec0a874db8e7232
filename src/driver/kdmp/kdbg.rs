//! `_KDDEBUGGER_DATA64`: where Windows keeps what a debugger needs first.

use super::space::Space;
use crate::core::{
    Va,
    bytes::{u16_at, u32_at, u64_at},
};

/// Smallest block that is believed: up to and including `OffsetPrcbContext`.
const SIZE_MIN: usize = 0x33a;
/// Largest: newer versions of Windows append fields.
const SIZE_MAX: usize = 0x1000;
/// `Header.OwnerTag` of a block that is not encoded.
const TAG: &[u8; 4] = b"KDBG";

/// The block.
pub struct Kdbg(Vec<u8>);

impl Kdbg {
    /// Reads the block at `va`.
    ///
    /// `None` when it is absent, damaged, or encoded (Windows 8 and later keep it
    /// so until a debugger or a crash needs it).
    pub fn read(space: &Space, va: Va) -> Option<Self> {
        let header: [u8; 0x18] = space.bytes(va)?;
        let size = u32_at(&header, 0x14)? as usize;
        if header.get(0x10..0x14)? != TAG || !(SIZE_MIN..=SIZE_MAX).contains(&size) {
            return None;
        }
        let mut bytes = vec![0; size];
        space.read(va, &mut bytes)?;
        Some(Self(bytes))
    }

    fn address(&self, offset: usize) -> Option<Va> {
        u64_at(&self.0, offset).filter(|&va| va != 0).map(Va)
    }

    fn offset(&self, offset: usize) -> Option<u64> {
        u16_at(&self.0, offset)
            .filter(|&offset| offset != 0)
            .map(u64::from)
    }

    /// Corresponds to `_KDDEBUGGER_DATA64.KernBase`.
    pub fn kernel_base(&self) -> Option<Va> {
        self.address(0x18)
    }

    /// Corresponds to `_KDDEBUGGER_DATA64.PsLoadedModuleList`.
    pub fn module_list(&self) -> Option<Va> {
        self.address(0x48)
    }

    /// Corresponds to `_KDDEBUGGER_DATA64.PsActiveProcessHead`.
    pub fn process_list(&self) -> Option<Va> {
        self.address(0x50)
    }

    /// Corresponds to `_KDDEBUGGER_DATA64.KiProcessorBlock`: pointers to the KPRCBs.
    pub fn processor_block(&self) -> Option<Va> {
        self.address(0x218)
    }

    /// Offset of `_KTHREAD.ApcState.Process`.
    /// Corresponds to `_KDDEBUGGER_DATA64.OffsetKThreadApcProcess`.
    pub fn thread_process(&self) -> Option<u64> {
        self.offset(0x2a0)
    }

    /// Corresponds to `_KDDEBUGGER_DATA64.SizeEProcess`.
    pub fn process_size(&self) -> Option<u64> {
        self.offset(0x2a8)
    }

    /// Corresponds to `_KDDEBUGGER_DATA64.SizePrcb`.
    pub fn prcb_size(&self) -> Option<u64> {
        self.offset(0x2b0)
    }

    /// Offset of `_KPRCB.CurrentThread`.
    /// Corresponds to `_KDDEBUGGER_DATA64.OffsetPrcbCurrentThread`.
    pub fn prcb_current_thread(&self) -> Option<u64> {
        self.offset(0x2b4)
    }

    /// Offset of `_KPRCB.ProcessorState.ContextFrame`.
    /// Corresponds to `_KDDEBUGGER_DATA64.OffsetPrcbProcStateContext`.
    pub fn prcb_context_frame(&self) -> Option<u64> {
        self.offset(0x2bc)
    }

    /// Offset of `_KPRCB.Number`.
    /// Corresponds to `_KDDEBUGGER_DATA64.OffsetPrcbNumber`.
    pub fn prcb_number(&self) -> Option<u64> {
        self.offset(0x2be)
    }

    /// Corresponds to `_KDDEBUGGER_DATA64.SizeEThread`.
    pub fn thread_size(&self) -> Option<u64> {
        self.offset(0x2c0)
    }

    /// Offset of `_KPRCB.ProcessorState.SpecialRegisters`.
    /// Corresponds to `_KDDEBUGGER_DATA64.OffsetPrcbProcStateSpecialReg`.
    pub fn prcb_special_registers(&self) -> Option<u64> {
        self.offset(0x2f2)
    }

    /// Offset of `_KPRCB.Context`, a pointer.
    /// Corresponds to `_KDDEBUGGER_DATA64.OffsetPrcbContext`.
    pub fn prcb_context(&self) -> Option<u64> {
        self.offset(0x338)
    }
}
