//! Mapped regions: prototype entries in every state.

use winvmi::{
    FaultKind,
    core::Va,
    os::windows::{PageContent, Process, Validity},
};
use winvmi_forge::{Backing, Guest, Section};

use super::{AREA, NO_ACCESS, READ_WRITE, assert_invalid, bytes, each_layout, fault, region};

/// The prototype address that says "ask the region".
const ASK_REGION: u64 = 0xffff_ffff_0000;

fn map(guest: &mut Guest, process: u64, start: u64, section: &Section, is_image: bool) {
    let backing = Backing::Section {
        section: section.clone(),
        is_image,
    };
    let pages = section.pages.len() as u64;
    guest.add_region(
        process,
        &region(start, pages, READ_WRITE as u8, false, backing),
    );
}

/// A section of numbered pages.
fn section(guest: &mut Guest, path: Option<&str>, pages: u8) -> Section {
    let content: Vec<u8> = (1..=pages).flat_map(|page| [page; 4096]).collect();
    guest.create_section(path, path.is_some_and(|it| it.ends_with("dll")), &content)
}

/// Replaces the prototype entry of a page.
fn set_prototype(guest: &mut Guest, section: &Section, page: u64, entry: u64) {
    guest.write_u64(section.prototypes + page * 8, entry);
}

fn assert_content(process: &Process<'_>, va: u64, content: PageContent) {
    assert_eq!(process.page_content(Va(va)).unwrap(), content, "{va:#x}");
    assert_eq!(process.validity(Va(va)), Validity::Valid, "{va:#x}");
}

#[test]
fn untouched_views_are_read_through_the_region() {
    each_layout(
        |guest, process| {
            let file = section(guest, Some("\\data.bin"), 3);
            map(guest, process, AREA, &file, false);
            let shared = section(guest, None, 2);
            map(guest, process, AREA + 0x10_0000, &shared, false);
            let image = section(guest, Some("\\lib.dll"), 4);
            map(guest, process, AREA + 0x20_0000, &image, true);
        },
        |process, _| {
            for (start, pages) in [(0, 3), (0x10_0000, 2), (0x20_0000, 4)] {
                for page in 0..pages {
                    let va = AREA + start + page * 4096;
                    assert_eq!(process.validity(Va(va)), Validity::Valid, "{va:#x}");
                    assert_eq!(bytes::<8>(process, va + 0xff8), [page as u8 + 1; 8]);
                }
                assert_invalid(process, AREA + start + pages * 4096);
            }
            assert_eq!(bytes(process, AREA + 0xfff), [1, 2]);
        },
    );
}

#[test]
fn entries_lead_to_prototypes() {
    each_layout(
        |guest, process| {
            let shared = section(guest, None, 4);
            map(guest, process, AREA, &shared, false);
            // One straight, one swizzled, one by the region; the last crosswise.
            let to = |page: u64| (shared.prototypes + page * 8) & 0xffff_ffff_ffff;
            let targets = [
                (0, to(0), false),
                (1, to(1), true),
                (2, ASK_REGION, false),
                (3, to(0), false),
            ];
            for (page, prototype, swizzled) in targets {
                let fields = [("Prototype", 1), ("ProtoAddress", prototype)];
                let is_lossless = prototype << 16 & 0x2000_0000_0000 == 0;
                let swizzled = swizzled && is_lossless;
                let entry = guest.absent_entry("_MMPTE_PROTOTYPE", &fields, swizzled);
                guest.write_user_entry(process, AREA + page * 4096, entry);
            }
        },
        |process, _| {
            for (page, content) in [(0, 1), (1, 2), (2, 3), (3, 1)] {
                assert_eq!(bytes(process, AREA + page * 4096), [content; 16]);
            }
        },
    );
}

#[test]
fn prototypes_in_every_state() {
    each_layout(
        |guest, process| {
            let file = section(guest, Some("\\data.bin"), 8);
            map(guest, process, AREA, &file, false);
            for (page, swizzled) in [(0, false), (1, true)] {
                let frame = file.pages[page as usize] / 4096;
                let fields = [("Transition", 1), ("PageFrameNumber", frame)];
                let entry = guest.absent_entry("_MMPTE_TRANSITION", &fields, swizzled);
                set_prototype(guest, &file, page, entry);
            }
            for (page, number) in [(2, 1), (3, 3)] {
                let fields = [
                    ("Protection", READ_WRITE),
                    ("PageFileLow", number),
                    ("PageFileHigh", 0x99),
                ];
                let entry = guest.absent_entry("_MMPTE_SOFTWARE", &fields, true);
                set_prototype(guest, &file, page, entry);
            }
            let fields = [("Protection", READ_WRITE)];
            let zero = guest.absent_entry("_MMPTE_SOFTWARE", &fields, false);
            set_prototype(guest, &file, 4, zero);
            let subsection = file.subsection & 0xffff_ffff_ffff;
            let fields = [("Prototype", 1), ("SubsectionAddress", subsection)];
            let in_file = guest.absent_entry("_MMPTE_SUBSECTION", &fields, false);
            set_prototype(guest, &file, 5, in_file);
            set_prototype(guest, &file, 6, 0);
        },
        |process, expected| {
            let at = |page: u64| AREA + page * 4096;
            assert_eq!(bytes(process, at(0)), [1; 16]);
            assert_eq!(bytes(process, at(1)), [2; 16]);
            let pagefile = |number| PageContent::Pagefile {
                number,
                offset: 0x9_9000,
            };
            assert_content(process, at(2), pagefile(1));
            let offset = 0x9_9000;
            let paged_out = FaultKind::Pagefile { number: 1, offset };
            assert_eq!(fault(process, at(2)), Some(paged_out));
            match expected.kernel.virtual_store {
                Some(3) => {
                    assert_content(process, at(3), PageContent::Compressed);
                    assert_eq!(fault(process, at(3)), Some(FaultKind::Compressed));
                }
                _ => assert_content(process, at(3), pagefile(3)),
            }
            assert_content(process, at(4), PageContent::Zero);
            assert_content(process, at(5), PageContent::File);
            assert_eq!(fault(process, at(5)), Some(FaultKind::Prototype));
            assert_invalid(process, at(6));
            assert_eq!(bytes(process, at(7)), [8; 16]);
        },
    );
}

#[test]
fn an_image_is_valid_as_a_whole() {
    each_layout(
        |guest, process| {
            let image = section(guest, Some("\\lib.dll"), 3);
            map(guest, process, AREA, &image, true);
            set_prototype(guest, &image, 0, 0);
            // The process's own entry leads to an empty one.
            set_prototype(guest, &image, 2, 0);
            let prototype = (image.prototypes + 2 * 8) & 0xffff_ffff_ffff;
            let fields = [("Prototype", 1), ("ProtoAddress", prototype)];
            let entry = guest.absent_entry("_MMPTE_PROTOTYPE", &fields, false);
            guest.write_user_entry(process, AREA + 0x2000, entry);
            // The region is longer than its section.
            let backing = Backing::Section {
                section: section(guest, Some("\\short.dll"), 1),
                is_image: true,
            };
            let start = AREA + 0x10_0000;
            guest.add_region(process, &region(start, 2, READ_WRITE as u8, false, backing));
            // What denies all is invalid in an image, too.
            let image = section(guest, Some("\\denied.dll"), 1);
            let backing = Backing::Section {
                section: image.clone(),
                is_image: true,
            };
            let start = AREA + 0x20_0000;
            guest.add_region(process, &region(start, 1, NO_ACCESS as u8, false, backing));
            set_prototype(guest, &image, 0, 0);
        },
        |process, _| {
            for va in [AREA, AREA + 0x2000, AREA + 0x10_1000] {
                assert_eq!(process.validity(Va(va)), Validity::Valid, "{va:#x}");
                assert!(process.page_content(Va(va)).is_err(), "{va:#x}");
                assert_eq!(fault(process, va), Some(FaultKind::Prototype), "{va:#x}");
            }
            assert_eq!(bytes(process, AREA + 0x1000), [2; 16]);
            assert_invalid(process, AREA + 0x20_0000);
        },
    );
}

#[test]
fn sections_of_several_parts() {
    each_layout(
        |guest, process| {
            let (first, second) = (section(guest, None, 2), section(guest, None, 3));
            guest.poke_field(
                first.subsection,
                "_SUBSECTION",
                "NextSubsection",
                second.subsection,
            );
            let backing = Backing::Section {
                section: first.clone(),
                is_image: false,
            };
            let vad = guest.add_region(process, &region(AREA, 6, READ_WRITE as u8, false, backing));
            let last = first.prototypes + 8;
            guest.poke_field(vad, "_MMVAD", "LastContiguousPte", last);
            // A view that begins inside of the first part.
            let backing = Backing::Section {
                section: first.clone(),
                is_image: false,
            };
            let start = AREA + 0x10_0000;
            let vad =
                guest.add_region(process, &region(start, 4, READ_WRITE as u8, false, backing));
            guest.poke_field(vad, "_MMVAD", "FirstPrototypePte", last);
            guest.poke_field(vad, "_MMVAD", "LastContiguousPte", last);
        },
        |process, _| {
            for (page, content) in [1, 2, 1, 2, 3].into_iter().enumerate() {
                assert_eq!(bytes(process, AREA + page as u64 * 4096), [content; 4]);
            }
            assert_invalid(process, AREA + 5 * 4096);
            for (page, content) in [2, 1, 2, 3].into_iter().enumerate() {
                let va = AREA + 0x10_0000 + page as u64 * 4096;
                assert_eq!(bytes(process, va), [content; 4]);
            }
        },
    );
}
