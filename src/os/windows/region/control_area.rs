//! `_CONTROL_AREA`: what a mapped region maps.

use bitflags::bitflags;
use isr::macros::{Bitfield, Field};

use crate::{
    core::Va,
    error::Result,
    os::windows::{Record, Windows},
};

isr::macros::offsets! {
    /// Where the fields of a control area are.
    pub struct ControlAreaLayout {
        struct _SUBSECTION {
            ControlArea: Field,
        }

        struct _CONTROL_AREA {
            Segment: Field,
            FilePointer: Field,
            NumberOfMappedViews: Field,
            NumberOfSectionReferences: Field,
            u: Field,
        }

        struct _SEGMENT {
            SizeOfSegment: Field,
        }

        struct _MMSECTION_FLAGS {
            Image: Bitfield,
            Based: Bitfield,
            File: Bitfield,
            PhysicalMemory: Bitfield,
            Reserve: Bitfield,
            Commit: Bitfield,
        }
    }
}

bitflags! {
    /// Properties of a section.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct SectionFlags: u32 {
        /// An executable image.
        const IMAGE = 1 << 0;
        /// At the same address in every process.
        const BASED = 1 << 1;
        /// Backed by a file.
        const FILE = 1 << 2;
        /// Device memory.
        const PHYSICAL = 1 << 3;
        /// Pages are reserved and committed later.
        const RESERVE = 1 << 4;
        /// Pages are committed at once.
        const COMMIT = 1 << 5;
    }
}

/// A control area.
#[derive(Clone, Copy)]
pub struct ControlArea<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> ControlArea<'a> {
    /// The control area at `address`.
    pub fn new(windows: &'a Windows, address: Va) -> Self {
        Self {
            windows,
            record: windows.record(address),
        }
    }

    /// The control area that a subsection belongs to.
    pub(super) fn of_subsection(windows: &'a Windows, subsection: Va) -> Result<Option<Self>> {
        let layout = &windows.layouts.region.control_area;
        let field = layout._SUBSECTION.ControlArea;
        let address = windows.record(subsection).pointer_or_none(field)?;
        Ok(address.map(|address| Self::new(windows, address)))
    }

    fn layout(&self) -> &'a ControlAreaLayout {
        &self.windows.layouts.region.control_area
    }

    /// Address of the `_CONTROL_AREA`.
    pub const fn address(&self) -> Va {
        self.record.base()
    }

    /// Address of the `_FILE_OBJECT`, `None` for memory backed by the page file.
    /// Corresponds to `_CONTROL_AREA.FilePointer`.
    pub fn file_object(&self) -> Result<Option<Va>> {
        self.record
            .fast_reference(self.layout()._CONTROL_AREA.FilePointer)
    }

    /// Address of the `_SEGMENT`. Corresponds to `_CONTROL_AREA.Segment`.
    pub fn segment(&self) -> Result<Va> {
        self.record.pointer(self.layout()._CONTROL_AREA.Segment)
    }

    /// Size in bytes. Corresponds to `_SEGMENT.SizeOfSegment`.
    pub fn size(&self) -> Result<u64> {
        let segment = self.segment()?;
        let field = self.layout()._SEGMENT.SizeOfSegment;
        self.windows.record(segment).uint(field)
    }

    /// Number of views mapped. Corresponds to `_CONTROL_AREA.NumberOfMappedViews`.
    pub fn mapped_views(&self) -> Result<u64> {
        let field = self.layout()._CONTROL_AREA.NumberOfMappedViews;
        self.record.uint(field)
    }

    /// Properties. Corresponds to `_CONTROL_AREA.u.Flags` (`_MMSECTION_FLAGS`).
    pub fn flags(&self) -> Result<SectionFlags> {
        let record = self.record.embedded(self.layout()._CONTROL_AREA.u);
        let at = &self.layout()._MMSECTION_FLAGS;
        let bits = [
            (at.Image, SectionFlags::IMAGE),
            (at.Based, SectionFlags::BASED),
            (at.File, SectionFlags::FILE),
            (at.PhysicalMemory, SectionFlags::PHYSICAL),
            (at.Reserve, SectionFlags::RESERVE),
            (at.Commit, SectionFlags::COMMIT),
        ];
        let mut flags = SectionFlags::empty();
        for (field, flag) in bits {
            flags.set(flag, record.bits(field)? != 0);
        }
        Ok(flags)
    }
}
