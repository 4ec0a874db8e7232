//! Global variables of the kernel that hold plain values.

use crate::guest::Guest;

/// Value of the invalid-entry mask that takes effect where a software entry's swizzle bit is clear.
pub(crate) const INVALID_PTE_MASK: u64 = 0x0000_2000_0000_0000;

/// Number of the page file that stands for the compressed store.
const VIRTUAL_STORE: u32 = 3;

/// Writes version strings, numbers and limits.
pub(crate) fn write(guest: &mut Guest) {
    write_version(guest);
    write_limits(guest);
    write_invalid_pte_mask(guest);
    write_protections(guest);
    write_virtual_store(guest);
    let base = guest.expected.kernel.base;
    guest.write_u64(guest.symbol("PsNtosImageBase"), base);
    let shadow = u8::from(guest.expected.kernel.kva_shadow);
    guest.write(guest.symbol("KiKvaShadow"), &[shadow]);
    for name in [
        "PsActiveProcessHead",
        "PsLoadedModuleList",
        "KdpDebuggerDataListHead",
    ] {
        guest.empty_list(guest.symbol(name));
    }
}

fn write_version(guest: &mut Guest) {
    let kernel = guest.expected.kernel.clone();
    let service_pack = u32::from(guest.layout().facts().service_pack) << 8;
    write_text(guest, "NtBuildLab", &kernel.build_lab);
    write_text(guest, "NtBuildLabEx", &kernel.build_lab_ex);
    write_number(guest, "NtBuildNumber", 0xf000_0000 | kernel.build);
    write_number(guest, "CmNtCSDVersion", service_pack);
    write_number(guest, "KeNumberProcessors", kernel.processors);
    if let Some(count) = guest.find_symbol("KeNumberProcessorsGroup0") {
        guest.write(count, &[kernel.processors as u8]);
    }
}

fn write_limits(guest: &mut Guest) {
    let highest = guest.expected.kernel.highest_user_address;
    let pfn_database = guest.layout().facts().pfn_database;
    guest.write_u64(guest.symbol("MmHighestUserAddress"), highest);
    guest.write_u64(guest.symbol("MmUserProbeAddress"), highest + 1);
    let system_start = if highest >> 43 == 0 {
        0xffff_0800_0000_0000
    } else {
        0xffff_8000_0000_0000
    };
    guest.write_u64(guest.symbol("MmSystemRangeStart"), system_start);
    guest.write_u64(guest.symbol("MmPfnDatabase"), pfn_database);
    if let Some(va) = guest.find_symbol("MmPteBase") {
        let index = guest.expected.kernel.self_map_index as u64;
        let base = match guest.options.five_levels {
            true => 0xfe00_0000_0000_0000 | index << 48,
            false => 0xffff_0000_0000_0000 | index << 39,
        };
        guest.write_u64(va, base);
    }
}

/// The mask was a variable of its own before it moved into `MiState`.
fn write_invalid_pte_mask(guest: &mut Guest) {
    let variable = guest.find_symbol("MiInvalidPteMask").or_else(|| {
        let state = guest.find_symbol("MiState")?;
        let field = guest
            .profile
            .find_field("_MI_SYSTEM_INFORMATION", "Hardware.InvalidPteMask")?;
        Some(state + field.offset)
    });
    if let Some(va) = variable {
        guest.write_u64(va, INVALID_PTE_MASK);
    }
}

/// The number of the page file that stands for the compressed store.
fn write_virtual_store(guest: &mut Guest) {
    let field = guest
        .profile
        .find_field("_MI_PARTITION", "Store.VirtualPageFileNumber");
    if let (Some(partition), Some(field)) = (guest.find_symbol("MiSystemPartition"), field) {
        guest.write(partition + field.offset, &VIRTUAL_STORE.to_le_bytes());
        guest.expected.kernel.virtual_store = Some(VIRTUAL_STORE as u8);
    }
}

/// What the 32 protections of regions and page-table entries mean to user mode (`PAGE_*`):
/// the low three bits are the access, the others make it not cached, guarded or combined.
fn write_protections(guest: &mut Guest) {
    const ACCESS: [u32; 8] = [0x01, 0x02, 0x10, 0x20, 0x04, 0x08, 0x40, 0x80];
    const MODIFIERS: [u32; 4] = [0, 0x200, 0x100, 0x400];
    let value = |modifier, access| match access {
        1 => access,
        _ => access | modifier,
    };
    let all = MODIFIERS
        .into_iter()
        .flat_map(|modifier| ACCESS.map(|access| value(modifier, access)));
    let bytes: Vec<u8> = all.flat_map(u32::to_le_bytes).collect();
    guest.write(guest.symbol("MmProtectToValue"), &bytes);
}

fn write_number(guest: &mut Guest, symbol: &str, value: u32) {
    guest.write(guest.symbol(symbol), &value.to_le_bytes());
}

fn write_text(guest: &mut Guest, symbol: &str, text: &str) {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    guest.write(guest.symbol(symbol), &bytes);
}
