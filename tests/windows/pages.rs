//! Page-table entries of every kind.

use winvmi::{
    FaultKind,
    core::{Pa, Protection, Source, Space, Va},
};
use winvmi_forge::PageKind;

use super::each_layout;

#[test]
fn pages_of_every_kind() {
    each_layout(|windows, expected| {
        let mut transitions = 0;
        for page in &expected.pages {
            let root = match page.process {
                0 => windows.root(),
                process => windows.process(Va(process)).translation_root().unwrap(),
            };
            let translated = windows.memory().translate(root, Va(page.va));
            let Some(pa) = page.pa else {
                let fault = *translated.unwrap_err().fault().unwrap();
                assert_eq!((fault.root, fault.level), (Some(root), 1));
                assert_eq!(fault.kind, kind(&page.kind));
                continue;
            };
            let translation = translated.unwrap();
            assert_eq!(translation.pa, Pa(pa));
            if translation.source == Source::Transition {
                transitions += 1;
            } else {
                let protection = translation.protection;
                assert_eq!(protection.contains(Protection::USER), page.user);
                assert_eq!(protection.contains(Protection::WRITE), page.writable);
                assert_eq!(protection.contains(Protection::EXECUTE), page.executable);
            }
            let mut bytes = vec![0; page.content.len()];
            let space = Space::Virtual { root };
            windows.memory().read(space, page.va, &mut bytes).unwrap();
            assert_eq!(bytes, page.content);
        }
        assert!(transitions > 1, "transition pages with and without swizzle");
    });
}

fn kind(kind: &PageKind) -> FaultKind {
    match *kind {
        PageKind::Prototype => FaultKind::Prototype,
        PageKind::DemandZero => FaultKind::DemandZero,
        PageKind::PageFile { file, offset } => FaultKind::Pagefile {
            number: file,
            offset: offset * 4096,
        },
        PageKind::Absent => FaultKind::NotMapped,
        ref other => panic!("{other:?} pages are in memory"),
    }
}
