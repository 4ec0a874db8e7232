//! How this Windows encodes page-table entries that are not present.

use isr::macros::{Bitfield, Field};

use super::Windows;
use crate::core::{SoftwarePte, Va};

isr::macros::offsets! {
    struct Layout {
        struct _MMPTE_SOFTWARE {
            SwizzleBit: Option<Bitfield>,
            PageFileLow: Bitfield,
            PageFileHigh: Bitfield,
        }

        struct _MMPTE_PROTOTYPE {
            ProtoAddress: Bitfield,
        }
    }
}

/// Tells the translator what it needs to resolve transition pages.
///
/// Without the mask they stay faults: a wrong frame would be worse.
pub(super) fn attach(windows: &Windows) {
    if let (Some(layout), Some(translator)) = (software_pte(windows), windows.memory().translator())
    {
        translator.set_software_pte(layout);
        windows.memory().flush();
    }
}

fn software_pte(windows: &Windows) -> Option<SoftwarePte> {
    let Layout {
        _MMPTE_SOFTWARE: layout,
        _MMPTE_PROTOTYPE: prototype,
    } = Layout::new(windows.profile().isr()).ok()?;
    let bit = |field: &Bitfield| u8::try_from(field.bit_position()).ok();
    let swizzle_bit = layout.SwizzleBit.as_ref().and_then(bit);
    Some(SoftwarePte {
        invalid_mask: match swizzle_bit {
            Some(_) => invalid_mask(windows)?,
            None => 0,
        },
        swizzle_bit,
        pagefile_low_bit: bit(&layout.PageFileLow)?,
        pagefile_high_bit: bit(&layout.PageFileHigh)?,
        prototype_low_bit: bit(&prototype.ProtoAddress)?,
        virtual_store: virtual_store(windows),
    })
}

/// Corresponds to `MiInvalidPteMask` (Windows 7, 8.1) or
/// `MiState.Hardware.InvalidPteMask` (Windows 10 1607 and later).
fn invalid_mask(windows: &Windows) -> Option<u64> {
    let variables = &windows.variables;
    let address: Va = match (variables.MiInvalidPteMask, variables.MiState) {
        (Some(mask), _) => windows.variable(mask),
        (None, Some(state)) => {
            let field = windows
                .profile()
                .field("_MI_SYSTEM_INFORMATION", "Hardware.InvalidPteMask")?;
            windows.variable(state).wrapping_add(field.offset)
        }
        (None, None) => return None,
    };
    windows.record(address).uint(Field::new(0, 8)).ok()
}

/// Number of the page file that stands for the compressed store of Windows 10 and later.
///
/// Corresponds to `MiSystemPartition.Store.VirtualPageFileNumber`, which is 0
/// before there is a store; the first real page file has that number, too.
fn virtual_store(windows: &Windows) -> Option<u8> {
    let partition = windows.variables.MiSystemPartition?;
    let field = windows
        .profile()
        .field("_MI_PARTITION", "Store.VirtualPageFileNumber")?;
    let number = windows.variable(partition).wrapping_add(field.offset);
    let number = windows.record(number).uint(Field::new(0, 4)).ok()?;
    u8::try_from(number)
        .ok()
        .filter(|number| (1..16).contains(number))
}
