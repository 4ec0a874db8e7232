//! The driver that is loaded and unloaded while the guest runs: before, it is in no list and
//! not mapped.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::paging;
use crate::running::code::kernel::Addresses;
use crate::running::code::loader::{ENTRY, FUNCTION, PAGES};
use crate::running::code::{Emit, symbols};
use crate::running::plan::{LATE, LATE_SIZE, Plan};

/// Its file name and what it exports, at which place of its image.
const NAME: &str = "late.sys";
const EXPORT: (&str, u32) = ("LateFunction", 0x1040);
const SIZE: u32 = PAGES.len() as u32 * PAGE_SIZE as u32;

/// Where its function is at each place.
pub(super) fn functions() -> [u64; LATE.len()] {
    LATE.map(|base| base + u64::from(EXPORT.1))
}

/// Makes the driver's image at each place: its loader entries.
pub(super) fn load(guest: &mut Guest) -> [u64; LATE.len()] {
    LATE.map(|base| {
        assert!(guest.translate(base).is_none(), "no room at {base:#x}");
        let path = format!("\\SystemRoot\\System32\\drivers\\{NAME}");
        let entry = guest.load_module_with(NAME, &path, (base, SIZE), &[EXPORT]);
        guest.map_kernel(base, SIZE.into());
        guest.expected.modules.pop();
        // `InLoadOrderLinks` comes first.
        let (next, previous) = (guest.read_u64(entry), guest.read_u64(entry + 8));
        guest.write_u64(previous, next);
        guest.write_u64(next + 8, previous);
        entry
    })
}

/// Writes its function and its records, and unmaps its pages.
pub(super) fn hide(guest: &mut Guest, plan: &Plan, late: (&[u64], &Addresses)) -> Emit {
    let (entries, addresses) = late;
    let places = LATE.into_iter().zip(functions());
    for (index, ((base, function), entry)) in places.zip(entries).enumerate() {
        guest.write(function, &symbols::function(function, addresses.late)?);
        let record = plan.late + index as u64 * LATE_SIZE;
        guest.write_u64(record + ENTRY, *entry);
        guest.write_u64(record + FUNCTION, function);
        for ((place, value), number) in PAGES.into_iter().zip(0..) {
            let page = base + number * PAGE_SIZE;
            let leaf = paging::leaf(&guest.memory, guest.kernel_root(), page);
            let leaf = leaf.unwrap_or_else(|| panic!("{page:#x} is not mapped"));
            guest.write_u64(record + place, leaf.address);
            guest.write_u64(record + value, leaf.value);
            guest.memory.write_u64(leaf.address, 0);
        }
    }
    Ok(())
}
