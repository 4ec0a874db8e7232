//! The driver list of a triage dump: `_DUMP_DRIVER_ENTRY64`, with names in a
//! string pool. It stands in for the kernel's own list, which is not dumped.

use crate::{
    core::{
        Va,
        bytes::{u32_at, u64_at},
        driver::ModuleHint,
    },
    driver::file::ImageFile,
};

/// Size of a `_DUMP_DRIVER_ENTRY64`: the name's offset, padding, and a
/// `_KLDR_DATA_TABLE_ENTRY64`.
const ENTRY_SIZE: u64 = 0x90;
/// Most drivers that are believed.
const DRIVERS_MAX: u32 = 4096;
/// Longest name that is believed, in UTF-16 units.
const NAME_MAX: u32 = 1024;

/// The `count` drivers listed at `offset`; damaged entries are left out.
pub fn read(file: &ImageFile, (offset, count): (u64, u32)) -> Vec<ModuleHint> {
    (0..count.min(DRIVERS_MAX))
        .map_while(|index| offset.checked_add(u64::from(index).wrapping_mul(ENTRY_SIZE)))
        .filter_map(|at| {
            let mut entry = [0; ENTRY_SIZE as usize];
            file.read(at, &mut entry).ok()?;
            driver(file, &entry)
        })
        .collect()
}

fn driver(file: &ImageFile, entry: &[u8]) -> Option<ModuleHint> {
    Some(ModuleHint {
        path: name(file, u32_at(entry, 0x00)?.into())?,
        // `DllBase`, `EntryPoint`, `SizeOfImage`, `CheckSum`, `TimeDateStamp`
        base: Va(u64_at(entry, 0x38)?),
        entry_point: Va(u64_at(entry, 0x40)?),
        size: u32_at(entry, 0x48)?,
        checksum: u32_at(entry, 0x80)?,
        timestamp: u32_at(entry, 0x88)?,
    })
}

/// A `_DUMP_STRING`: the number of UTF-16 units, then the units.
fn name(file: &ImageFile, offset: u64) -> Option<Vec<u16>> {
    let mut length = [0; 4];
    file.read(offset, &mut length).ok()?;
    let length = Some(u32::from_le_bytes(length)).filter(|&units| units <= NAME_MAX)?;
    let mut units = vec![0; (length as usize).checked_mul(2)?];
    file.read(offset.checked_add(4)?, &mut units).ok()?;
    let units = units.as_chunks::<2>().0.iter();
    Some(units.map(|&unit| u16::from_le_bytes(unit)).collect())
}
