//! Cores of Xen (`xl dump-core`): pages and their frame numbers in two sections.

use super::{
    FORMAT,
    file::{Core, Extent},
    notes::{Note, Notes},
    xen_vcpu,
};
use crate::{
    core::{PAGE_SIZE, bytes::u64_at},
    driver::{
        file::ImageFile,
        image::SavedRegisters,
        segments::{Segment, SegmentTable},
    },
    error::{Error, Result},
};

/// Name of the notes.
const NOTE: &[u8] = b"Xen";
/// `XEN_ELFNOTE_DUMPCORE_HEADER`.
const NOTE_HEADER: u32 = 0x200_0001;
/// `xch_magic` of a fully virtualised guest (`XC_CORE_MAGIC_HVM`).
const MAGIC_HVM: u64 = 0xf00f_ebee;
/// `xch_magic` of a paravirtualised one (`XC_CORE_MAGIC`).
const MAGIC_PV: u64 = 0xf00f_ebed;
/// Most processors that are believed.
const PROCESSORS_MAX: u64 = 4096;
/// Frame numbers that are read at once.
const CHUNK: u64 = 1 << 16;

/// A Xen core's `xen_dumpcore_elfnote_header_desc`.
pub struct XenCore {
    processors: u64,
    pages: u64,
}

impl XenCore {
    /// The header of `core`, `None` when it is not one of Xen.
    pub fn read(file: &ImageFile, core: &Core) -> Result<Option<Self>> {
        let Some(notes) = core.section(b".note.Xen") else {
            return Ok(None);
        };
        let notes = Notes::read(file, notes)?;
        let header = notes
            .iter()
            .find(|note| note.name == NOTE && note.kind == NOTE_HEADER);
        header.map(|note| Self::parse(&note)).transpose()
    }

    fn parse(note: &Note) -> Result<Self> {
        let field = |offset| u64_at(note.bytes, offset).unwrap_or_default();
        let (magic, processors, pages, page_size) =
            (field(0x00), field(0x08), field(0x10), field(0x18));
        match magic {
            MAGIC_HVM => {}
            MAGIC_PV => return Err(damaged("the core of a paravirtualised guest")),
            _ => return Err(damaged(format!("damaged: magic number {magic:#x}"))),
        }
        if page_size != PAGE_SIZE || processors > PROCESSORS_MAX {
            return Err(damaged(format!(
                "damaged: {processors} processors, pages of {page_size} bytes"
            )));
        }
        Ok(Self { processors, pages })
    }

    /// Number of virtual processors.
    pub fn processors(&self) -> u16 {
        self.processors as u16
    }

    /// The pages of `.xen_pages`, at the frames that `.xen_pfn` names in any order.
    pub fn memory(&self, file: &ImageFile, core: &Core) -> Result<SegmentTable> {
        let missing = |name| damaged(format!("damaged: no section {name}"));
        let frames = core
            .section(b".xen_pfn")
            .ok_or_else(|| missing(".xen_pfn"))?;
        let pages = core.section(b".xen_pages");
        let pages = pages.ok_or_else(|| missing(".xen_pages"))?;
        let count = self
            .pages
            .min(frames.length / 8)
            .min(pages.length.min(file.len()) / PAGE_SIZE);
        let segments = segments(file, frames, pages.offset, count)?;
        Ok(SegmentTable::new(segments, file.len()))
    }

    /// Registers from `.xen_prstatus`, an array of `vcpu_guest_context_t`.
    pub fn registers(&self, file: &ImageFile, core: &Core) -> SavedRegisters {
        let contexts = core.section(b".xen_prstatus");
        let size = |extent: Extent| extent.length.checked_div(self.processors);
        let saved = (0..self.processors).map(|vcpu| {
            let contexts = contexts?;
            let start = vcpu.checked_mul(size(contexts)?)?;
            let mut context = [0; xen_vcpu::SIZE];
            if size(contexts)? < context.len() as u64 {
                return None;
            }
            file.read(contexts.offset.checked_add(start)?, &mut context)
                .ok()?;
            Some(xen_vcpu::registers(&context))
        });
        SavedRegisters(saved.collect())
    }
}

/// Segments of the `count` frames listed at `frames`, whose pages begin at `pages`.
fn segments(file: &ImageFile, frames: Extent, pages: u64, count: u64) -> Result<Vec<Segment>> {
    let mut segments: Vec<Segment> = Vec::new();
    let mut index = 0_u64;
    while index < count {
        let chunk = CHUNK.min(count.saturating_sub(index));
        let at = frames.offset.saturating_add(index.saturating_mul(8));
        let list = file.load(FORMAT.name, ".xen_pfn section", at, chunk.saturating_mul(8))?;
        for &frame in list.as_chunks::<8>().0 {
            let offset = pages.saturating_add(index.saturating_mul(PAGE_SIZE));
            push(&mut segments, u64::from_le_bytes(frame), offset);
            index = index.saturating_add(1);
        }
    }
    Ok(segments)
}

/// Appends a page, as part of the last segment where it continues it.
fn push(segments: &mut Vec<Segment>, frame: u64, offset: u64) {
    // All ones and other impossible numbers stand for pages that are gone.
    let Some(start) = frame.checked_mul(PAGE_SIZE) else {
        return;
    };
    match segments.last_mut() {
        Some(last)
            if last.start.checked_add(last.length) == Some(start)
                && last.offset.checked_add(last.length) == Some(offset) =>
        {
            last.length = last.length.saturating_add(PAGE_SIZE);
        }
        _ => segments.push(Segment {
            start,
            length: PAGE_SIZE,
            offset,
        }),
    }
}

fn damaged(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::format(FORMAT.name, reason)
}
