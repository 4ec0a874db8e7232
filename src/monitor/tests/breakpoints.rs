//! The breakpoint manager.

use super::{
    mock::{Call, FULL},
    world::{OTHER_ROOT, PRESENT, ROOT, World},
};
use crate::{
    core::{
        Gfn, Va,
        driver::{MemoryAccess, Views},
    },
    error::Error,
    monitor::{
        Location,
        breakpoint::{Breakpoint, Inserted, Key},
        patches::INT3,
    },
};

const CODE: Va = Va(0xffff_f800_0012_3450);
const FRAME: Gfn = Gfn(0x777);

fn world() -> World {
    let mut world = World::new();
    world.map(ROOT, CODE, FRAME);
    world
}

/// The byte at `CODE` when it is mapped to `gfn`.
fn in_frame(gfn: Gfn) -> crate::core::Pa {
    gfn.pa().wrapping_add(CODE.page_offset())
}

#[test]
fn a_second_identical_insertion_changes_nothing() {
    let mut world = world();
    let first = world.breakpoint(CODE, 1);
    assert_eq!(world.insert(&first).unwrap(), Inserted::Active);
    let second = Breakpoint { tag: 99, ..first };
    assert_eq!(world.insert(&second).unwrap(), Inserted::Unchanged);
    let at = Location::new(world.view, in_frame(FRAME));
    assert_eq!(
        world.manager.hits(at, ROOT)[0].tag,
        10,
        "the first tag wins"
    );
    assert!(world.remove(&first).unwrap());
    assert!(!world.remove(&first).unwrap());
    world.assert_restored();
}

#[test]
fn one_page_is_protected_once_and_patched_per_location() {
    let mut world = world();
    let (a, b) = (
        world.breakpoint(CODE, 1),
        world.breakpoint(CODE.wrapping_add(1), 1),
    );
    world.insert(&a).unwrap();
    world.mock.calls();
    world.insert(&b).unwrap();
    let protects = |call: &Call| matches!(call, Call::SetAccess(..) | Call::Remap(..));
    assert!(!world.mock.calls().iter().any(protects));
    let page = world.mock.shown(world.view, FRAME);
    assert_eq!(page.access, MemoryAccess::EXECUTE);
    assert!(world.remove(&a).unwrap());
    assert_eq!(world.executed(in_frame(FRAME)), 0x50 ^ 0x77);
    assert_eq!(world.executed(in_frame(FRAME).wrapping_add(1)), INT3);
    assert!(world.remove(&b).unwrap());
    world.assert_restored();
}

#[test]
fn subscribers_of_one_location_are_called_in_order_of_insertion() {
    let mut world = world();
    for key in [3, 1, 2] {
        world.insert(&world.breakpoint(CODE, key)).unwrap();
    }
    assert_eq!(world.keys(in_frame(FRAME), ROOT), [3, 1, 2]);
    world.remove(&world.breakpoint(CODE, 1)).unwrap();
    assert_eq!(world.keys(in_frame(FRAME), ROOT), [3, 2]);
    assert_eq!(world.executed(in_frame(FRAME)), INT3);
}

#[test]
fn an_absent_page_makes_it_pending_and_its_arrival_active() {
    let mut world = World::new();
    let entry = world.entry_of(ROOT, CODE, 1);
    world.mock.put(FRAME, super::mock::code(0x77));
    let breakpoint = world.breakpoint(CODE, 1);
    assert_eq!(world.insert(&breakpoint).unwrap(), Inserted::Pending);
    assert!(!world.manager.contains_address(world.view, ROOT, CODE));
    assert!(world.mock.state().allocated.is_empty());
    world.guest_writes(entry, FRAME.pa().0 | PRESENT);
    assert!(world.manager.contains_address(world.view, ROOT, CODE));
    assert_eq!(world.executed(in_frame(FRAME)), INT3);
    world.guest_writes(entry, 0);
    assert!(!world.manager.contains_address(world.view, ROOT, CODE));
    assert!(
        world.remove(&breakpoint).unwrap(),
        "there was one copy, pending"
    );
    assert!(!world.remove(&breakpoint).unwrap());
    world.assert_restored();
}

#[test]
fn round_trips_keep_tag_key_and_scope() {
    let mut world = world();
    let entry = world.entry_of(ROOT, CODE, 1);
    let own = world.breakpoint(CODE, 1);
    let global = world.global(CODE, 2);
    world.insert(&own).unwrap();
    world.insert(&global).unwrap();
    for round in 0..200_u64 {
        let gfn = Gfn(0x800 + round % 7);
        world.mock.put(gfn, super::mock::code(gfn.0 as u8));
        world.guest_writes(entry, 0);
        assert_eq!(world.mock.shown(world.view, gfn).access, FULL);
        world.guest_writes(entry, gfn.pa().0 | PRESENT);
        let at = Location::new(world.view, in_frame(gfn));
        let hits = world.manager.hits(at, ROOT);
        assert_eq!(hits.iter().map(|hit| hit.tag).collect::<Vec<_>>(), [10, 20]);
        let elsewhere = world.manager.hits(at, OTHER_ROOT);
        assert_eq!(elsewhere.len(), 1, "only the global one");
        assert_eq!(world.executed(in_frame(gfn)), INT3);
    }
    assert_eq!(
        world.mock.state().allocated.len(),
        1,
        "frames are used again"
    );
    world.remove(&own).unwrap();
    world.remove(&global).unwrap();
    world.assert_restored();
}

#[test]
fn a_page_out_spares_other_addresses_of_the_frame() {
    let mut world = world();
    let alias = Va(0x7ff6_0000_0450);
    world.map(OTHER_ROOT, alias, FRAME);
    let own = world.breakpoint(CODE, 1);
    let other = Breakpoint {
        root: OTHER_ROOT,
        ..world.breakpoint(alias, 1)
    };
    world.insert(&own).unwrap();
    world.insert(&other).unwrap();
    assert_eq!(world.keys(in_frame(FRAME), ROOT), [1]);
    assert_eq!(world.keys(in_frame(FRAME), OTHER_ROOT), [1]);
    let entry = world.entry_of(ROOT, CODE, 1);
    world.guest_writes(entry, 0);
    assert_eq!(world.executed(in_frame(FRAME)), INT3);
    assert!(!world.manager.contains_address(world.view, ROOT, CODE));
    assert!(
        world
            .manager
            .contains_address(world.view, OTHER_ROOT, alias)
    );
}

#[test]
fn a_per_root_breakpoint_counts_in_its_own_address_space_only() {
    let mut world = world();
    world.map(OTHER_ROOT, CODE, FRAME);
    let own = world.breakpoint(CODE, 1);
    world.insert(&own).unwrap();
    assert!(world.keys(in_frame(FRAME), OTHER_ROOT).is_empty());
    let elsewhere = Breakpoint {
        root: OTHER_ROOT,
        ..own
    };
    assert!(!world.remove(&elsewhere).unwrap(), "not that root's");
    assert_eq!(world.insert(&elsewhere).unwrap(), Inserted::Active);
    assert_eq!(world.keys(in_frame(FRAME), OTHER_ROOT), [1]);
    assert!(world.remove(&own).unwrap());
    assert!(world.keys(in_frame(FRAME), ROOT).is_empty());
    assert_eq!(world.executed(in_frame(FRAME)), INT3);
}

#[test]
fn a_global_breakpoint_spans_roots_and_frames() {
    let mut world = world();
    let private = Gfn(0x990);
    world.map(OTHER_ROOT, CODE, FRAME);
    let global = world.global(CODE, 1);
    let through = |root| Breakpoint { root, ..global };
    assert_eq!(world.insert(&global).unwrap(), Inserted::Active);
    assert_eq!(
        world.insert(&through(OTHER_ROOT)).unwrap(),
        Inserted::Unchanged
    );
    assert_eq!(world.keys(in_frame(FRAME), crate::core::Pa(0x9000)), [1]);
    // The other address space gets a private copy of the page.
    let entry = world.entry_of(OTHER_ROOT, CODE, 1);
    world.mock.put(private, super::mock::code(0));
    world.guest_writes(entry, private.pa().0 | PRESENT);
    assert_eq!(world.executed(in_frame(FRAME)), INT3);
    assert_eq!(world.executed(in_frame(private)), INT3);
    assert!(
        world.remove(&through(OTHER_ROOT)).unwrap(),
        "any root tears it down"
    );
    assert_eq!(world.executed(in_frame(FRAME)), 0x50 ^ 0x77);
    assert_eq!(world.executed(in_frame(private)), 0x50);
    world.assert_restored();
}

#[test]
fn another_scope_under_the_same_key_is_refused_untouched() {
    let mut world = world();
    world.insert(&world.breakpoint(CODE, 1)).unwrap();
    world.mock.calls();
    let refused = world.insert(&world.global(CODE, 1)).unwrap_err();
    assert!(matches!(refused, Error::InvalidArgument { .. }));
    assert_eq!(world.mock.calls(), []);
    assert_eq!(
        world.insert(&world.global(CODE, 2)).unwrap(),
        Inserted::Active
    );
}

#[test]
fn removal_by_hit_takes_every_page_of_a_global_one() {
    let mut world = world();
    let private = Gfn(0x990);
    world.map(OTHER_ROOT, CODE, private);
    let global = world.global(CODE, 1);
    world.insert(&global).unwrap();
    let other = Breakpoint {
        root: OTHER_ROOT,
        ..global
    };
    assert_eq!(world.insert(&other).unwrap(), Inserted::Active);
    world
        .insert(&world.breakpoint(CODE.wrapping_add(3), 2))
        .unwrap();
    let at = Location::new(world.view, in_frame(FRAME));
    let removed = world.manager.remove_at(&mut world.ground, at).unwrap();
    assert_eq!(removed, Some(false), "the neighbour keeps the page");
    assert_eq!(world.executed(in_frame(private)), 0x50 ^ 0x10);
    let again = world.manager.remove_at(&mut world.ground, at).unwrap();
    assert_eq!(again, None);
    let neighbour = Location::new(world.view, in_frame(FRAME).wrapping_add(3));
    let last = world.manager.remove_at(&mut world.ground, neighbour);
    assert_eq!(last.unwrap(), Some(true));
    world.assert_restored();
}

#[test]
fn removal_by_key_and_by_view_includes_the_pending() {
    let mut world = world();
    let absent = Va(0xffff_f900_0000_0000);
    for key in 1..=2 {
        world.insert(&world.breakpoint(CODE, key)).unwrap();
        world.insert(&world.breakpoint(absent, key)).unwrap();
    }
    let view = world.view;
    let World {
        manager, ground, ..
    } = &mut world;
    assert!(manager.remove_key(ground, Key(1)).unwrap());
    assert!(!manager.remove_key(ground, Key(1)).unwrap());
    assert!(manager.remove_view(ground, view).unwrap());
    assert!(!manager.remove_view(ground, view).unwrap());
    world.assert_restored();
    world.insert(&world.breakpoint(CODE, 1)).unwrap();
    world.manager.clear(&mut world.ground).unwrap();
    world.assert_restored();
}

#[test]
fn removal_by_view_of_a_pending_one_alone_counts() {
    let mut world = World::new();
    world.insert(&world.breakpoint(CODE, 1)).unwrap();
    let view = world.view;
    assert!(world.manager.remove_view(&mut world.ground, view).unwrap());
    world.assert_restored();
}

#[test]
fn a_vanished_view_needs_no_removal() {
    let mut world = world();
    let pair = [
        world.breakpoint(CODE, 1),
        world.breakpoint(CODE.wrapping_add(1), 1),
    ];
    for breakpoint in &pair {
        world.insert(breakpoint).unwrap();
    }
    world.mock.destroy(world.view).unwrap();
    for breakpoint in &pair {
        assert!(world.remove(breakpoint).unwrap());
    }
    world.assert_restored();
}

#[test]
fn a_batch_pauses_once_and_fails_as_one() {
    let mut world = world();
    let batch: Vec<_> = (0..50)
        .map(|offset| world.breakpoint(CODE.wrapping_add(offset), 1))
        .collect();
    world.mock.calls();
    let done = world
        .manager
        .insert_many(&mut world.ground, &batch)
        .unwrap();
    assert_eq!(done.len(), 50);
    let pauses = world.mock.calls();
    assert_eq!(
        pauses.iter().filter(|call| **call == Call::Pause).count(),
        1
    );
    world.manager.clear(&mut world.ground).unwrap();
    let bad = world.global(CODE, 1);
    let batch: Vec<_> = batch.into_iter().chain([bad]).collect();
    let failed = world.manager.insert_many(&mut world.ground, &batch);
    assert_eq!(failed.unwrap_err().0, 50);
    world.assert_restored();
}

#[test]
fn a_large_page_is_hooked_at_its_own_frame() {
    let mut world = World::new();
    let entry = world.map_large(ROOT, CODE, 2, crate::core::Pa(0x4000_0000));
    let frame = Gfn(0x4_0123);
    let breakpoint = world.breakpoint(CODE, 1);
    assert_eq!(world.insert(&breakpoint).unwrap(), Inserted::Active);
    assert_eq!(world.executed(in_frame(frame)), INT3);
    world.guest_writes(entry, 0);
    assert_eq!(world.mock.shown(world.view, frame).gfn, frame);
    world.remove(&breakpoint).unwrap();
    world.assert_restored();
}

#[test]
fn without_views_the_guest_itself_is_patched() {
    let mut world = World::without_views();
    world.map(ROOT, CODE, FRAME);
    let breakpoint = world.breakpoint(CODE, 1);
    assert!(world.manager.visible());
    assert_eq!(world.insert(&breakpoint).unwrap(), Inserted::Active);
    let at = Location::new(world.view, in_frame(FRAME));
    assert_eq!(world.mock.byte(at.pa()), INT3);
    assert_eq!(world.manager.original(at), Some(0x50 ^ 0x77));
    assert!(world.remove(&breakpoint).unwrap());
    assert_eq!(world.mock.byte(at.pa()), 0x50 ^ 0x77);
}

#[test]
fn removal_of_what_is_not_there_touches_nothing() {
    let mut world = world();
    world.map(OTHER_ROOT, CODE, FRAME);
    let other_view = world.mock.create(FULL).unwrap();
    let own = world.breakpoint(CODE, 1);
    world.insert(&own).unwrap();
    let absent = world.breakpoint(Va(0xffff_f900_0000_0000), 1);
    world.insert(&absent).unwrap();
    world.mock.calls();
    let strangers = [
        Breakpoint { key: Key(2), ..own },
        Breakpoint {
            key: Key(2),
            ..absent
        },
        Breakpoint {
            root: OTHER_ROOT,
            ..own
        },
        Breakpoint {
            view: other_view,
            ..own
        },
        world.breakpoint(CODE.wrapping_add(1), 1),
    ];
    for stranger in &strangers {
        assert!(!world.remove(stranger).unwrap(), "{stranger:?}");
    }
    assert_eq!(world.mock.calls(), []);
    assert_eq!(world.executed(in_frame(FRAME)), INT3);
    assert!(world.remove(&absent).unwrap(), "the pending one");
    assert!(world.remove(&own).unwrap(), "the active one");
    world.assert_restored();
}
