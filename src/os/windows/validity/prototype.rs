//! Prototype page-table entries: one for each page of a section, whoever maps it.

use isr::macros::Field;

use crate::{
    core::{PAGE_SIZE, Va},
    error::{Error, Result},
    os::windows::{Region, Windows},
};

/// A prototype entry.
pub const ENTRY: Field = Field::new(0, ENTRY_SIZE);
const ENTRY_SIZE: u64 = 8;

/// More parts than any section has.
const SUBSECTIONS_MAX: usize = 1 << 16;

/// Address of the prototype entry of the page of `va` in a mapped region, `None`
/// where the section ends before it.
///
/// The entries of the first part of a section lie between
/// `_MMVAD.FirstPrototypePte` and `LastContiguousPte`; those of the others hang
/// on their `_SUBSECTION`.
pub fn address(windows: &Windows, region: &Region<'_>, va: Va) -> Result<Option<Va>> {
    let Some((first, last)) = region.prototype_ptes()? else {
        return Ok(None);
    };
    let page = va.0.wrapping_sub(region.start()?.0) / PAGE_SIZE;
    let entry = first.wrapping_add(page.wrapping_mul(ENTRY_SIZE));
    if (first..=last).contains(&entry) {
        return Ok((!first.is_null()).then_some(entry));
    }
    beyond(windows, region, first, page)
}

/// The entry in a later part: `page` pages behind the one at `first`.
fn beyond(windows: &Windows, region: &Region<'_>, first: Va, page: u64) -> Result<Option<Va>> {
    let layout = &windows.layouts.validity._SUBSECTION;
    let mut subsection = region.subsection()?;
    // The view may begin inside of the first part.
    let mut left = page;
    let mut is_first = true;
    for _ in 0..SUBSECTIONS_MAX {
        let Some(address) = subsection else {
            return Ok(None);
        };
        let mut bytes = [0; 64];
        let record = windows.record(address).with_copy(&mut bytes);
        let base = record.pointer(layout.SubsectionBase)?;
        let count = record.uint(layout.PtesInSubsection)?;
        if is_first {
            let skipped = first.0.wrapping_sub(base.0) / ENTRY_SIZE;
            if skipped >= count {
                let reason = "the view does not begin in its own part of the section";
                return Err(Error::corrupt("_SUBSECTION", region.vad(), reason));
            }
            left = left.saturating_add(skipped);
            is_first = false;
        }
        match left.checked_sub(count) {
            None => return Ok(Some(base.wrapping_add(left.wrapping_mul(ENTRY_SIZE)))),
            Some(rest) => left = rest,
        }
        subsection = record.pointer_or_none(layout.NextSubsection)?;
    }
    Err(Error::corrupt(
        "_SUBSECTION",
        region.vad(),
        "the section has more parts than one can have",
    ))
}
