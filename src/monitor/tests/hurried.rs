//! A page does not go while a processor stands at a patch in it: how long, and for whom.

use std::sync::Arc;

use super::{
    mock::{DEFAULT_VIEW, Mock},
    scene::{CALLER, KERNEL_CODE, STACK_FRAME, STEP, Scene},
    world::{PRESENT, ROOT, entry_at},
};
use crate::{
    core::{
        Va,
        driver::{EventReason, MemoryAccess, ResponseAction},
    },
    monitor::{Action, Scope, hurried::Hurried, patches::INT3},
};

/// Tries that wait for one step, as the module says.
const PATIENCE: usize = 1000;

fn mock_at(vcpu: u16, va: Va) -> Arc<Mock> {
    let mock = Arc::new(Mock::new());
    goes_to(&mock, vcpu, va);
    mock
}

fn goes_to(mock: &Mock, vcpu: u16, va: Va) {
    let registers = Scene::registers(va, 1);
    mock.state().registers.insert(vcpu, registers);
}

#[test]
fn nobody_is_held_up_where_nobody_steps() {
    let mock = mock_at(1, KERNEL_CODE);
    let mut hurried = Hurried::default();
    assert!(!hurried.holds_up(&mock.machine(), 0));
    assert!(mock.calls().is_empty(), "and nobody is asked");
}

#[test]
fn a_processor_does_not_wait_for_itself() {
    let mock = mock_at(0, KERNEL_CODE);
    let mut hurried = Hurried::default();
    hurried.begin(0, KERNEL_CODE);
    assert!(!hurried.holds_up(&mock.machine(), 0));
}

#[test]
fn one_waits_until_the_step_is_made() {
    let mock = mock_at(1, KERNEL_CODE);
    let machine = mock.machine();
    let mut hurried = Hurried::default();
    hurried.begin(1, KERNEL_CODE);
    assert!(hurried.holds_up(&machine, 0));
    assert!(hurried.holds_up(&machine, 0));
    goes_to(&mock, 1, KERNEL_CODE.wrapping_add(4));
    assert!(!hurried.holds_up(&machine, 0));
    // It has been seen elsewhere: that it is there again is another hit's business.
    goes_to(&mock, 1, KERNEL_CODE);
    assert!(!hurried.holds_up(&machine, 0));
}

#[test]
fn another_event_shows_that_the_step_is_made() {
    let mock = mock_at(1, KERNEL_CODE);
    let machine = mock.machine();
    let mut hurried = Hurried::default();
    hurried.begin(1, KERNEL_CODE);
    assert!(hurried.holds_up(&machine, 0));
    hurried.end(1);
    assert!(!hurried.holds_up(&machine, 0));
}

#[test]
fn every_step_is_waited_for() {
    let mock = mock_at(1, KERNEL_CODE);
    goes_to(&mock, 2, CALLER);
    let machine = mock.machine();
    let mut hurried = Hurried::default();
    hurried.begin(1, KERNEL_CODE);
    hurried.begin(2, CALLER);
    hurried.end(1);
    assert!(hurried.holds_up(&machine, 0));
    hurried.end(2);
    assert!(!hurried.holds_up(&machine, 0));
}

#[test]
fn patience_ends_and_begins_anew() {
    let mock = mock_at(1, KERNEL_CODE);
    let machine = mock.machine();
    let mut hurried = Hurried::default();
    hurried.begin(1, KERNEL_CODE);
    for _ in 0..2 {
        let held = (0..PATIENCE * 2).take_while(|_| hurried.holds_up(&machine, 0));
        assert_eq!(held.count(), PATIENCE);
    }
}

#[test]
fn a_processor_that_cannot_be_asked_is_not_waited_for() {
    let mock = mock_at(1, KERNEL_CODE);
    let mut hurried = Hurried::default();
    hurried.begin(1, KERNEL_CODE);
    mock.fail_after(0);
    assert!(!hurried.holds_up(&mock.machine(), 0));
    assert!(mock.heal(), "it was asked");
}

/// A page goes only after the processor at its patch has made the step; then its turn begins.
#[test]
fn a_page_out_comes_after_the_steps_and_before_the_next_hits() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let entry = entry_at(&scene.mock, ROOT, KERNEL_CODE, 1);
    let view = scene.view();
    let hit = || Scene::int3(Scene::registers(KERNEL_CODE, 1));
    let write = || Scene::access(entry, MemoryAccess::WRITE);
    goes_to(&scene.mock, 1, KERNEL_CODE);
    assert_eq!(scene.stop_of(1, view, hit()).action, STEP);
    for _ in 0..3 {
        let answer = scene.stop_of(0, view, write());
        assert_eq!(answer.action, ResponseAction::Continue, "tried again");
        assert_eq!(scene.mock.state().alone, None);
    }
    goes_to(&scene.mock, 1, CALLER);
    let answer = scene.stop_of(0, view, write());
    assert_eq!(answer.action, ResponseAction::SingleStep);
    assert_eq!(scene.mock.state().alone, Some(0));
    // A hit that was on its way waits for the write in turn.
    let answer = scene.stop_of(1, view, hit());
    assert_eq!(answer.action, ResponseAction::Continue);
    scene
        .mock
        .poke(entry, &(STACK_FRAME.pa().0 | PRESENT).to_le_bytes());
    let stepped = (Scene::registers(CALLER, 1), EventReason::SingleStep);
    scene.stop_of(0, DEFAULT_VIEW, stepped);
    assert_eq!(scene.mock.state().alone, None);
    let moved = STACK_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    assert_eq!(scene.mock.seen(view, moved), INT3);
}
