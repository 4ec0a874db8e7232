//! The debugger data block (`KdDebuggerDataBlock`) and the version block.
//!
//! The layout of `_KDDEBUGGER_DATA64` is public (wdbgexts.h) and the same in all builds; the
//! kernels' tables do not have it.

use crate::guest::Guest;

/// Offset of the tag.
const TAG_OFFSET: u64 = 0x10;

/// Members that hold the address of a variable: offset and symbol.
const ADDRESSES: [(u64, &str); 24] = [
    (0x48, "PsLoadedModuleList"),
    (0x50, "PsActiveProcessHead"),
    (0x58, "PspCidTable"),
    (0x60, "ExpSystemResourcesList"),
    (0x88, "KiBugCheckData"),
    (0x90, "IopErrorLogListHead"),
    (0x98, "ObpRootDirectoryObject"),
    (0xa0, "ObpTypeObjectType"),
    (0xc0, "MmPfnDatabase"),
    (0x1b8, "PoolTrackTable"),
    (0x1c8, "MmHighestUserAddress"),
    (0x1d0, "MmSystemRangeStart"),
    (0x1d8, "MmUserProbeAddress"),
    (0x208, "NtBuildLab"),
    (0x218, "KiProcessorBlock"),
    (0x220, "MmUnloadedDrivers"),
    (0x228, "MmLastUnloadedDriver"),
    (0x268, "CmNtCSDVersion"),
    (0x270, "MmPhysicalMemoryBlock"),
    (0x2d8, "KeLoaderBlock"),
    (0x308, "IopNumTriageDumpDataBlocks"),
    (0x310, "IopTriageDumpDataBlocks"),
    (0x0f8, "MmNumberOfPhysicalPages"),
    (0x138, "MmPageSize"),
];

/// Members that hold an offset or size of 16 bits: offset, structure, member.
const OFFSETS: [(u64, &str, &str); 19] = [
    (0x298, "_KTHREAD", "NextProcessor"),
    (0x29a, "_KTHREAD", "Teb"),
    (0x29c, "_KTHREAD", "KernelStack"),
    (0x29e, "_KTHREAD", "InitialStack"),
    (0x2a0, "_KTHREAD", "ApcState.Process"),
    (0x2a2, "_KTHREAD", "State"),
    (0x2aa, "_EPROCESS", "Peb"),
    (0x2ac, "_EPROCESS", "InheritedFromUniqueProcessId"),
    (0x2ae, "_EPROCESS", "Pcb.DirectoryTableBase"),
    (0x2b4, "_KPRCB", "CurrentThread"),
    (0x2b6, "_KPRCB", "MHz"),
    (0x2b8, "_KPRCB", "CpuType"),
    (0x2ba, "_KPRCB", "VendorString"),
    (0x2bc, "_KPRCB", "ProcessorState.ContextFrame"),
    (0x2be, "_KPRCB", "Number"),
    (0x2e2, "_KPCR", "Self"),
    (0x2e4, "_KPCR", "CurrentPrcb"),
    (0x2e6, "_KPCR", "Prcb"),
    (0x2f2, "_KPRCB", "ProcessorState.SpecialRegisters"),
];

/// Members that hold the size of a structure.
const SIZES: [(u64, &str); 4] = [
    (0x2a8, "_EPROCESS"),
    (0x2b0, "_KPRCB"),
    (0x2c0, "_ETHREAD"),
    (0x2e0, "_KPCR"),
];

/// Writes both blocks.
pub(crate) fn build(guest: &mut Guest) {
    write_version_block(guest);
    let block = guest.symbol("KdDebuggerDataBlock");
    let bytes = block_bytes(guest);
    guest.write(block, &bytes);
    guest.append_to_list(guest.symbol("KdpDebuggerDataListHead"), block);
    if !guest.options.debugger_data {
        let size = guest.layout().facts().debugger_data_size;
        guest.write(block, &vec![0; size as usize]);
    }
}

fn block_bytes(guest: &Guest) -> Vec<u8> {
    let size = guest.layout().facts().debugger_data_size;
    let mut bytes = vec![0; size as usize];
    let mut put = |offset: u64, value: &[u8]| {
        let start = offset as usize;
        bytes[start..start + value.len()].copy_from_slice(value);
    };
    put(TAG_OFFSET, b"KDBG");
    put(0x14, &size.to_le_bytes());
    put(0x18, &guest.expected.kernel.base.to_le_bytes());
    for (offset, symbol) in ADDRESSES {
        let address = guest.find_symbol(symbol).unwrap_or_default();
        put(offset, &address.to_le_bytes());
    }
    for (offset, structure, member) in OFFSETS {
        put(
            offset,
            &(guest.profile.offset(structure, member) as u16).to_le_bytes(),
        );
    }
    for (offset, structure) in SIZES {
        put(
            offset,
            &(guest.profile.size_of(structure) as u16).to_le_bytes(),
        );
    }
    let context = guest.profile.offset("_KPRCB", "Context") as u16;
    put(0x338, &context.to_le_bytes());
    bytes
}

fn write_version_block(guest: &mut Guest) {
    let kernel = guest.expected.kernel.clone();
    let mut block = guest.record("_DBGKD_GET_VERSION64");
    block
        .set("MajorVersion", 0xf)
        .set("MinorVersion", kernel.build.into())
        .set("ProtocolVersion", 6)
        .set("Flags", 0x47)
        .set("MachineType", crate::kernel::pe::MACHINE_AMD64.into())
        .set("KernBase", kernel.base)
        .set("PsLoadedModuleList", guest.symbol("PsLoadedModuleList"))
        .set("DebuggerDataList", guest.symbol("KdpDebuggerDataListHead"));
    guest.write_record(guest.symbol("KdVersionBlock"), &block);
}
