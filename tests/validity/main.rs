//! What a process finds at an address: pages of every kind, in regions of every
//! kind, on all eight layouts, whole and damaged.

mod damage;
mod images;
mod pagefiles;
mod sections;
#[path = "../support/mod.rs"]
mod support;

use winvmi::{
    FaultKind,
    core::Va,
    os::windows::{PageContent, Process, Validity, Windows},
};
use winvmi_forge::{Backing, Expected, Guest, PageKind, RegionSpec};

const READ_WRITE: u64 = 4;
const DECOMMITTED: u64 = 0x10;
const NO_ACCESS: u64 = 0x18;

/// Where the tests put their regions.
const AREA: u64 = 0x4_0000_0000;

/// The process that the tests use.
fn subject(expected: &Expected) -> u64 {
    expected.process_named("notepad.exe").unwrap().object
}

/// Changes the address space of the subject in each layout, then looks at it.
fn each_layout(change: impl Fn(&mut Guest, u64), check: impl Fn(&Process<'_>, &Expected)) {
    support::altered(
        |guest| {
            let process = subject(guest.expected());
            change(guest, process);
        },
        |windows, expected| check(&of(windows, expected), expected),
    );
}

fn of<'a>(windows: &'a Windows, expected: &Expected) -> Process<'a> {
    windows.process(Va(subject(expected)))
}

/// A region of pages at `start`.
fn region(start: u64, pages: u64, protection: u8, committed: bool, backing: Backing) -> RegionSpec {
    RegionSpec {
        start,
        size: pages * 4096,
        protection,
        committed,
        commit_charge: 0,
        backing,
    }
}

/// The kind of the fault of reading one byte; nothing when it can be read.
fn fault(process: &Process<'_>, va: u64) -> Option<FaultKind> {
    let read = process.memory().unwrap().read(Va(va), &mut [0]);
    read.err().map(|partial| {
        assert_eq!(partial.fault.address, va);
        assert_eq!(partial.done, 0);
        partial.fault.kind
    })
}

/// The bytes at an address, pages that were never touched as zeros.
fn bytes<const N: usize>(process: &Process<'_>, va: u64) -> [u8; N] {
    let mut bytes = [0xff; N];
    let memory = process.memory().unwrap().with_zeros(true);
    memory.read(Va(va), &mut bytes).unwrap();
    bytes
}

fn assert_invalid(process: &Process<'_>, va: u64) {
    assert_eq!(process.validity(Va(va)), Validity::Invalid, "{va:#x}");
    assert!(process.page_content(Va(va)).is_err(), "{va:#x}");
    assert_eq!(fault(process, va), Some(FaultKind::NotMapped), "{va:#x}");
}

#[test]
fn pages_of_the_standard_guest() {
    each_layout(
        |_, _| {},
        |process, expected| {
            let mut checked = 0;
            for page in &expected.pages {
                if page.process != process.object().0 {
                    continue;
                }
                let va = Va(page.va);
                let content = process.page_content(va);
                match (&page.kind, page.pa) {
                    (_, Some(pa)) => {
                        let memory = PageContent::Memory(winvmi::core::Pa(pa));
                        assert_eq!(content.unwrap(), memory);
                        assert_eq!(process.validity(va), Validity::Valid);
                    }
                    (PageKind::PageFile { file, offset }, _) => {
                        let wanted = PageContent::Pagefile {
                            number: *file,
                            offset: offset * 4096,
                        };
                        assert_eq!(content.unwrap(), wanted);
                        assert_eq!(process.validity(va), Validity::Valid);
                    }
                    (PageKind::DemandZero, _) => {
                        assert_eq!(content.unwrap(), PageContent::Zero);
                        assert_eq!(process.validity(va), Validity::Valid);
                    }
                    // Its prototype is empty: the page was never committed.
                    (PageKind::Prototype, _) => assert_invalid(process, page.va),
                    (other, _) => panic!("{other:?}"),
                }
                checked += 1;
            }
            assert!(checked > 8);
        },
    );
}

#[test]
fn private_regions_decide_where_no_entry_does() {
    each_layout(
        |guest, process| {
            let private = |start, protection, committed| {
                region(start, 16, protection, committed, Backing::Private)
            };
            guest.add_region(process, &private(AREA, READ_WRITE as u8, true));
            guest.add_region(process, &private(AREA + 0x10_0000, READ_WRITE as u8, false));
            guest.add_region(process, &private(AREA + 0x20_0000, NO_ACCESS as u8, true));
            guest.add_region(process, &private(AREA + 0x30_0000, DECOMMITTED as u8, true));
            guest.add_region(process, &private(AREA + 0x40_0000, 0, true));
            let mut entry = |va, protection| {
                let fields = [("Protection", protection)];
                let value = guest.absent_entry("_MMPTE_SOFTWARE", &fields, false);
                guest.write_user_entry(process, va, value);
            };
            // Taken back inside of what is committed, committed inside of what is reserved.
            entry(AREA + 0x1000, DECOMMITTED);
            entry(AREA + 0x2000, NO_ACCESS);
            entry(AREA + 0x10_1000, READ_WRITE);
        },
        |process, expected| {
            for valid in [AREA, AREA + 0xffff, AREA + 0x10_1fff] {
                assert_eq!(process.validity(Va(valid)), Validity::Valid, "{valid:#x}");
                let content = process.page_content(Va(valid)).unwrap();
                assert_eq!(content, PageContent::Zero);
                assert_eq!(fault(process, valid), Some(FaultKind::DemandZero));
                assert_eq!(bytes(process, valid), [0]);
            }
            let reserved = [AREA + 0x10_0000, AREA + 0x10_2000];
            let denied = [0x1000, 0x2000, 0x20_0000, 0x30_0000, 0x40_0000].map(|at| AREA + at);
            let free = [
                0,
                AREA - 1,
                AREA + 0x1_0000,
                (1 << 47) - 1,
                0xffff_8000_0000_0000,
            ];
            for invalid in reserved.into_iter().chain(denied).chain(free) {
                assert_invalid(process, invalid);
            }
            let odd = 0x0001_0000_0000_0000;
            assert_eq!(process.validity(Va(odd)), Validity::Invalid);
            assert_eq!(fault(process, odd), Some(FaultKind::NonCanonical));
            let base = expected.kernel.base;
            assert_eq!(process.validity(Va(base)), Validity::Valid);
        },
    );
}

#[test]
fn reads_cross_pages_of_every_kind() {
    each_layout(
        |guest, process| {
            let private = region(AREA, 4, READ_WRITE as u8, true, Backing::Private);
            guest.add_region(process, &private);
            guest.place_transition_page(process, AREA + 0x1000, &[0x11; 4096], true);
            guest.map_user(
                process,
                AREA + 0x3000,
                0x1000,
                winvmi_forge::PteFlags::USER_DATA,
            );
            guest.write_user(process, AREA + 0x3000, &[0x33; 4096]);
        },
        |process, _| {
            let read = bytes::<0x3100>(process, AREA + 0xf00);
            assert!(read[..0x100].iter().all(|&byte| byte == 0));
            assert!(read[0x100..0x1100].iter().all(|&byte| byte == 0x11));
            assert!(read[0x1100..0x2100].iter().all(|&byte| byte == 0));
            assert!(read[0x2100..0x3100].iter().all(|&byte| byte == 0x33));
            // The page behind the region ends the read, with what came before it.
            let memory = process.memory().unwrap().with_zeros(true);
            let mut buffer = [0; 0x1800];
            let partial = memory.read(Va(AREA + 0x3000), &mut buffer).unwrap_err();
            assert_eq!(partial.done, 0x1000);
            assert_eq!(partial.fault.address, AREA + 0x4000);
            assert_eq!(partial.fault.kind, FaultKind::NotMapped);
            assert!(buffer[..0x1000].iter().all(|&byte| byte == 0x33));
        },
    );
}
