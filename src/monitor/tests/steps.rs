//! Instructions that callbacks have executed one by one.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::{
    mock::{DEFAULT_VIEW, Mock},
    scene::{CALLER, CALLER_FRAME, KERNEL_CODE, KERNEL_FRAME, Scene, counter},
};
use crate::{
    core::{
        Registers,
        driver::{EventReason, EventResponse, MemoryAccess, Monitor, ResponseAction, ViewId},
    },
    monitor::{Action, Handler, HookId, HookOptions, NewHook, Scope, Target, patches::INT3},
};

/// Steps that are reported, and how many more are asked for.
fn watch_steps(scene: &Scene, more: u32) -> (HookId, Arc<AtomicU32>) {
    let (calls, counted) = counter();
    let hook = NewHook {
        target: Target::Processor(Monitor::SingleStep),
        options: HookOptions::default(),
        handler: Handler::Event(Box::new(move |event| {
            assert_eq!(event.stopped.event.reason, EventReason::SingleStep);
            match counted.fetch_add(1, Ordering::Relaxed) < more {
                true => Action::Step,
                false => Action::Continue,
            }
        })),
    };
    (scene.live.insert(hook).unwrap(), calls)
}

fn stepped(scene: &Scene, view: ViewId, at: u64) -> EventResponse {
    let registers = Registers {
        rip: at,
        ..Scene::registers(CALLER, 1)
    };
    scene.stop_in(view, registers, EventReason::SingleStep)
}

#[test]
fn a_step_over_a_breakpoint_is_reported_and_goes_on_in_the_librarys_view() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Step);
    let (_, steps) = watch_steps(&scene, 2);
    let home = scene.view();
    let answer = scene.hit(KERNEL_CODE);
    // The guest's own instruction is in the default view.
    assert_eq!(answer.action, ResponseAction::SingleStep);
    assert_eq!(answer.view, Some(DEFAULT_VIEW));
    let answer = stepped(&scene, DEFAULT_VIEW, KERNEL_CODE.0 + 1);
    assert_eq!(answer.action, ResponseAction::SingleStep);
    assert_eq!(answer.view, Some(home), "hooks act again");
    let answer = stepped(&scene, home, KERNEL_CODE.0 + 2);
    assert_eq!(answer.action, ResponseAction::SingleStep);
    let answer = stepped(&scene, home, KERNEL_CODE.0 + 3);
    assert_eq!(answer.action, ResponseAction::Continue);
    assert_eq!(steps.load(Ordering::Relaxed), 3);
}

#[test]
fn a_breakpoint_on_the_way_is_hit_and_stepped_over() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Step);
    let (hits, counted) = counter();
    scene.hook(CALLER, Scope::All, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    });
    let (_, steps) = watch_steps(&scene, 1);
    scene.hit(KERNEL_CODE);
    stepped(&scene, DEFAULT_VIEW, CALLER.0);
    let answer = scene.hit(CALLER);
    assert_eq!(hits.load(Ordering::Relaxed), 1);
    assert_eq!(answer.action, ResponseAction::SingleStep, "still stepping");
    assert_eq!(answer.view, Some(DEFAULT_VIEW));
    let home = scene.view();
    let answer = stepped(&scene, DEFAULT_VIEW, CALLER.0 + 1);
    assert_eq!(
        (answer.action, answer.view),
        (ResponseAction::Continue, Some(home))
    );
    assert_eq!(steps.load(Ordering::Relaxed), 2);
}

#[test]
fn accesses_and_processor_events_do_not_end_the_steps() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Step);
    let (_, steps) = watch_steps(&scene, 8);
    let home = scene.view();
    scene.hit(KERNEL_CODE);
    stepped(&scene, DEFAULT_VIEW, CALLER.0);
    // The instruction reads hooked code, then one writes it, then one is monitored.
    let read = scene.stop_at(Scene::access(KERNEL_FRAME.pa(), MemoryAccess::READ));
    assert_eq!(read.action, ResponseAction::SingleStep);
    assert_eq!(read.view, Some(DEFAULT_VIEW));
    assert_eq!(stepped(&scene, DEFAULT_VIEW, CALLER.0 + 1).view, Some(home));
    let write = scene.stop_at(Scene::access(KERNEL_FRAME.pa(), MemoryAccess::WRITE));
    assert_eq!(write.action, ResponseAction::SingleStep);
    assert_eq!(stepped(&scene, DEFAULT_VIEW, CALLER.0 + 2).view, Some(home));
    let (leaf, subleaf, length) = (0, 0, 2);
    let cpuid = EventReason::CpuId {
        leaf,
        subleaf,
        length,
    };
    let answer = scene.stop_at((Scene::registers(CALLER, 1), cpuid));
    assert_eq!(answer.action, ResponseAction::SingleStep);
    assert_eq!(steps.load(Ordering::Relaxed), 3);
}

#[test]
fn an_int3_of_the_guests_own_ends_the_steps() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Step);
    let (_, steps) = watch_steps(&scene, 8);
    let own = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
    scene.mock.poke(own, &[INT3]);
    scene.hit(KERNEL_CODE);
    stepped(&scene, DEFAULT_VIEW, CALLER.0);
    assert_eq!(scene.hit(CALLER).action, ResponseAction::Reinject);
    assert_eq!(steps.load(Ordering::Relaxed), 1);
    // Hits are stepped over unseen again.
    scene.mock.poke(own, &[0x90]);
    let hit = scene.hit(CALLER);
    assert_eq!(hit.action, ResponseAction::FastSingleStep(DEFAULT_VIEW));
}

#[test]
fn the_guests_own_int3_is_told_and_then_taken() {
    let scene = Scene::new();
    let (calls, counted) = counter();
    let hook = NewHook {
        target: Target::Processor(Monitor::Interrupt(3)),
        options: HookOptions::default(),
        handler: Handler::Event(Box::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Action::Continue
        })),
    };
    let id = scene.live.insert(hook).unwrap();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let own = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
    scene.mock.poke(own, &[INT3]);
    assert_eq!(scene.hit(CALLER).action, ResponseAction::Reinject);
    scene.hit(KERNEL_CODE);
    assert_eq!(
        calls.load(Ordering::Relaxed),
        1,
        "the library's are not told"
    );
    assert!(scene.live.remove(id).unwrap());
    let enabled = scene.mock.state().monitors.clone();
    assert!(enabled.contains(&Monitor::Interrupt(3)), "hooks need it");
}

#[test]
fn where_patches_are_visible_they_are_lifted_for_the_step() {
    let scene = Scene::over(Mock::without_views());
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Step);
    let (_, steps) = watch_steps(&scene, 0);
    let patched = KERNEL_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    assert_eq!(scene.hit(KERNEL_CODE).action, ResponseAction::SingleStep);
    assert_ne!(scene.mock.byte(patched), INT3);
    let answer = stepped(&scene, DEFAULT_VIEW, KERNEL_CODE.0 + 1);
    assert_eq!(answer.action, ResponseAction::Continue);
    assert_eq!(scene.mock.byte(patched), INT3);
    assert_eq!(steps.load(Ordering::Relaxed), 1);
    assert_eq!(scene.mock.state().alone, None, "all run again");
}

#[test]
fn steps_that_are_under_way_end_with_the_session() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Step);
    let (_, steps) = watch_steps(&scene, 8);
    scene.hit(KERNEL_CODE);
    scene.queue_in(
        DEFAULT_VIEW,
        Scene::registers(CALLER, 1),
        EventReason::SingleStep,
    );
    scene.live.close().unwrap();
    let (_, answer) = scene.mock.state().answers.pop().unwrap();
    assert_eq!(answer.action, ResponseAction::Continue);
    assert_eq!(steps.load(Ordering::Relaxed), 0);
    assert_eq!(scene.mock.altered(DEFAULT_VIEW), 0);
}
