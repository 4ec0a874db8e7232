//! `_SECTION` and, on older systems, `_SECTION_OBJECT`: shared memory and mapped files.

use isr::macros::{Bitfield, Field};

use super::{FileObject, Object};
use crate::{
    core::{PAGE_SIZE, Va},
    error::{Error, Result},
    os::windows::{
        Record, Windows,
        layouts::missing,
        region::{ControlArea, SectionFlags},
    },
};

mod modern {
    use super::{Bitfield, Field};

    isr::macros::offsets! {
        /// Windows 10 and later: pages by number, one union of pointers.
        pub struct Layout {
            struct _SECTION {
                StartingVpn: Field,
                EndingVpn: Field,
                SizeOfSection: Field,
                ControlArea: Field,
                u: Field,
            }

            struct _MMSECTION_FLAGS {
                File: Bitfield,
            }
        }
    }
}

mod old {
    use super::Field;

    isr::macros::offsets! {
        /// Windows 7 and 8.1: addresses, and a segment.
        pub struct Layout {
            struct _SECTION_OBJECT {
                StartingVa: Field,
                EndingVa: Field,
                Segment: Field,
            }

            struct _SEGMENT_OBJECT {
                ControlArea: Field,
            }

            struct _SEGMENT {
                ControlArea: Field,
            }
        }
    }
}

/// Where the fields of a section are, by the structure that the symbols have.
pub(super) enum Layout {
    Modern(modern::Layout),
    Old(old::Layout),
}

impl Layout {
    pub(super) fn new(profile: &isr::Profile<'_>) -> Result<Self> {
        match modern::Layout::new(profile) {
            Ok(layout) => Ok(Self::Modern(layout)),
            Err(_) => old::Layout::new(profile).map(Self::Old).map_err(missing),
        }
    }
}

/// Set in a pointer to the file of a section whose control area is elsewhere
/// (`RemoteImageFileObject`, `RemoteDataFileObject`).
const REMOTE_FILE: u64 = 3;

/// What a section's memory belongs to.
enum Backing<'a> {
    ControlArea(ControlArea<'a>),
    RemoteFile(Va),
}

/// A section.
#[derive(Clone, Copy)]
pub struct SectionObject<'a> {
    windows: &'a Windows,
    record: Record<'a>,
}

impl<'a> SectionObject<'a> {
    /// The section whose `_SECTION` (`_SECTION_OBJECT`) is at `object`.
    pub fn new(windows: &'a Windows, object: Va) -> Self {
        Self {
            windows,
            record: windows.record(object),
        }
    }

    fn layout(&self) -> &'a Layout {
        &self.windows.layouts.object.section
    }

    /// The section as an object.
    pub fn object(&self) -> Object<'a> {
        Object::new(self.windows, self.record.base())
    }

    /// First address of a section that is mapped at one place in all processes, else 0.
    /// Corresponds to `_SECTION.StartingVpn` or `_SECTION_OBJECT.StartingVa`.
    pub fn start(&self) -> Result<Va> {
        match self.layout() {
            Layout::Modern(layout) => self.page_address(layout._SECTION.StartingVpn, 0),
            Layout::Old(layout) => self.record.pointer(layout._SECTION_OBJECT.StartingVa),
        }
    }

    /// First address after a section that is mapped at one place in all processes.
    /// Corresponds to `_SECTION.EndingVpn` or `_SECTION_OBJECT.EndingVa`.
    pub fn end(&self) -> Result<Va> {
        match self.layout() {
            Layout::Modern(layout) => self.page_address(layout._SECTION.EndingVpn, 1),
            Layout::Old(layout) => self.record.pointer(layout._SECTION_OBJECT.EndingVa),
        }
    }

    fn page_address(&self, page: Field, pages_after: u64) -> Result<Va> {
        let number = self.record.uint(page)?.wrapping_add(pages_after);
        Ok(Va(number.wrapping_mul(PAGE_SIZE)))
    }

    /// Size in bytes. Corresponds to `_SECTION.SizeOfSection`, on older systems
    /// to `_SEGMENT.SizeOfSegment`.
    pub fn size(&self) -> Result<u64> {
        match self.layout() {
            Layout::Modern(layout) => self.record.uint(layout._SECTION.SizeOfSection),
            Layout::Old(_) => self.required_control_area()?.size(),
        }
    }

    /// Properties. Corresponds to `_CONTROL_AREA.u.Flags`.
    pub fn flags(&self) -> Result<SectionFlags> {
        self.required_control_area()?.flags()
    }

    fn required_control_area(&self) -> Result<ControlArea<'a>> {
        let control_area = self.control_area()?;
        control_area.ok_or_else(|| Error::not_found("the section's control area"))
    }

    /// What the section's pages belong to, `None` for files of another machine.
    pub fn control_area(&self) -> Result<Option<ControlArea<'a>>> {
        Ok(match self.backing()? {
            Some(Backing::ControlArea(control_area)) => Some(control_area),
            _ => None,
        })
    }

    /// The file that is mapped, `None` for memory backed by the page file.
    pub fn file(&self) -> Result<Option<FileObject<'a>>> {
        let file = match self.backing()? {
            Some(Backing::ControlArea(control_area)) => control_area.file_object()?,
            Some(Backing::RemoteFile(file)) => Some(file),
            None => None,
        };
        Ok(file.map(|file| FileObject::new(self.windows, file)))
    }

    fn backing(&self) -> Result<Option<Backing<'a>>> {
        match self.layout() {
            Layout::Modern(layout) => self.modern_backing(layout),
            Layout::Old(layout) => self.old_backing(layout),
        }
    }

    /// Sections of files whose control area is elsewhere point at the file.
    fn modern_backing(&self, layout: &modern::Layout) -> Result<Option<Backing<'a>>> {
        let pointer = self.record.pointer(layout._SECTION.ControlArea)?;
        let flags = self.record.embedded(layout._SECTION.u);
        let is_file = flags.bits(layout._MMSECTION_FLAGS.File)? != 0;
        if is_file && pointer.0 & REMOTE_FILE != 0 {
            return Ok(Some(Backing::RemoteFile(Va(pointer.0 & !REMOTE_FILE))));
        }
        Ok(self.control_area_at(pointer))
    }

    /// The symbols declare the pointer as one to a `_SEGMENT_OBJECT`; what lies
    /// there in a running system is a `_SEGMENT`, whose control area points back.
    fn old_backing(&self, layout: &old::Layout) -> Result<Option<Backing<'a>>> {
        let segment = self.record.pointer(layout._SECTION_OBJECT.Segment)?;
        if segment.is_null() {
            return Ok(None);
        }
        let record = self.record.at(segment);
        let real = record.pointer(layout._SEGMENT.ControlArea)?;
        let points_back = ControlArea::new(self.windows, real).segment();
        if points_back.is_ok_and(|back| back == segment) {
            return Ok(self.control_area_at(real));
        }
        let declared = record.pointer(layout._SEGMENT_OBJECT.ControlArea)?;
        Ok(self.control_area_at(declared))
    }

    fn control_area_at(&self, address: Va) -> Option<Backing<'a>> {
        let control_area = ControlArea::new(self.windows, address);
        (!address.is_null()).then_some(Backing::ControlArea(control_area))
    }
}
