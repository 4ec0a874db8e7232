//! Page-table entries of pages that are not mapped: transition, page file, demand zero,
//! prototype.

use crate::expected::{ExpectedPage, PageKind};
use crate::guest::Guest;
use crate::kernel::globals::INVALID_PTE_MASK;
use crate::memory::PAGE_SIZE;
use crate::paging::{self, PageSize};
use crate::record;

/// Memory-manager protection: read and write.
const READ_WRITE: u64 = 4;

impl Guest {
    /// Places a page whose content is in a frame on the standby or modified list. With
    /// `swizzled`, the entry's swizzle bit is clear and the invalid-entry mask is mixed in.
    pub fn place_transition_page(&mut self, process: u64, va: u64, content: &[u8], swizzled: bool) {
        let pa = self.frames.frame();
        self.memory.write(pa, content);
        let value = self.absent_entry(
            "_MMPTE_TRANSITION",
            &[
                ("Transition", 1),
                ("Protection", READ_WRITE),
                ("PageFrameNumber", pa / PAGE_SIZE),
            ],
            swizzled,
        );
        self.write_user_entry(process, va, value);
        self.expect_page(process, va, Some(pa), PageKind::Transition, content);
    }

    /// Places a page whose content is in a page file.
    pub fn place_page_file_page(
        &mut self,
        process: u64,
        va: u64,
        file: u8,
        offset: u64,
        swizzled: bool,
    ) {
        let value = self.absent_entry(
            "_MMPTE_SOFTWARE",
            &[
                ("Protection", READ_WRITE),
                ("PageFileLow", file.into()),
                ("PageFileHigh", offset),
            ],
            swizzled,
        );
        self.write_user_entry(process, va, value);
        self.expect_page(process, va, None, PageKind::PageFile { file, offset }, &[]);
    }

    /// Places a page that reads as zero when touched.
    pub fn place_demand_zero_page(&mut self, process: u64, va: u64) {
        let value = self.absent_entry("_MMPTE_SOFTWARE", &[("Protection", READ_WRITE)], false);
        self.write_user_entry(process, va, value);
        self.expect_page(process, va, None, PageKind::DemandZero, &[]);
    }

    /// Places a page described by a prototype entry at a kernel address.
    pub fn place_prototype_page(&mut self, process: u64, va: u64, prototype: u64) {
        let value = self.absent_entry(
            "_MMPTE_PROTOTYPE",
            &[
                ("Prototype", 1),
                ("Protection", READ_WRITE),
                ("ProtoAddress", prototype & 0xffff_ffff_ffff),
            ],
            false,
        );
        self.write_user_entry(process, va, value);
        self.expect_page(process, va, None, PageKind::Prototype, &[]);
    }

    /// An entry that is not present, by the members of one of its forms (`_MMPTE_SOFTWARE`,
    /// ...). With `swizzled`, its swizzle bit is clear and the invalid-entry mask is mixed in.
    pub fn absent_entry(&self, structure: &str, fields: &[(&str, u64)], swizzled: bool) -> u64 {
        let mut bytes = [0; 8];
        for (name, value) in fields {
            record::insert(&mut bytes, self.profile.field(structure, name), *value);
        }
        self.swizzle(u64::from_le_bytes(bytes), swizzled)
    }

    /// An entry whose number is stored as it is says so by a set swizzle bit; an entry without
    /// a number needs neither.
    fn swizzle(&self, value: u64, swizzled: bool) -> u64 {
        let swizzle = self.profile.field("_MMPTE_SOFTWARE", "SwizzleBit");
        let has_number = value >> 12 != 0;
        let mut bytes = value.to_le_bytes();
        if has_number && !swizzled {
            record::insert(&mut bytes, swizzle, 1);
        }
        let value = u64::from_le_bytes(bytes);
        if swizzled {
            return value | INVALID_PTE_MASK;
        }
        value
    }

    /// Writes the page-table entry of an address of a process.
    pub fn write_user_entry(&mut self, process: u64, va: u64, value: u64) {
        let root = self.processes[&process].root;
        let address = paging::entry(
            &mut self.memory,
            &mut self.frames,
            root,
            va,
            PageSize::Small,
        );
        self.memory.write_u64(address, value);
        self.share_user_entries(process);
    }

    fn expect_page(
        &mut self,
        process: u64,
        va: u64,
        pa: Option<u64>,
        kind: PageKind,
        content: &[u8],
    ) {
        self.expected.pages.push(ExpectedPage {
            process,
            va,
            pa,
            size: PageSize::Small,
            kind,
            content: content.to_vec(),
            user: true,
            writable: true,
            executable: false,
        });
    }
}
