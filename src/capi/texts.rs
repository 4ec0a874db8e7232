//! Texts that an iterator lends out until its next call.

use std::{borrow::Cow, cell::Cell, ffi::c_char, mem};

use crate::{error::Result, os::windows::ObjectKind};

/// Bytes of a block; a longer text has its own.
const BLOCK: usize = 16 << 10;

/// A lent text: its address and its length in bytes.
pub type Lent = (*const c_char, usize);

/// Lent UTF-16 units: their address and their number.
pub type LentUnits = (*const u16, usize);

/// Texts side by side, each with a terminator. They stay where they are; the cells
/// allow more to be added while the host reads those that are there.
struct Block {
    bytes: Box<[Cell<u8>]>,
    used: usize,
}

impl Block {
    fn new(size: usize) -> Self {
        Self {
            bytes: vec![Cell::new(0); size].into_boxed_slice(),
            used: 0,
        }
    }

    /// Adds a text without NULs; `None` when there is no room.
    fn add(&mut self, text: &str) -> Option<Lent> {
        let end = self.used.checked_add(text.len())?;
        let place = self.bytes.get(self.used..=end)?;
        let (terminator, cells) = place.split_last()?;
        // Slices of one length: the loop is a copy.
        for (cell, byte) in cells.iter().zip(text.as_bytes()) {
            cell.set(*byte);
        }
        terminator.set(0);
        self.used = end.saturating_add(1);
        Some((place.as_ptr().cast(), text.len()))
    }
}

/// Texts are short and have no NUL: eight bytes at a time, all of them.
fn has_nul(text: &[u8]) -> bool {
    const LOWEST: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = text.as_chunks::<8>();
    let words = words.iter().map(|&word| u64::from_ne_bytes(word));
    // Some highest bit is left exactly when some byte is zero.
    let zeros = words.fold(0, |found, word| {
        found | word.wrapping_sub(LOWEST) & !word & LOWEST << 7
    });
    zeros != 0 || rest.contains(&0)
}

/// The texts of one call.
#[derive(Default)]
pub struct Texts {
    /// The first is kept from call to call.
    blocks: Vec<Block>,
    /// Names of object types, which come again and again, by kind.
    type_names: Vec<(ObjectKind, Block)>,
    /// Texts as the guest has them.
    units: Vec<Box<[u16]>>,
    /// What is read at the moment; kept for its room.
    scratch: String,
}

impl Texts {
    /// Takes back what was lent out.
    pub fn clear(&mut self) {
        self.blocks.truncate(1);
        if let Some(first) = self.blocks.first_mut() {
            first.used = 0;
        }
        self.units.clear();
    }

    /// Lends out `text`. C text has no NUL inside: U+FFFD stands for each.
    pub fn keep(&mut self, text: impl AsRef<str>) -> Lent {
        let text = text.as_ref();
        let text = match has_nul(text.as_bytes()) {
            false => Cow::Borrowed(text),
            true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        };
        if let Some(lent) = self.blocks.last_mut().and_then(|last| last.add(&text)) {
            return lent;
        }
        let size = text.len().saturating_add(1).max(BLOCK);
        self.blocks.push(Block::new(size));
        let lent = self.blocks.last_mut().and_then(|last| last.add(&text));
        lent.unwrap_or((c"".as_ptr(), 0))
    }

    /// Lends out what `read` appends to an empty text.
    pub fn read(&mut self, read: impl FnOnce(&mut String) -> Result<()>) -> Result<Lent> {
        let mut text = mem::take(&mut self.scratch);
        text.clear();
        let lent = read(&mut text).map(|()| self.keep(&text));
        self.scratch = text;
        lent
    }

    /// Lends out UTF-16 units as they are.
    pub fn keep_units(&mut self, units: impl Into<Box<[u16]>>) -> LentUnits {
        let units = units.into();
        let lent = (units.as_ptr(), units.len());
        // The box moves, what is in it does not.
        self.units.push(units);
        lent
    }

    /// Lends out the name of a known type of objects.
    pub fn type_name(&mut self, kind: ObjectKind) -> Option<Lent> {
        let known = self.type_names.iter().find(|(it, _)| *it == kind);
        if let Some((_, name)) = known {
            return Some((name.bytes.as_ptr().cast(), name.used.saturating_sub(1)));
        }
        let name = kind.name()?;
        let mut block = Block::new(name.len().saturating_add(1));
        let lent = block.add(name)?;
        self.type_names.push((kind, block));
        Some(lent)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn a_nul_is_found_wherever_it_is() {
        for length in 0..40 {
            for filler in [1, 0x80, 0xff] {
                let mut text = vec![filler; length];
                assert!(!has_nul(&text));
                for at in 0..length {
                    text[at] = 0;
                    assert!(has_nul(&text));
                    text[at] = filler;
                }
            }
        }
    }

    fn text(lent: Lent) -> String {
        // SAFETY: each test reads what it was lent before it takes it back.
        let text = unsafe { CStr::from_ptr(lent.0) };
        assert_eq!(text.count_bytes(), lent.1);
        text.to_string_lossy().into_owned()
    }

    #[test]
    fn texts_stay_until_they_are_taken_back() {
        let mut texts = Texts::default();
        let long = "x".repeat(BLOCK);
        let nul = format!("{long}\0{long}");
        let written = ["", "ntoskrnl.exe", &long, "a\0b", "Größe", &nul];
        for _ in 0..3 {
            let lent: Vec<_> = (0..2000)
                .map(|i| texts.keep(written[i % written.len()]))
                .collect();
            for (i, lent) in lent.into_iter().enumerate() {
                let expected = written[i % written.len()].replace('\0', "\u{fffd}");
                assert_eq!(text(lent), expected);
            }
            texts.clear();
        }
    }
}
