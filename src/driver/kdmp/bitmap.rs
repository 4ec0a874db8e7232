//! Bitmap dumps: one bit per frame behind the header, then the frames whose bits
//! are set, in order.
//!
//! The file offset of a frame is a rank: bits set before its own. Each 64 bits
//! are kept beside the number of bits set before them, so a look-up touches one
//! cache line and opening costs one pass over the bitmap.

use super::{FORMAT, header::HEADER_SIZE};
use crate::{
    core::{
        PAGE_SIZE, Pa,
        bytes::{u32_at, u64_at},
        driver::Run,
    },
    driver::{
        file::ImageFile,
        image::{Layout, Piece},
    },
    error::{Error, Result},
};

/// Most frames that a bitmap is believed to describe: 16 TiB of memory.
const FRAMES_MAX: u64 = 1 << 32;
/// Bytes of the bitmap that are read at once, a multiple of 8.
const CHUNK: u64 = 1 << 16;

/// 64 frames.
#[derive(Clone, Copy)]
struct Word {
    /// Bit n: frame n of these is present.
    bits: u64,
    /// Frames present before these.
    before: u64,
}

impl Word {
    /// The word without all but its first `count` present frames.
    fn keep(self, count: u64) -> Self {
        let mut bits = self.bits;
        while u64::from(bits.count_ones()) > count {
            let highest = 63_u32.saturating_sub(bits.leading_zeros());
            bits &= !1_u64.wrapping_shl(highest);
        }
        Self { bits, ..self }
    }
}

/// Where the parts of a bitmap dump lie.
struct Parts {
    /// File offset of the bitmap.
    bitmap: u64,
    /// Bits in it.
    frames: u64,
    /// File offset of the first page.
    first_page: u64,
    /// Pages that the header counts.
    present: u64,
}

/// The frames of a bitmap dump.
pub struct Bitmap {
    words: Vec<Word>,
    first_page: u64,
    present: u64,
}

/// The bitmap behind a header `SDMP` or `FDMP`, as Windows 8 and later write it.
pub fn read(file: &ImageFile) -> Result<Bitmap> {
    let header = file.load(FORMAT.name, "bitmap header", HEADER_SIZE, 0x38)?;
    check_signature(&header)?;
    let u64 = |offset| u64_at(&header, offset).unwrap_or_default();
    let parts = Parts {
        bitmap: HEADER_SIZE.saturating_add(0x38),
        first_page: u64(0x20),
        present: u64(0x28),
        frames: u64(0x30),
    };
    parts.check(file)?;
    Bitmap::new(&parts, file)
}

/// The bitmap of a `_SUMMARY_DUMP64` with 32-bit fields, as older Windows write it.
pub fn read_summary(file: &ImageFile) -> Result<Bitmap> {
    let header = file.load(FORMAT.name, "summary header", HEADER_SIZE, 0x28)?;
    check_signature(&header)?;
    let u32 = |offset| u32_at(&header, offset).unwrap_or_default().into();
    let parts = Parts {
        bitmap: HEADER_SIZE.saturating_add(0x28),
        // `HeaderSize`, `Pages`, `BitmapSize`
        first_page: u32(0x0c),
        present: u32(0x14),
        frames: u32(0x10),
    };
    parts.check(file)?;
    let bitmap = Bitmap::new(&parts, file)?;
    if bitmap.present != parts.present {
        let Parts { present, .. } = parts;
        let found = bitmap.present;
        return Err(damaged(format!(
            "{found} pages present instead of {present}"
        )));
    }
    Ok(bitmap)
}

fn check_signature(header: &[u8]) -> Result<()> {
    match header.get(..8) {
        Some(b"SDMPDUMP" | b"FDMPDUMP") => Ok(()),
        _ => Err(damaged(
            "no SDMP, FDMP or RDMP header behind the first".into(),
        )),
    }
}

fn damaged(reason: String) -> Error {
    Error::format(FORMAT.name, format!("damaged: {reason}"))
}

impl Parts {
    fn bitmap_end(&self) -> u64 {
        self.bitmap.saturating_add(self.frames.div_ceil(8))
    }

    fn check(&self, file: &ImageFile) -> Result<()> {
        let Self {
            frames, present, ..
        } = *self;
        if frames == 0 || frames > FRAMES_MAX || present > frames {
            return Err(damaged(format!(
                "a bitmap of {frames} bits, {present} of them set"
            )));
        }
        if self.first_page < self.bitmap_end() || self.first_page > file.len() {
            let first = self.first_page;
            return Err(damaged(format!("the first page at offset {first:#x}")));
        }
        Ok(())
    }
}

impl Bitmap {
    fn new(parts: &Parts, file: &ImageFile) -> Result<Self> {
        let in_file = file.len().saturating_sub(parts.first_page) / PAGE_SIZE;
        let mut bitmap = Self {
            words: Vec::with_capacity(parts.frames.div_ceil(64) as usize),
            first_page: parts.first_page,
            present: 0,
        };
        let mut at = parts.bitmap;
        while at < parts.bitmap_end() {
            let length = CHUNK.min(parts.bitmap_end().saturating_sub(at));
            let mut chunk = file.load(FORMAT.name, "bitmap", at, length)?;
            chunk.resize(chunk.len().next_multiple_of(8), 0);
            for &word in chunk.as_chunks::<8>().0 {
                bitmap.push(u64::from_le_bytes(word), in_file);
            }
            at = at.saturating_add(length);
        }
        bitmap.forget_from(parts.frames);
        Ok(bitmap)
    }

    /// Appends 64 frames, of which the file holds `in_file` less those before.
    fn push(&mut self, bits: u64, in_file: u64) {
        let before = self.present;
        let word = Word { bits, before }.keep(in_file.saturating_sub(before));
        self.present = before.saturating_add(word.bits.count_ones().into());
        self.words.push(word);
    }

    /// Clears the padding behind the last frame.
    fn forget_from(&mut self, frames: u64) {
        let used = frames % 64;
        if let Some(last) = self.words.last_mut().filter(|_| used != 0) {
            let padding = last.bits & u64::MAX.wrapping_shl(used as u32);
            last.bits &= !padding;
            self.present = self.present.saturating_sub(padding.count_ones().into());
        }
    }

    /// First frame at or after `from` whose bit is `present`, among those of the bitmap.
    fn find(&self, from: u64, present: bool) -> Option<u64> {
        let flip = if present { 0 } else { u64::MAX };
        let mut hidden = u64::MAX.wrapping_shl((from % 64) as u32);
        let words = self.words.get((from / 64) as usize..)?;
        for (index, word) in (from / 64..).zip(words) {
            let candidates = (word.bits ^ flip) & hidden;
            if candidates != 0 {
                let bit = u64::from(candidates.trailing_zeros());
                return index.checked_mul(64)?.checked_add(bit);
            }
            hidden = u64::MAX;
        }
        None
    }
}

impl Layout for Bitmap {
    #[inline]
    fn piece(&self, pa: Pa) -> Option<Piece> {
        let frame = pa.gfn().0;
        let word = self.words.get((frame / 64) as usize)?;
        let bit = 1_u64.wrapping_shl((frame % 64) as u32);
        if word.bits & bit == 0 {
            return None;
        }
        let below = word.bits & bit.wrapping_sub(1);
        let rank = word.before.wrapping_add(below.count_ones().into());
        let page = self.first_page.wrapping_add(rank.wrapping_mul(PAGE_SIZE));
        Some(Piece {
            offset: page.wrapping_add(pa.page_offset()),
            length: pa.left_in_page(),
        })
    }

    fn next_run(&self, from: Pa) -> Option<Run> {
        let first = self.find(from.gfn().0, true)?;
        let frames = (self.words.len() as u64).saturating_mul(64);
        let end = self.find(first, false).unwrap_or(frames);
        Some(Run {
            start: first.checked_mul(PAGE_SIZE)?,
            length: end.checked_sub(first)?.checked_mul(PAGE_SIZE)?,
        })
    }

    fn size(&self) -> u64 {
        self.present.saturating_mul(PAGE_SIZE)
    }
}
