//! A failure at every driver call in turn: what is left can be retried and removed.

use super::world::{OTHER_ROOT, PRESENT, ROOT, World};
use crate::{
    core::{Gfn, Va},
    monitor::{
        breakpoint::{Breakpoint, Inserted},
        page_tables::WatchedPage,
        patches::INT3,
    },
};

const CODE: Va = Va(0xffff_f800_0012_3450);
const FRAME: Gfn = Gfn(0x777);
/// More driver calls than any single operation here makes.
const MANY: usize = 200;

fn prepared() -> (World, [Breakpoint; 3]) {
    let mut world = World::new();
    world.map(ROOT, CODE, FRAME);
    world.map(OTHER_ROOT, CODE, Gfn(0x888));
    let global = world.global(CODE, 2);
    let other = Breakpoint {
        root: OTHER_ROOT,
        ..global
    };
    let breakpoints = [world.breakpoint(CODE, 1), global, other];
    (world, breakpoints)
}

/// Runs `scenario` with a failure at its first, second, ... call, until none fails.
fn at_each_call(scenario: impl Fn(usize) -> bool) {
    let failing = (0..MANY).take_while(|calls| scenario(*calls)).count();
    assert!((1..MANY).contains(&failing), "{failing} calls failed");
}

#[test]
fn insertion_fails_whole_and_can_be_repeated() {
    for lasting in [false, true] {
        at_each_call(|calls| {
            let (mut world, breakpoints) = prepared();
            match lasting {
                true => world.mock.break_after(calls),
                false => world.mock.fail_after(calls),
            }
            let result = world.insert(&breakpoints[0]);
            let failed = world.mock.heal();
            if result.is_err() {
                world.manager.settle(&mut world.ground);
                assert!(!world.manager.contains_address(world.view, ROOT, CODE));
                assert_eq!(world.mock.altered(world.view), 0, "call {calls}");
                assert_eq!(world.insert(&breakpoints[0]).unwrap(), Inserted::Active);
            }
            assert!(world.remove(&breakpoints[0]).unwrap());
            if lasting {
                // A back end that refuses for good refuses to resume, too.
                world.mock.state().paused = 0;
            }
            world.manager.clear(&mut world.ground).unwrap();
            world.assert_restored();
            failed
        });
    }
}

#[test]
fn removal_can_be_repeated_until_it_succeeds() {
    at_each_call(|calls| {
        let (mut world, breakpoints) = prepared();
        for breakpoint in &breakpoints {
            world.insert(breakpoint).unwrap();
        }
        world.mock.fail_after(calls);
        let results = breakpoints.map(|breakpoint| world.remove(&breakpoint));
        let failed = world.mock.heal();
        for (result, breakpoint) in results.into_iter().zip(&breakpoints) {
            if result.is_err() {
                world.remove(breakpoint).unwrap();
            }
        }
        world.manager.clear(&mut world.ground).unwrap();
        world.assert_restored();
        failed
    });
}

#[test]
fn a_batch_that_fails_leaves_nothing() {
    at_each_call(|calls| {
        let (mut world, breakpoints) = prepared();
        world.mock.fail_after(calls);
        let result = world.manager.insert_many(&mut world.ground, &breakpoints);
        let failed = world.mock.heal();
        if result.is_err() {
            world.manager.settle(&mut world.ground);
            assert!(world.manager.is_empty());
            assert_eq!(world.mock.altered(world.view), 0, "call {calls}");
        }
        world.manager.clear(&mut world.ground).unwrap();
        world.assert_restored();
        failed
    });
}

#[test]
fn following_a_page_recovers_at_the_next_event() {
    at_each_call(|calls| {
        let (mut world, breakpoints) = prepared();
        for breakpoint in &breakpoints {
            world.insert(breakpoint).unwrap();
        }
        let entry = world.entry_of(ROOT, CODE, 1);
        let moved = Gfn(0x999);
        world.mock.put(moved, super::mock::code(0));
        world.ground.mark_dirty(world.view, entry, 0);
        world.set_entry(entry, moved.pa().0 | PRESENT);
        world.mock.fail_after(calls);
        let mut changes = Vec::new();
        let result = world.ground.process_dirty(0, &mut changes);
        for change in &changes {
            world.manager.follow(&mut world.ground, change);
        }
        let failed = world.mock.heal();
        if result.is_err() {
            world.process(0);
        }
        world.manager.settle(&mut world.ground);
        let hooked = moved.pa().wrapping_add(CODE.page_offset());
        assert_eq!(world.executed(hooked), INT3, "call {calls}");
        assert_eq!(world.keys(hooked, ROOT), [1, 2]);
        let left = FRAME.pa().wrapping_add(CODE.page_offset());
        assert_ne!(world.executed(left), INT3);
        world.manager.clear(&mut world.ground).unwrap();
        world.assert_restored();
        failed
    });
}

#[test]
fn watching_a_page_fails_whole() {
    at_each_call(|calls| {
        let (mut world, _) = prepared();
        let page = WatchedPage::new(world.view, ROOT, CODE);
        world.mock.break_after(calls);
        let result = world.ground.watch(page);
        let failed = world.mock.heal();
        if result.is_err() {
            let machine = world.ground.machine.clone();
            world.ground.rights.settle(&machine).unwrap();
            assert_eq!(world.mock.altered(world.view), 0, "call {calls}");
            assert_eq!(world.ground.watch(page).unwrap(), Some(FRAME.pa()));
        }
        world.ground.unwatch(page).unwrap();
        world.assert_restored();
        failed
    });
}
