//! Hash tables inside an archive: what `rkyv` leaves unchecked.
//!
//! Its validation proves that every byte it will read is there. It does not
//! prove that a search ends, nor that a slot names an existing entry; both are
//! checked here on the bytes themselves.

use isr::schema::ArchivedProfile;
use rkyv::collections::swiss_table::ArchivedIndexMap;

/// Control bytes that a search reads at once at most.
const GROUP: usize = 16;

/// Set in the control byte of a free slot.
const FREE: u8 = 0x80;

/// Whether every table of a validated profile can be searched.
pub(super) fn are_sound(archive: &[u8], profile: &ArchivedProfile) -> bool {
    let table_of = |at| Table { archive, at };
    let sound = |at: Option<usize>| at.and_then(|at| table_of(at).is_sound()).unwrap_or(false);
    sound(position(archive, &profile.enums))
        && sound(position(archive, &profile.structs))
        && sound(position(archive, &profile.symbols))
        && (profile.enums.values()).all(|found| sound(position(archive, &found.fields)))
        && (profile.structs.values()).all(|found| sound(position(archive, &found.fields)))
}

/// Offset of a map in the archive that holds it.
fn position<K, V>(archive: &[u8], map: &ArchivedIndexMap<K, V>) -> Option<usize> {
    let address = std::ptr::from_ref(map).addr();
    address.checked_sub(archive.as_ptr().addr())
}

/// A hash table: relative pointer to its control bytes, number of entries,
/// number of slots; each a little-endian `u32`. The slots lie before the control
/// bytes, the first one last.
struct Table<'a> {
    archive: &'a [u8],
    at: usize,
}

impl Table<'_> {
    /// `None` when something lies outside of the archive.
    fn is_sound(&self) -> Option<bool> {
        let len = self.word(self.at.checked_add(4)?)?;
        let slots = usize::try_from(self.word(self.at.checked_add(8)?)?).ok()?;
        if len == 0 {
            return Some(true);
        }
        let start = usize::try_from(self.word(self.at)?.cast_signed()).ok();
        let start = match start {
            Some(forward) => self.at.checked_add(forward)?,
            None => {
                let back = self.word(self.at)?.cast_signed().unsigned_abs();
                self.at.checked_sub(usize::try_from(back).ok()?)?
            }
        };
        let count = slots
            .checked_next_multiple_of(GROUP)?
            .checked_add(GROUP)?
            .checked_sub(1)?;
        let controls = self.archive.get(start..start.checked_add(count)?)?;
        Some(
            repeats(controls, slots)?
                && self.slots_are_sound(controls.get(..slots)?, start, len)?,
        )
    }

    /// At least one slot is free, which ends a search, and each of the others
    /// holds the index of an entry.
    fn slots_are_sound(&self, controls: &[u8], start: usize, len: u32) -> Option<bool> {
        let mut at = start;
        let mut free = false;
        for control in controls {
            at = at.checked_sub(4)?;
            if control & FREE != 0 {
                free = true;
            } else if self.word(at)? >= len {
                return Some(false);
            }
        }
        Some(free)
    }

    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.archive.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }
}

/// Whether the control bytes go on, after the last slot, with those of the
/// first slots: a search that starts at the end sees the free ones.
fn repeats(controls: &[u8], slots: usize) -> Option<bool> {
    let (first, rest) = controls.split_at_checked(slots)?;
    let common = first.len().min(rest.len());
    Some(first.get(..common)? == rest.get(..common)?)
}
