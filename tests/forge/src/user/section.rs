//! Sections: what mapped regions map. A section is made once and mapped often.

use crate::guest::Guest;
use crate::memory::PAGE_SIZE;
use crate::object::file::FileSpec;
use crate::paging::PteFlags;

/// Device that all files of sections are on.
const VOLUME: &str = "\\Device\\HarddiskVolume2";
/// References that a fast reference holds in its low bits.
const FAST_REFERENCES: u64 = 0x7;

/// A section.
#[derive(Clone, Debug)]
pub struct Section {
    /// Address of the first `_SUBSECTION`.
    pub subsection: u64,
    /// Address of the `_CONTROL_AREA`.
    pub control_area: u64,
    /// Path of the file, `None` for memory backed by the page file.
    pub path: Option<String>,
    /// Physical addresses of the pages.
    pub pages: Vec<u64>,
    /// Address of the first prototype entry.
    pub prototypes: u64,
}

impl Guest {
    /// Makes a section: of an image or a data file when there is a path (on the system volume,
    /// without the device), else of memory backed by the page file. All its pages are resident.
    pub fn create_section(
        &mut self,
        path: Option<&str>,
        is_image: bool,
        content: &[u8],
    ) -> Section {
        let file = path.map(|path| self.create_mapped_file(path));
        let pages: Vec<u64> = content
            .chunks(PAGE_SIZE as usize)
            .map(|page| self.place_page(page))
            .collect();
        let prototypes = self.place_prototypes(&pages);
        let segment = self.allocate(self.profile.size_of("_SEGMENT"));
        let area_size = self.profile.size_of("_CONTROL_AREA");
        let control_area = self.allocate(area_size + self.profile.size_of("_SUBSECTION"));
        let subsection = control_area + area_size;
        let size = pages.len() as u64 * PAGE_SIZE;

        let mut record = self.record("_SEGMENT");
        record
            .set("ControlArea", control_area)
            .set("TotalNumberOfPtes", pages.len() as u64)
            .set("SizeOfSegment", size)
            .set("PrototypePte", prototypes);
        self.write_record(segment, &record);

        let mut record = self.record("_CONTROL_AREA");
        record
            .set("Segment", segment)
            .set("NumberOfSectionReferences", 1)
            .set("u.Flags.Image", is_image.into())
            .set("u.Flags.File", file.is_some().into())
            .set("u.Flags.Commit", file.is_none().into())
            .set("FilePointer", file.map_or(0, |file| file | FAST_REFERENCES));
        self.write_record(control_area, &record);

        let mut record = self.record("_SUBSECTION");
        record
            .set("ControlArea", control_area)
            .set("SubsectionBase", prototypes)
            .set("PtesInSubsection", pages.len() as u64);
        self.write_record(subsection, &record);
        Section {
            subsection,
            control_area,
            path: path.map(|path| format!("{VOLUME}{path}")),
            pages,
            prototypes,
        }
    }

    /// Leaves a page of a section in its file: its prototype entry names the part of the file.
    pub fn leave_in_file(&mut self, section: &Section, page: u32) {
        let subsection = section.subsection & 0xffff_ffff_ffff;
        let fields = [("Prototype", 1), ("SubsectionAddress", subsection)];
        let entry = self.absent_entry("_MMPTE_SUBSECTION", &fields, false);
        self.write_u64(section.prototypes + u64::from(page) * 8, entry);
    }

    fn create_mapped_file(&mut self, path: &str) -> u64 {
        let device = self.system_volume();
        self.create_file(&FileSpec {
            device,
            name: path,
            related: 0,
            access: (true, false, false),
            flags: 0x4_4042,
        })
    }

    fn system_volume(&mut self) -> u64 {
        if let Some(device) = self.lookup(VOLUME) {
            return device;
        }
        const DISK: u32 = 7;
        let driver = self.create_driver("\\Driver\\volmgr");
        self.create_device(VOLUME, driver, DISK)
    }

    fn place_page(&mut self, content: &[u8]) -> u64 {
        let pa = self.frames.frame();
        self.memory.write(pa, &[0; PAGE_SIZE as usize]);
        self.memory.write(pa, content);
        pa
    }

    /// Prototype entries of resident pages are hardware entries.
    fn place_prototypes(&mut self, pages: &[u64]) -> u64 {
        let va = self.allocate(pages.len() as u64 * 8);
        for (index, page) in pages.iter().enumerate() {
            let entry = page | (PteFlags::PRESENT | PteFlags::ACCESSED).bits();
            self.write_u64(va + index as u64 * 8, entry);
        }
        va
    }
}
