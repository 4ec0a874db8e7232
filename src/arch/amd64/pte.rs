//! One x86-64 page-table entry, present or as Windows encodes absent ones.

use crate::{
    core::{Pa, Protection, SoftwarePte, Va},
    error::FaultKind,
};

const PRESENT: u64 = 1;
const WRITE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
const LARGE: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
const PROTOTYPE: u64 = 1 << 10;
const TRANSITION: u64 = 1 << 11;
/// Bits 12 to 51.
const FRAME: u64 = 0x000f_ffff_ffff_f000;
/// Windows' own frames have 36 bits: the rest of a transition entry is software's.
const TRANSITION_FRAME: u64 = 0x0000_ffff_ffff_f000;

/// A page-table entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pte(pub u64);

/// What an entry that is not present stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// The page is in memory after all, in this frame.
    Transition(Pa),
    /// The entry at this kernel address describes the page.
    Prototype(Va),
    /// The page is elsewhere or nowhere.
    Fault(FaultKind),
}

impl Pte {
    /// The processor uses the entry.
    pub const fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    /// The entry maps a large page (levels 2 and 3) instead of naming a table.
    pub const fn is_large(self) -> bool {
        self.0 & LARGE != 0
    }

    /// Address of the next table, or of the 4 KiB page.
    pub const fn table(self) -> Pa {
        Pa(self.0 & FRAME)
    }

    /// Address of the page of `1 << shift` bytes that the entry maps; the PAT
    /// bit (12) of large pages is not a part of it.
    pub const fn frame(self, shift: u8) -> Pa {
        Pa(self.0 & FRAME & u64::MAX.wrapping_shl(shift as u32))
    }

    /// What this entry alone allows.
    pub const fn protection(self) -> Protection {
        let mut bits = Protection::READ.bits();
        if self.0 & WRITE != 0 {
            bits |= Protection::WRITE.bits();
        }
        if self.0 & USER != 0 {
            bits |= Protection::USER.bits();
        }
        if self.0 & NO_EXECUTE == 0 {
            bits |= Protection::EXECUTE.bits();
        }
        Protection::from_bits_truncate(bits)
    }

    /// Reads an entry that is not present the way Windows wrote it.
    ///
    /// Corresponds to `_MMPTE_TRANSITION`, `_MMPTE_PROTOTYPE` and `_MMPTE_SOFTWARE`.
    pub fn absent(self, layout: Option<&SoftwarePte>) -> Absent {
        if self.0 == 0 {
            return Absent::Fault(FaultKind::NotMapped);
        }
        let Some(layout) = layout else {
            return Absent::Fault(match self.0 & (PROTOTYPE | TRANSITION) {
                0 => FaultKind::NotMapped,
                TRANSITION => FaultKind::Transition,
                _ => FaultKind::Prototype,
            });
        };
        let entry = layout.unswizzle(self.0);
        if entry & PROTOTYPE != 0 {
            return Absent::Prototype(layout.prototype(entry));
        }
        if entry & TRANSITION != 0 {
            return Absent::Transition(Pa(entry & TRANSITION_FRAME));
        }
        let offset = entry.wrapping_shr(layout.pagefile_high_bit.into()) & 0xffff_ffff;
        if offset == 0 {
            return Absent::Fault(FaultKind::DemandZero);
        }
        let number = (entry.wrapping_shr(layout.pagefile_low_bit.into()) & 0xf) as u8;
        if layout.virtual_store == Some(number) {
            return Absent::Fault(FaultKind::Compressed);
        }
        Absent::Fault(FaultKind::Pagefile {
            number,
            // At most 32 + 12 bits.
            offset: offset << 12,
        })
    }
}

impl SoftwarePte {
    /// Undoes what Windows does to absent entries against L1TF: unless the
    /// swizzle bit says otherwise, the bits of the mask were set on top.
    fn unswizzle(&self, entry: u64) -> u64 {
        match self.swizzle_bit {
            Some(bit) if entry.wrapping_shr(bit.into()) & 1 == 0 => entry & !self.invalid_mask,
            _ => entry,
        }
    }

    /// Address of the prototype entry: the sign-extended bits above the lowest one.
    const fn prototype(&self, entry: u64) -> Va {
        Va((entry as i64).wrapping_shr(self.prototype_low_bit as u32) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: SoftwarePte = SoftwarePte {
        invalid_mask: 0x2000_0000_0000,
        swizzle_bit: Some(4),
        pagefile_low_bit: 12,
        pagefile_high_bit: 32,
        prototype_low_bit: 16,
        virtual_store: Some(2),
    };

    #[test]
    fn large_frames_drop_the_pat_bit() {
        let pte = Pte(0x8000_0001_2345_7083 | 1 << 12);
        assert_eq!(pte.frame(21), Pa(0x1_2340_0000));
        assert_eq!(pte.frame(30), Pa(0x1_0000_0000));
    }

    #[test]
    fn transition_frames_are_unswizzled() {
        let swizzled = Pte(0x2000_0123_4000 | TRANSITION);
        assert_eq!(
            swizzled.absent(Some(&LAYOUT)),
            Absent::Transition(Pa(0x0123_4000))
        );
        let plain = Pte(0x2000_0123_4000 | TRANSITION | 1 << 4);
        assert_eq!(
            plain.absent(Some(&LAYOUT)),
            Absent::Transition(Pa(0x2000_0123_4000))
        );
        assert_eq!(swizzled.absent(None), Absent::Fault(FaultKind::Transition));
    }

    #[test]
    fn software_forms_are_told_apart() {
        let kind = |entry: u64| match Pte(entry).absent(Some(&LAYOUT)) {
            Absent::Fault(kind) => kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind(0), FaultKind::NotMapped);
        assert_eq!(kind(0x2000_0000_0080), FaultKind::DemandZero);
        assert_eq!(
            kind(0x2000_0000_0000 | 0x42 << 32 | 3 << 12 | 0x80),
            FaultKind::Pagefile {
                number: 3,
                offset: 0x42000
            }
        );
        let compressed = 0x2000_0000_0000 | 0x42 << 32 | 2 << 12 | 0x80;
        assert_eq!(kind(compressed), FaultKind::Compressed);
    }

    #[test]
    fn prototype_addresses_are_sign_extended() {
        let entry = Pte(0xc48a_3400_1238_0000 | PROTOTYPE | TRANSITION | 1 << 4);
        assert_eq!(
            entry.absent(Some(&LAYOUT)),
            Absent::Prototype(Va(0xffff_c48a_3400_1238))
        );
        assert_eq!(entry.absent(None), Absent::Fault(FaultKind::Prototype));
    }
}
