//! Damage: what decides is gone or wild. No answer is made up.

use winvmi::{FaultKind, core::Va, os::windows::Validity};
use winvmi_forge::{Backing, PAGE_SIZE};

use super::{AREA, READ_WRITE, each_layout, fault, region};

const VOID: u64 = 0xffff_8000_dead_0000;

#[test]
fn wild_prototypes_are_unknown() {
    each_layout(
        |guest, process| {
            let fields = [("Prototype", 1), ("ProtoAddress", VOID & 0xffff_ffff_ffff)];
            let entry = guest.absent_entry("_MMPTE_PROTOTYPE", &fields, false);
            guest.write_user_entry(process, AREA, entry);
            for (at, is_image) in [(0x10_0000, false), (0x20_0000, true)] {
                let section = guest.create_section(Some("\\wild.dll"), is_image, &[1; 4096]);
                let backing = Backing::Section { section, is_image };
                let spec = region(AREA + at, 1, READ_WRITE as u8, false, backing);
                let vad = guest.add_region(process, &spec);
                guest.poke_field(vad, "_MMVAD", "FirstPrototypePte", VOID);
                guest.poke_field(vad, "_MMVAD", "LastContiguousPte", VOID);
            }
        },
        |process, _| {
            assert_eq!(process.validity(Va(AREA)), Validity::Unknown);
            assert_eq!(fault(process, AREA), Some(FaultKind::Prototype));
            assert_eq!(process.validity(Va(AREA + 0x10_0000)), Validity::Unknown);
            // Images are mapped as a whole.
            assert_eq!(process.validity(Va(AREA + 0x20_0000)), Validity::Valid);
        },
    );
}

#[test]
fn cyclic_parts_of_sections_end() {
    each_layout(
        |guest, process| {
            let section = guest.create_section(None, false, &[1; 4096]);
            let subsection = section.subsection;
            guest.poke_field(subsection, "_SUBSECTION", "NextSubsection", subsection);
            guest.poke_field(subsection, "_SUBSECTION", "PtesInSubsection", 0);
            let backing = Backing::Section {
                section,
                is_image: false,
            };
            let vad = guest.add_region(process, &region(AREA, 2, READ_WRITE as u8, false, backing));
            guest.poke_field(vad, "_MMVAD", "LastContiguousPte", 0);
        },
        |process, _| assert_eq!(process.validity(Va(AREA)), Validity::Unknown),
    );
}

#[test]
fn a_damaged_tree_is_unknown() {
    each_layout(
        |guest, process| {
            let vad = guest.add_region(
                process,
                &region(AREA, 2, READ_WRITE as u8, true, Backing::Private),
            );
            let beyond = u64::MAX >> 33;
            guest.poke_field(vad, "_MMVAD_SHORT", "StartingVpn", beyond);
        },
        |process, _| assert_eq!(process.validity(Va(AREA)), Validity::Unknown),
    );
}

#[test]
fn tables_that_are_not_in_the_image_are_unknown() {
    each_layout(
        |guest, process| {
            // A table far beyond the image's memory.
            let table = 0xff_ffff_f000 | 7;
            let root = guest
                .expected()
                .processes
                .iter()
                .find(|it| it.object == process);
            let root = root.unwrap().root;
            guest.memory_mut().write_u64(root + 8 * 0xf0, table);
            assert!(guest.memory().end() < table - table % PAGE_SIZE);
        },
        |process, _| {
            let va = 0xf0 << 39;
            assert_eq!(process.validity(Va(va)), Validity::Unknown);
            assert_eq!(fault(process, va), Some(FaultKind::NotInImage));
        },
    );
}
