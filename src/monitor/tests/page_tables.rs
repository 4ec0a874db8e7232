//! The page-table monitor.

use super::{
    mock::FULL,
    world::{ACCESSED, LARGE, OTHER_ROOT, PRESENT, ROOT, World},
};
use crate::{
    core::{
        Gfn, Pa, Va,
        driver::{MemoryAccess, Views},
    },
    monitor::page_tables::{PageChange, WatchedPage},
};

const VA: Va = Va(0xffff_8a81_4567_8000);
const OLD: Pa = Pa(0x70_0000);
const NEW: Pa = Pa(0x71_0000);

fn watch(world: &mut World, root: Pa, va: Va) -> Option<Pa> {
    let page = WatchedPage::new(world.view, root, va);
    world.ground.watch(page).unwrap()
}

fn unwatch(world: &mut World, root: Pa, va: Va) {
    let page = WatchedPage::new(world.view, root, va);
    world.ground.unwatch(page).unwrap();
}

/// What the guest's write of an entry changed.
fn write(world: &mut World, entry: Pa, value: u64) -> Vec<(Option<Pa>, Option<Pa>)> {
    assert!(world.ground.mark_dirty(world.view, entry, 0), "not watched");
    world.set_entry(entry, value);
    process(world, 0)
}

fn process(world: &mut World, vcpu: u16) -> Vec<(Option<Pa>, Option<Pa>)> {
    let mut changes = Vec::new();
    world.ground.process_dirty(vcpu, &mut changes).unwrap();
    let moves = |change: &PageChange| (change.before, change.after);
    changes.iter().map(moves).collect()
}

/// A world in which `VA` is mapped to `OLD` and watched.
fn mapped() -> World {
    let mut world = World::new();
    world.map(ROOT, VA, OLD.gfn());
    assert_eq!(watch(&mut world, ROOT, VA), Some(OLD));
    world
}

#[test]
fn presence_and_absence_at_every_level() {
    for level in 1..=4 {
        let mut world = mapped();
        let entry = world.entry_of(ROOT, VA, level);
        let value = world.entry(entry);
        assert_eq!(
            write(&mut world, entry, 0),
            [(Some(OLD), None)],
            "level {level}"
        );
        assert_eq!(write(&mut world, entry, value), [(None, Some(OLD))]);
        unwatch(&mut world, ROOT, VA);
        assert_eq!(world.mock.altered(world.view), 0);
    }
}

#[test]
fn a_way_built_from_the_top_is_followed_level_by_level() {
    let mut world = World::new();
    assert_eq!(watch(&mut world, ROOT, VA), None);
    let mut table = ROOT;
    for level in (2..=4).rev() {
        let fresh = world.new_table();
        let entry = crate::arch::amd64::entry_address(table, VA, level);
        assert_eq!(write(&mut world, entry, fresh.0 | PRESENT), []);
        table = fresh;
    }
    let leaf = crate::arch::amd64::entry_address(table, VA, 1);
    assert_eq!(
        write(&mut world, leaf, OLD.0 | PRESENT),
        [(None, Some(OLD))]
    );
}

#[test]
fn a_change_of_frame_at_every_level() {
    for level in 2..=4 {
        let mut world = mapped();
        // A second chain to NEW, built below a scratch root.
        let scratch = world.entry_of(OTHER_ROOT, VA, level);
        world.map(OTHER_ROOT, VA, NEW.gfn());
        let value = world.entry(scratch);
        let entry = world.entry_of(ROOT, VA, level);
        assert_eq!(write(&mut world, entry, value), [(Some(OLD), Some(NEW))]);
        unwatch(&mut world, ROOT, VA);
        assert_eq!(world.mock.altered(world.view), 0);
    }
    let mut world = mapped();
    let entry = world.entry_of(ROOT, VA, 1);
    let moved = write(&mut world, entry, NEW.0 | PRESENT);
    assert_eq!(moved, [(Some(OLD), Some(NEW))]);
}

#[test]
fn accessed_dirty_and_permission_bits_are_ignored() {
    let mut world = mapped();
    for level in 1..=4 {
        let entry = world.entry_of(ROOT, VA, level);
        let value = world.entry(entry);
        assert_eq!(write(&mut world, entry, value | ACCESSED | 1 << 63), []);
        assert_eq!(write(&mut world, entry, value & !2), []);
    }
    let absent = world.entry_of(ROOT, VA, 1);
    write(&mut world, absent, 0);
    assert_eq!(
        write(&mut world, absent, 0xdead_0000_0000),
        [],
        "absent either way"
    );
}

#[test]
fn large_leaves_come_go_and_move() {
    for level in [2, 3] {
        let mut world = World::new();
        let base = Pa(0x1_4000_0000);
        let entry = world.map_large(ROOT, VA, level, base);
        let inside = VA.0 & ((1 << crate::arch::amd64::index_shift(level)) - 1);
        let first = Pa(base.0 + inside);
        assert_eq!(watch(&mut world, ROOT, VA), Some(first));
        assert_eq!(write(&mut world, entry, 0), [(Some(first), None)]);
        // The PAT bit is no part of the address.
        let value = base.0 | PRESENT | LARGE | 1 << 12;
        assert_eq!(write(&mut world, entry, value), [(None, Some(first))]);
        let moved = Pa(0x1_8000_0000);
        let second = Pa(moved.0 + inside);
        let changes = write(&mut world, entry, moved.0 | PRESENT | LARGE);
        assert_eq!(changes, [(Some(first), Some(second))]);
        unwatch(&mut world, ROOT, VA);
        assert_eq!(world.mock.altered(world.view), 0);
    }
}

#[test]
fn splitting_and_joining_with_the_same_frame_moves_nothing() {
    let mut world = World::new();
    let base = Pa(0x4000_0000);
    let entry = world.map_large(ROOT, VA, 2, base);
    let here = Pa(base.0 + (VA.0 & 0x1f_f000));
    watch(&mut world, ROOT, VA);
    let table = world.new_table();
    let leaf = crate::arch::amd64::entry_address(table, VA, 1);
    world.set_entry(leaf, here.0 | PRESENT);
    assert_eq!(write(&mut world, entry, table.0 | PRESENT), []);
    // The new table is watched from now on, with another frame too.
    assert_eq!(
        write(&mut world, leaf, NEW.0 | PRESENT),
        [(Some(here), Some(NEW))]
    );
    let joined = write(&mut world, entry, base.0 | PRESENT | LARGE);
    assert_eq!(joined, [(Some(NEW), Some(here))]);
    assert_eq!(world.mock.shown(world.view, table.gfn()).access, FULL);
}

#[test]
fn splitting_and_joining_with_other_frames_moves() {
    for level in [2, 3] {
        let mut world = World::new();
        let base = Pa(0x1_4000_0000);
        let entry = world.map_large(ROOT, VA, level, base);
        let inside = VA.0 & ((1 << crate::arch::amd64::index_shift(level)) - 1);
        let here = Pa(base.0 + inside);
        watch(&mut world, ROOT, VA);
        // Tables down to a page of another frame, then another large page.
        let large = world.entry(entry);
        world.set_entry(entry, 0);
        world.map(ROOT, VA, NEW.gfn());
        let split = world.entry(entry);
        world.set_entry(entry, large);
        let moved = write(&mut world, entry, split);
        assert_eq!(moved, [(Some(here), Some(NEW))], "level {level}");
        let other = Pa(0x1_8000_0000);
        let there = Pa(other.0 + inside);
        let joined = write(&mut world, entry, other.0 | PRESENT | LARGE);
        assert_eq!(joined, [(Some(NEW), Some(there))], "level {level}");
        unwatch(&mut world, ROOT, VA);
        assert_eq!(world.mock.altered(world.view), 0);
    }
}

#[test]
fn a_size_bit_in_the_top_table_maps_nothing() {
    let mut world = mapped();
    let entry = world.entry_of(ROOT, VA, 4);
    let value = world.entry(entry);
    assert_eq!(write(&mut world, entry, value | LARGE), [(Some(OLD), None)]);
}

#[test]
fn addresses_share_tables() {
    let mut world = mapped();
    let neighbour = VA.wrapping_add(0x1000);
    world.map(ROOT, neighbour, NEW.gfn());
    watch(&mut world, ROOT, neighbour);
    let directory = world.entry_of(ROOT, VA, 2);
    let value = world.entry(directory);
    let mut gone = write(&mut world, directory, 0);
    gone.sort();
    assert_eq!(gone, [(Some(OLD), None), (Some(NEW), None)]);
    unwatch(&mut world, ROOT, neighbour);
    assert_eq!(write(&mut world, directory, value), [(None, Some(OLD))]);
}

#[test]
fn one_table_at_different_levels_of_two_roots() {
    let mut world = mapped();
    // The directory of VA is the page table of another address in another root.
    let directory = world.entry_of(ROOT, VA, 2);
    let table = directory.page();
    let slot = directory.page_offset() / 8;
    let low = Va(slot << 12);
    let upper = world.entry_of(OTHER_ROOT, low, 2);
    world.set_entry(upper, table.0 | PRESENT);
    let page_table = Pa(world.entry(directory) & !0xfff);
    assert_eq!(watch(&mut world, OTHER_ROOT, low), Some(page_table));
    let mut changes = write(&mut world, directory, 0);
    changes.sort();
    assert_eq!(changes, [(Some(page_table), None), (Some(OLD), None)]);
    unwatch(&mut world, ROOT, VA);
    unwatch(&mut world, OTHER_ROOT, low);
    assert_eq!(world.mock.altered(world.view), 0);
}

#[test]
fn a_self_map_reads_one_entry_at_every_level() {
    let mut world = World::new();
    let index = 0x1ed_u64;
    let own = ROOT.wrapping_add(index * 8);
    world.set_entry(own, ROOT.0 | PRESENT);
    let va = Va(0xffff << 48 | index << 39 | index << 30 | index << 21 | index << 12);
    assert_eq!(watch(&mut world, ROOT, va), Some(ROOT));
    assert_eq!(write(&mut world, own, 0), [(Some(ROOT), None)]);
    assert_eq!(
        write(&mut world, own, ROOT.0 | PRESENT),
        [(None, Some(ROOT))]
    );
    unwatch(&mut world, ROOT, va);
    assert_eq!(world.mock.altered(world.view), 0);
}

#[test]
fn parent_and_child_written_together_count_once() {
    let mut world = mapped();
    let directory = world.entry_of(ROOT, VA, 2);
    let leaf = world.entry_of(ROOT, VA, 1);
    let table = world.new_table();
    let fresh_leaf = crate::arch::amd64::entry_address(table, VA, 1);
    world.set_entry(fresh_leaf, NEW.0 | PRESENT);
    for entry in [leaf, directory, leaf] {
        world.ground.mark_dirty(world.view, entry, 0);
    }
    world.set_entry(leaf, 0);
    world.set_entry(directory, table.0 | PRESENT);
    assert_eq!(process(&mut world, 0), [(Some(OLD), Some(NEW))]);
}

#[test]
fn marks_belong_to_the_processor_that_writes() {
    let mut world = mapped();
    let leaf = world.entry_of(ROOT, VA, 1);
    world.ground.mark_dirty(world.view, leaf, 1);
    world.set_entry(leaf, 0);
    assert_eq!(process(&mut world, 0), []);
    assert_eq!(process(&mut world, 1), [(Some(OLD), None)]);
    assert_eq!(process(&mut world, 1), []);
}

#[test]
fn unaligned_and_wide_writes_are_seen() {
    let leaf = mapped().entry_of(ROOT, VA, 1);
    for start in [leaf.0 - 63, leaf.0 - 4, leaf.0 + 7] {
        let mut world = mapped();
        let touched = world.ground.mark_dirty(world.view, Pa(start), 0);
        assert!(touched, "write at {start:#x}");
        world.set_entry(leaf, 0);
        assert_eq!(process(&mut world, 0), [(Some(OLD), None)]);
    }
    let mut world = mapped();
    for start in [leaf.0 - 64, leaf.0 + 8] {
        assert!(!world.ground.mark_dirty(world.view, Pa(start), 0));
    }
}

#[test]
fn writes_over_the_end_of_a_page_are_seen_in_the_other_half() {
    // Entry 0 of a page table, written from the last bytes of any page before it.
    let first = Va(0xffff_8a81_4560_0000);
    let mut world = World::new();
    world.map(ROOT, first, OLD.gfn());
    watch(&mut world, ROOT, first);
    let leaf = world.entry_of(ROOT, first, 1);
    let neighbour = world.entry_of(ROOT, first, 2).page().wrapping_add(4092);
    assert!(world.ground.mark_dirty(world.view, neighbour, 0));
    world.set_entry(leaf, 0);
    assert_eq!(process(&mut world, 0), [(Some(OLD), None)]);
    // The last entry, written by an instruction whose second half is reported.
    let last = Va(0xffff_8a81_457f_f000);
    world.map(ROOT, last, NEW.gfn());
    watch(&mut world, ROOT, last);
    let leaf = world.entry_of(ROOT, last, 1);
    assert!(world.ground.mark_dirty(world.view, Pa(ROOT.0), 0));
    world.set_entry(leaf, 0);
    assert_eq!(process(&mut world, 0), [(Some(NEW), None)]);
}

#[test]
fn unwatching_while_dirty_is_quiet() {
    let mut world = mapped();
    let leaf = world.entry_of(ROOT, VA, 1);
    world.ground.mark_dirty(world.view, leaf, 0);
    unwatch(&mut world, ROOT, VA);
    world.set_entry(leaf, 0);
    assert_eq!(process(&mut world, 0), []);
}

#[test]
fn watches_are_counted_and_rights_come_back_exactly() {
    let mut world = World::new();
    let leaf = world.map(ROOT, VA, OLD.gfn());
    let odd = MemoryAccess::READ | MemoryAccess::EXECUTE;
    let (view, table) = (world.view, leaf.gfn());
    world.mock.set_access(view, table, odd).unwrap();
    watch(&mut world, ROOT, VA);
    watch(&mut world, ROOT, VA);
    let protected = MemoryAccess::READ | MemoryAccess::IGNORE_PAGE_WALK;
    assert_eq!(world.mock.shown(view, table).access, protected);
    assert_eq!(world.mock.shown(view, ROOT.gfn()).access, protected);
    unwatch(&mut world, ROOT, VA);
    assert_eq!(world.mock.shown(view, table).access, protected);
    unwatch(&mut world, ROOT, VA);
    assert_eq!(world.mock.shown(view, table).access, odd);
    assert_eq!(world.mock.shown(view, ROOT.gfn()).access, FULL);
    unwatch(&mut world, ROOT, VA);
}

#[test]
fn a_table_outside_of_memory_maps_nothing() {
    let mut world = mapped();
    let directory = world.entry_of(ROOT, VA, 2);
    let nowhere = Gfn(0xff_ffff).pa().0 | PRESENT;
    assert_eq!(write(&mut world, directory, nowhere), [(Some(OLD), None)]);
    unwatch(&mut world, ROOT, VA);
    assert_eq!(world.mock.altered(world.view), 0);
}
