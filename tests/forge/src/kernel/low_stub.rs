//! The processor start block that the kernel leaves in low memory.

use crate::guest::Guest;

/// Physical address of the start block.
const ADDRESS: u64 = 0x1000;
/// `_PROCESSOR_START_BLOCK`: a jump and the completion flag.
const JUMP: u64 = 0x0000_0001_0006_00e9;
/// Offset of the long-mode entry (`LmTarget`).
const TARGET: u64 = 0x70;
/// Offset of the root register in the saved processor state.
const CR3: u64 = 0xa0;

/// Writes the start block unless the options leave it out.
pub(crate) fn build(guest: &mut Guest) {
    if !guest.options.low_stub {
        return;
    }
    let names = ["HalpLMStub", "HalpLMIdentityStub", "KiSystemCall64"];
    let target = names
        .iter()
        .find_map(|name| guest.find_symbol(name))
        .unwrap_or_default();
    let root = guest.kernel_root();
    guest.memory.write_u64(ADDRESS, JUMP);
    guest.memory.write_u64(ADDRESS + TARGET, target & !3);
    guest.memory.write_u64(ADDRESS + CR3, root);
}
