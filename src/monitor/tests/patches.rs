//! Shadow pages and plain patches.

use std::sync::Arc;

use super::mock::{Call, DEFAULT_VIEW, FULL, Mock, code};
use crate::{
    core::{
        Gfn, Pa, Va,
        driver::{Interrupt, InterruptKind, ViewId, Views},
    },
    monitor::{
        Location, Machine, Patches, PlainPatches, ShadowPages, StepOver,
        breakpoint::Key,
        patches::{INT3, Installed, Removed, Subscriber, is_breakpoint},
    },
};

const PAGE: Gfn = Gfn(0x50);

struct Lab {
    mock: Arc<Mock>,
    machine: Machine,
    patches: Patches,
    view: ViewId,
}

impl Lab {
    fn new() -> Self {
        let mock = Arc::new(Mock::new());
        let view = mock.create(FULL).unwrap();
        mock.put(PAGE, code(0));
        mock.calls();
        Self {
            machine: mock.machine(),
            patches: Patches::new(Box::new(ShadowPages::new())),
            mock,
            view,
        }
    }

    fn at(&self, offset: u64) -> Location {
        Location::new(self.view, PAGE.pa().wrapping_add(offset))
    }

    fn insert(&mut self, offset: u64, key: u64) -> crate::Result<Installed> {
        self.patches
            .insert(&self.machine, self.at(offset), who(key))
    }

    fn remove(&mut self, offset: u64, key: u64) -> crate::Result<Removed> {
        self.patches
            .remove(&self.machine, self.at(offset), who(key))
    }

    fn seen(&self, offset: u64) -> u8 {
        self.mock.seen(self.view, self.at(offset).pa())
    }
}

fn who(key: u64) -> Subscriber {
    Subscriber {
        key: Key(key),
        va: Va(0x7000),
        root: Pa(0x1000),
    }
}

#[test]
fn first_and_last_byte_of_a_page() {
    let mut lab = Lab::new();
    assert_eq!(lab.insert(0, 1).unwrap(), Installed::FirstOfPage);
    assert_eq!(lab.insert(4095, 1).unwrap(), Installed::Patched);
    assert_eq!((lab.seen(0), lab.seen(1), lab.seen(4095)), (INT3, 1, INT3));
    assert_eq!(
        lab.mock.byte(PAGE.pa()),
        0,
        "the guest's own page is untouched"
    );
}

#[test]
fn a_known_location_costs_no_driver_call() {
    let mut lab = Lab::new();
    lab.insert(8, 1).unwrap();
    lab.mock.calls();
    assert_eq!(lab.insert(8, 2).unwrap(), Installed::Shared);
    assert_eq!(lab.remove(8, 1).unwrap(), Removed::Shared);
    assert_eq!(lab.mock.calls(), []);
    assert_eq!(lab.remove(8, 2).unwrap(), Removed::LastOfPage);
    assert_eq!(lab.remove(8, 2).unwrap(), Removed::Absent);
}

#[test]
fn an_int3_of_the_guest_comes_back_as_such() {
    let mut lab = Lab::new();
    lab.mock.poke(PAGE.pa().wrapping_add(16), &[INT3]);
    lab.insert(16, 1).unwrap();
    lab.insert(17, 1).unwrap();
    assert_eq!(lab.remove(16, 1).unwrap(), Removed::Restored);
    assert_eq!((lab.seen(16), lab.seen(17)), (INT3, INT3));
    lab.remove(17, 1).unwrap();
    assert_eq!((lab.seen(16), lab.seen(17)), (INT3, 17));
}

#[test]
fn the_copy_is_complete_before_the_view_shows_it() {
    let mut lab = Lab::new();
    lab.insert(3, 1).unwrap();
    let calls = lab.mock.calls();
    let remap = calls
        .iter()
        .position(|call| matches!(call, Call::Remap(..)))
        .unwrap();
    assert_eq!(remap, calls.len() - 1);
}

#[test]
fn views_are_patched_apart() {
    let mut lab = Lab::new();
    let other = lab.mock.create(FULL).unwrap();
    lab.insert(5, 1).unwrap();
    let there = Location::new(other, PAGE.pa().wrapping_add(5));
    assert_eq!(lab.mock.seen(other, there.pa()), 5);
    lab.patches.insert(&lab.machine, there, who(1)).unwrap();
    lab.remove(5, 1).unwrap();
    assert_eq!(lab.seen(5), 5);
    assert_eq!(lab.mock.seen(other, there.pa()), INT3);
    assert_eq!(lab.mock.seen(DEFAULT_VIEW, there.pa()), 5);
}

#[test]
fn a_second_life_copies_the_current_page_into_the_same_frame() {
    let mut lab = Lab::new();
    lab.insert(1, 1).unwrap();
    lab.remove(1, 1).unwrap();
    lab.mock.put(PAGE, code(0x55));
    lab.mock.calls();
    lab.insert(2, 1).unwrap();
    assert!(!lab.mock.calls().contains(&Call::Allocate));
    assert_eq!(lab.seen(1), code(0x55)[1]);
    assert_eq!(lab.seen(2), INT3);
}

#[test]
fn guest_writes_reach_the_copy_and_spare_the_patches() {
    let mut lab = Lab::new();
    lab.insert(1, 1).unwrap();
    lab.insert(9, 1).unwrap();
    lab.mock.poke(PAGE.pa(), &[0x70; 16]);
    let page = lab.at(0).page;
    lab.patches.refresh(&lab.machine, page).unwrap();
    assert_eq!((lab.seen(0), lab.seen(1), lab.seen(9)), (0x70, INT3, INT3));
    lab.remove(1, 1).unwrap();
    assert_eq!(lab.seen(1), 0x70, "the new byte, not the saved one");
}

#[test]
fn a_failed_insertion_patches_nothing_and_leaks_nothing() {
    for calls in 0..4 {
        let mut lab = Lab::new();
        lab.mock.fail_after(calls);
        lab.insert(7, 1).unwrap_err();
        assert!(!lab.patches.contains(lab.at(7)));
        assert_eq!(lab.seen(7), 7);
        lab.insert(7, 1).unwrap();
        assert!(lab.mock.state().allocated.len() <= 1, "call {calls}");
        lab.remove(7, 1).unwrap();
        lab.patches.free(&lab.machine).unwrap();
        assert!(lab.mock.state().allocated.is_empty());
    }
}

#[test]
fn a_failed_removal_leaves_the_patch() {
    let mut lab = Lab::new();
    lab.insert(7, 1).unwrap();
    lab.insert(8, 1).unwrap();
    for calls in 0..2 {
        lab.mock.fail_after(calls);
        lab.remove(7, 1).unwrap_err();
        assert_eq!((lab.seen(7), lab.patches.contains(lab.at(7))), (INT3, true));
    }
    assert_eq!(lab.remove(7, 1).unwrap(), Removed::Restored);
    lab.mock.fail_after(0);
    lab.remove(8, 1).unwrap_err();
    assert_eq!(lab.seen(8), INT3);
    assert_eq!(lab.remove(8, 1).unwrap(), Removed::LastOfPage);
}

#[test]
fn abandoned_patches_are_taken_out_later() {
    let mut lab = Lab::new();
    lab.insert(7, 1).unwrap();
    lab.mock.fail_after(0);
    let at = lab.at(7);
    lab.patches.abandon(&lab.machine, at, who(1));
    assert!(lab.patches.contains(at), "still ours when it is hit");
    assert!(lab.patches.subscribers(at).is_empty());
    assert_eq!(lab.patches.settle(&lab.machine), [at.page]);
    assert_eq!(lab.seen(7), 7);
}

#[test]
fn only_one_byte_software_breakpoints_are_ours() {
    let ours = Interrupt {
        vector: 3,
        kind: InterruptKind::SoftwareException,
        error_code: None,
        instruction_length: 1,
        extra: 0,
    };
    assert!(is_breakpoint(&ours));
    let with = |kind, vector, instruction_length| Interrupt {
        kind,
        vector,
        instruction_length,
        ..ours
    };
    assert!(!is_breakpoint(&with(
        InterruptKind::HardwareException,
        1,
        0
    )));
    assert!(!is_breakpoint(&with(
        InterruptKind::HardwareException,
        3,
        1
    )));
    assert!(!is_breakpoint(&with(InterruptKind::Software, 3, 2)));
    assert!(!is_breakpoint(&with(
        InterruptKind::SoftwareException,
        4,
        1
    )));
}

#[test]
fn plain_patches_are_visible_lifted_and_masked() {
    let mock = Arc::new(Mock::without_views());
    mock.put(PAGE, code(0));
    let machine = mock.machine();
    let mut patches = Patches::new(Box::new(PlainPatches::new()));
    let at = Location::new(ViewId(0), PAGE.pa().wrapping_add(0x21));
    patches.insert(&machine, at, who(1)).unwrap();
    assert!(patches.visible());
    assert_eq!(mock.byte(at.pa()), INT3);
    assert_eq!(patches.original(at), Some(0x21));
    assert_eq!(patches.step_over(&machine, at).unwrap(), StepOver::Lifted);
    assert_eq!(mock.byte(at.pa()), 0x21);
    mock.poke(at.pa(), &[0x42]);
    patches.stepped(&machine, at).unwrap();
    assert_eq!(
        (mock.byte(at.pa()), patches.original(at)),
        (INT3, Some(0x42))
    );
    patches.remove(&machine, at, who(1)).unwrap();
    assert_eq!(mock.byte(at.pa()), 0x42);
}

#[test]
fn what_the_guest_wrote_over_a_plain_patch_stays() {
    let mock = Arc::new(Mock::without_views());
    mock.put(PAGE, code(0));
    let machine = mock.machine();
    let mut patches = Patches::new(Box::new(PlainPatches::new()));
    let at = Location::new(ViewId(0), PAGE.pa());
    patches.insert(&machine, at, who(1)).unwrap();
    mock.poke(at.pa(), &[0x66]);
    patches.remove(&machine, at, who(1)).unwrap();
    assert_eq!(mock.byte(at.pa()), 0x66);
}
