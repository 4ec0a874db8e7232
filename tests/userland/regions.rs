//! Regions, by tree and by address.

use winvmi::{
    core::Va,
    os::windows::{FileObject, Region, RegionKind, Windows, region::BasicProtection},
};
use winvmi_forge::ExpectedRegion;

use crate::on_all_layouts;

fn assert_region(windows: &Windows, region: &Region<'_>, expected: &ExpectedRegion) {
    assert_eq!(region.vad(), Va(expected.vad));
    assert_eq!(region.start().unwrap(), Va(expected.start));
    assert_eq!(region.end().unwrap(), Va(expected.end));
    assert_eq!(region.kind().unwrap(), kind(expected), "{expected:x?}");
    assert_eq!(region.is_private().unwrap(), expected.is_private);
    assert_eq!(region.protection().unwrap().0, expected.protection);
    assert_eq!(region.is_committed().unwrap(), expected.committed);
    let charge = Some(expected.commit_charge);
    assert_eq!(region.commit_charge().unwrap(), charge);
    let area = region.control_area().unwrap();
    assert_eq!(area.map(|area| area.address().0), expected.control_area);
    let file = region.file_object().unwrap();
    let path = file.map(|file| FileObject::new(windows, file).path().unwrap());
    assert_eq!(path, expected.path);
}

const fn kind(expected: &ExpectedRegion) -> RegionKind {
    match expected {
        ExpectedRegion { is_image: true, .. } => RegionKind::Image,
        ExpectedRegion {
            is_private: true, ..
        } => RegionKind::Private,
        ExpectedRegion { path: Some(_), .. } => RegionKind::DataFile,
        _ => RegionKind::PagefileSection,
    }
}

#[test]
fn every_process_has_its_regions_in_order() {
    on_all_layouts(|windows, expected| {
        for process in &expected.processes {
            let regions = windows.process(Va(process.object)).regions();
            let regions: Vec<_> = regions.map(Result::unwrap).collect();
            let placed = expected.regions_of(process.object);
            assert_eq!(regions.len(), placed.len(), "{}", process.name);
            for (region, expected) in regions.iter().zip(placed) {
                assert_region(windows, region, expected);
                let mut copy = [0; Region::SNAPSHOT];
                assert_region(windows, &region.with_copy(&mut copy), expected);
            }
        }
    });
}

#[test]
fn every_address_leads_to_its_region_or_to_none() {
    on_all_layouts(|windows, expected| {
        for process in &expected.processes {
            let placed = expected.regions_of(process.object);
            let process = windows.process(Va(process.object));
            let at = |va: u64| process.region(Va(va)).unwrap().map(|region| region.vad().0);
            for region in &placed {
                let inside = [region.start, region.start + 0xfff, region.end - 1];
                assert_eq!(inside.map(at), [Some(region.vad); 3], "{region:x?}");
            }
            let starts_at = |va| placed.iter().any(|region| region.start == va);
            for region in placed.iter().filter(|region| !starts_at(region.end)) {
                assert_eq!(at(region.end), None, "{region:x?}");
            }
            assert_eq!([0, u64::MAX].map(at), [None; 2]);
        }
    });
}

#[test]
fn protections_keep_their_modifiers() {
    on_all_layouts(|windows, expected| {
        let notepad = windows.process_by_name("notepad.exe").unwrap();
        let protection = |start: u64| {
            let region = notepad.region(Va(start)).unwrap().unwrap();
            region.protection().unwrap()
        };
        let placed = expected.regions_of(notepad.object().0);
        let found: Vec<_> = placed.iter().map(|it| protection(it.start).0).collect();
        for modified in [0x14, 0x0c, 0x1c, 0x18] {
            assert!(found.contains(&modified), "{modified:#x}");
        }
        assert_eq!(
            protection(0x1_9000_0000).basic(),
            BasicProtection::ReadWrite
        );
        assert!(protection(0x1_9000_0000).is_guard());
        assert!(protection(0x1_9800_0000).is_no_cache());
        assert!(protection(0x1_a800_0000).is_write_combine());
    });
}
