//! What the guest does to hooked pages, and what is done for its absent ones.

use std::sync::{Arc, Mutex, atomic::Ordering};

use super::{
    mock::{Call, DEFAULT_VIEW, Mock},
    scene::{
        CALLER, CALLER_FRAME, KERNEL_CODE, KERNEL_FRAME, STACK_FRAME, STEP, Scene, byte_at_code,
        counter,
    },
    world::{PRESENT, ROOT},
};
use crate::{
    core::{
        Registers, Space, Va,
        driver::{EventReason, MemoryAccess, ResponseAction},
    },
    monitor::{
        Action, Handler, HookOptions, MemoryRange, Missing, NewHook, Scope, Target, patches::INT3,
    },
};

#[test]
fn writes_to_hooked_code_are_made_and_honoured() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let pa = KERNEL_FRAME.pa();
    let answer = scene.stop_at(Scene::access(pa, MemoryAccess::WRITE));
    assert_eq!(answer.action, ResponseAction::SingleStep);
    assert_eq!(answer.view, Some(DEFAULT_VIEW));
    scene.mock.poke(pa, &[0x5a]);
    let registers = Scene::registers(CALLER, 1);
    let view = scene.view();
    let after = scene.stop_in(DEFAULT_VIEW, registers, EventReason::SingleStep);
    assert_eq!(
        (after.action, after.view),
        (ResponseAction::Continue, Some(view))
    );
    assert_eq!(scene.mock.seen(view, pa), 0x5a);
    assert_eq!(byte_at_code(&scene), INT3);
    let read = scene.stop_at(Scene::access(pa, MemoryAccess::READ));
    assert_eq!(read.action, STEP);
}

#[test]
fn a_page_out_and_in_moves_the_hook() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let entry = super::world::entry_at(&scene.mock, ROOT, KERNEL_CODE, 1);
    let view = scene.view();
    for value in [0, STACK_FRAME.pa().0 | PRESENT] {
        let answer = scene.stop_at(Scene::access(entry, MemoryAccess::WRITE));
        assert_eq!(answer.action, ResponseAction::SingleStep);
        scene.mock.poke(entry, &value.to_le_bytes());
        let registers = Scene::registers(CALLER, 1);
        scene.stop_in(DEFAULT_VIEW, registers, EventReason::SingleStep);
        assert_ne!(byte_at_code(&scene), INT3);
    }
    let moved = STACK_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    assert_eq!(scene.mock.seen(view, moved), INT3);
}

#[test]
fn memory_hooks_report_their_range_and_access_only() {
    let scene = Scene::new();
    let (hits, counted) = counter();
    let range = MemoryRange {
        space: Space::Virtual { root: ROOT },
        start: CALLER.0,
        length: 16,
        access: MemoryAccess::WRITE,
    };
    let hook = NewHook {
        target: Target::Memory(range),
        options: HookOptions::default(),
        handler: Handler::Event(Box::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Action::Continue
        })),
    };
    let id = scene.live.insert(hook).unwrap();
    let first = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
    for (offset, access, expected) in [
        (0, MemoryAccess::WRITE, 1),
        (15, MemoryAccess::WRITE, 2),
        (16, MemoryAccess::WRITE, 2),
        (3, MemoryAccess::READ, 2),
    ] {
        let pa = first.wrapping_add(offset);
        assert_eq!(scene.stop_at(Scene::access(pa, access)).action, STEP);
        assert_eq!(hits.load(Ordering::Relaxed), expected);
    }
    scene.live.remove(id).unwrap();
    assert_eq!(scene.mock.altered(scene.view()), 0);
}

#[test]
fn a_missing_page_is_brought_in_and_the_waiting_callback_called_again() {
    let scene = Scene::new();
    *scene.guest.resident_allowed.lock().unwrap() = true;
    let calls: Arc<Mutex<Vec<String>>> = Arc::default();
    let missing = Missing {
        va: Va(0x7ff6_1234_5000),
        access: MemoryAccess::WRITE,
    };
    for name in ["a", "b", "c"] {
        let calls = calls.clone();
        scene.hook(KERNEL_CODE, Scope::All, move |event| {
            let refused = if event.not_resident { "!" } else { "" };
            let call = format!("{name}{}{refused}", event.attempt);
            calls.lock().unwrap().push(call);
            match name {
                "b" => Action::MakeResident(missing),
                _ => Action::Continue,
            }
        });
    }
    for _ in 0..3 {
        scene.mock.calls();
        let answer = scene.hit(KERNEL_CODE);
        assert_eq!(answer.action, ResponseAction::Continue);
        let injected = scene.mock.calls().into_iter().find_map(|call| match call {
            Call::Inject(vcpu, interrupt) => Some((vcpu, interrupt)),
            _ => None,
        });
        let (vcpu, interrupt) = injected.unwrap();
        assert_eq!(
            (vcpu, interrupt.vector, interrupt.extra),
            (0, 14, missing.va.0)
        );
        assert_eq!(interrupt.error_code, Some(2), "a write, by the kernel");
    }
    // Another thread's hit in between is its own.
    let other = Scene::int3(Scene::registers(KERNEL_CODE, 2));
    assert_eq!(scene.stop_at(other).action, ResponseAction::Continue);
    assert_eq!(scene.hit(KERNEL_CODE).action, STEP);
    let expected = ["a1", "b1", "b2", "b3", "a1", "b1", "b4", "b4!", "c1"];
    assert_eq!(*calls.lock().unwrap(), expected);
}

#[test]
fn no_page_fault_is_raised_where_it_would_do_harm() {
    let harmless = Scene::registers(KERNEL_CODE, 1);
    let user = crate::core::Segment {
        selector: 0x33,
        ..harmless.cs
    };
    let cases = [
        (false, harmless),
        (true, Registers { cr8: 2, ..harmless }),
        (
            true,
            Registers {
                rflags: 2,
                ..harmless
            },
        ),
        (
            true,
            Registers {
                cs: user,
                ..harmless
            },
        ),
    ];
    for (allowed, registers) in cases {
        let scene = Scene::new();
        *scene.guest.resident_allowed.lock().unwrap() = allowed;
        let (refusals, counted) = counter();
        scene.hook(KERNEL_CODE, Scope::All, move |event| {
            counted.fetch_add(event.not_resident.into(), Ordering::Relaxed);
            Action::MakeResident(Missing {
                va: KERNEL_CODE,
                access: MemoryAccess::READ,
            })
        });
        scene.mock.calls();
        assert_eq!(scene.stop_at(Scene::int3(registers)).action, STEP);
        assert_eq!(refusals.load(Ordering::Relaxed), 1);
        let injected = |call: &Call| matches!(call, Call::Inject(..));
        assert!(!scene.mock.calls().iter().any(injected));
    }
}

#[test]
fn without_views_a_patch_is_lifted_for_the_step() {
    let scene = Scene::over(Mock::without_views());
    let (hits, counted) = counter();
    scene.hook(KERNEL_CODE, Scope::All, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    });
    assert!(scene.live.is_visible());
    let pa = KERNEL_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    let original = scene.live.original_byte(pa).unwrap();
    assert_eq!(scene.mock.byte(pa), INT3);
    assert_eq!(scene.hit(KERNEL_CODE).action, ResponseAction::SingleStep);
    assert_eq!(scene.mock.byte(pa), original);
    let registers = Scene::registers(CALLER, 1);
    let after = scene.stop_at((registers, EventReason::SingleStep));
    assert_eq!(after.action, ResponseAction::Continue);
    assert_eq!(scene.mock.byte(pa), INT3);
    assert_eq!(hits.load(Ordering::Relaxed), 1);
    scene.live.close().unwrap();
    assert_eq!(scene.mock.byte(pa), original);
}

/// The event of a processor that has made its step.
fn stepped() -> (Registers, EventReason) {
    (Scene::registers(CALLER, 1), EventReason::SingleStep)
}

#[test]
fn tables_are_written_while_all_other_processors_stand() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let entry = super::world::entry_at(&scene.mock, ROOT, KERNEL_CODE, 1);
    let view = scene.view();
    let alone = || scene.mock.state().alone;
    let write = || Scene::access(entry, MemoryAccess::WRITE);
    scene.stop_of(0, view, write());
    assert_eq!(alone(), Some(0));
    // The other one was stopped by the same page before it could be held.
    let answer = scene.stop_of(1, view, write());
    assert_eq!(answer.action, ResponseAction::SingleStep);
    assert_eq!(alone(), Some(0), "its turn comes later");
    scene
        .mock
        .poke(entry, &(STACK_FRAME.pa().0 | PRESENT).to_le_bytes());
    scene.stop_of(0, DEFAULT_VIEW, stepped());
    let moved = STACK_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    assert_eq!(scene.mock.seen(view, moved), INT3);
    assert_eq!(alone(), Some(1));
    scene.stop_of(1, DEFAULT_VIEW, stepped());
    assert_eq!(alone(), None);
}

#[test]
fn writes_beside_watched_entries_hold_nobody() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let entry = super::world::entry_at(&scene.mock, ROOT, KERNEL_CODE, 1);
    scene.mock.calls();
    scene.stop_at(Scene::access(entry.wrapping_add(8), MemoryAccess::WRITE));
    scene.stop_at(Scene::access(KERNEL_FRAME.pa(), MemoryAccess::WRITE));
    let held = |call: &Call| matches!(call, Call::RunOnly(_));
    assert!(!scene.mock.calls().iter().any(held));
}

#[test]
fn leaving_in_the_middle_of_a_write_lets_all_processors_run() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let entry = super::world::entry_at(&scene.mock, ROOT, KERNEL_CODE, 1);
    scene.stop_at(Scene::access(entry, MemoryAccess::WRITE));
    assert_eq!(scene.mock.state().alone, Some(0));
    scene.live.close().unwrap();
    assert_eq!(scene.mock.state().alone, None);
}

#[test]
fn a_lifted_patch_is_passed_by_one_processor_at_a_time() {
    let scene = Scene::over(Mock::without_views());
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let pa = KERNEL_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    let hit = || Scene::int3(Scene::registers(KERNEL_CODE, 1));
    let at = |vcpu, event| scene.stop_of(vcpu, DEFAULT_VIEW, event).action;
    let alone = || scene.mock.state().alone;
    assert_eq!(at(0, hit()), ResponseAction::SingleStep);
    assert_eq!(alone(), Some(0));
    assert_eq!(at(1, hit()), ResponseAction::Continue, "it hits again");
    at(0, stepped());
    assert_eq!((alone(), scene.mock.byte(pa)), (None, INT3));
    assert_eq!(at(1, hit()), ResponseAction::SingleStep);
    assert_eq!(alone(), Some(1));
    at(1, stepped());
    assert_eq!((alone(), scene.mock.byte(pa)), (None, INT3));
}

#[test]
fn a_page_that_comes_in_is_hooked_whatever_call_fails() {
    let mut failed = true;
    for calls in 0..200 {
        let scene = Scene::new();
        scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
        let entry = super::world::entry_at(&scene.mock, ROOT, KERNEL_CODE, 1);
        let view = scene.view();
        scene.mock.fail_after(calls);
        let (registers, reason) = Scene::access(entry, MemoryAccess::WRITE);
        scene.queue(registers, reason);
        // The call that fails may be the wait itself: the event is still there.
        let _ = scene.poll().or_else(|_| scene.poll());
        scene
            .mock
            .poke(entry, &(STACK_FRAME.pa().0 | PRESENT).to_le_bytes());
        let (registers, reason) = stepped();
        scene.queue(registers, reason);
        let _ = scene.poll().or_else(|_| scene.poll());
        failed = scene.mock.heal();
        assert_eq!(scene.mock.state().answers.len(), 2, "call {calls}");
        assert_eq!(scene.mock.state().alone, None, "call {calls}");
        // The next hook makes good what was refused.
        scene.hook(CALLER, Scope::All, |_| Action::Continue);
        let moved = STACK_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
        assert_eq!(scene.mock.seen(view, moved), INT3, "call {calls}");
        scene.live.close().unwrap();
        assert_eq!(scene.mock.state().views.len(), 1);
        if !failed {
            break;
        }
    }
    assert!(!failed, "more calls than expected");
}
