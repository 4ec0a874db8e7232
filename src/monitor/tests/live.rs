//! The event loop: every event answered, callbacks in order, the guest restored.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::{
    mock::{Call, DEFAULT_VIEW},
    scene::{
        CALLER, CALLER_FRAME, KERNEL_CODE, KERNEL_FRAME, PROCESS_CREATED, STEP, Scene,
        byte_at_code, counter, new_hook, process, thread as thread_identity,
    },
};
use crate::{
    core::{
        Registers, Va,
        driver::{EventReason, Monitor, ResponseAction},
    },
    error::Error,
    monitor::{
        Action, Ended, Handler, HookId, HookOptions, NewHook, RateLimit, Scope, Target,
        patches::INT3,
    },
};

#[test]
fn the_guest_is_left_alone_until_the_first_hook() {
    let scene = Scene::new();
    assert_eq!(scene.poll().unwrap(), Ended::TimedOut);
    scene.live.close().unwrap();
    let touched = |call: &Call| !matches!(call, Call::Wait);
    assert!(!scene.mock.calls().iter().any(touched));
    let refused = scene
        .live
        .insert(new_hook(KERNEL_CODE, Scope::All, |_| Action::Continue));
    assert!(matches!(refused, Err(Error::Closed)));
}

#[test]
fn a_hit_calls_back_and_is_stepped_over_in_the_guests_own_view() {
    let scene = Scene::new();
    let (hits, counted) = counter();
    scene.hook(KERNEL_CODE, Scope::All, move |event| {
        counted.fetch_add(1, Ordering::Relaxed);
        assert_eq!(event.va, KERNEL_CODE);
        assert_eq!(event.stopped.identity().unwrap().process, process(4));
        Action::Continue
    });
    assert_eq!(byte_at_code(&scene), INT3);
    assert_eq!(scene.hit(KERNEL_CODE).action, STEP);
    assert_eq!(hits.load(Ordering::Relaxed), 1);
    scene.live.close().unwrap();
    let state = scene.mock.state();
    assert!(state.allocated.is_empty());
    assert_eq!(state.current, Some(DEFAULT_VIEW));
    assert_eq!((state.views.len(), state.paused), (1, 0));
    assert_eq!(state.monitors, []);
}

#[test]
fn foreign_breakpoints_are_the_guests_and_stale_ones_nobodys() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| panic!("not this one"));
    let own = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
    scene.mock.poke(own, &[INT3]);
    assert_eq!(scene.hit(CALLER).action, ResponseAction::Reinject);
    scene.mock.poke(own, &[0x90]);
    assert_eq!(scene.hit(CALLER).action, STEP);
    let (registers, reason) = Scene::int3(Scene::registers(Va(0x1234), 1));
    let unmapped = scene.stop_at((registers, reason));
    assert_eq!(unmapped.action, ResponseAction::Continue, "it faults");
    let (registers, reason) = Scene::int3(Scene::registers(KERNEL_CODE, 1));
    let while_stepping = scene.stop_in(DEFAULT_VIEW, registers, reason);
    assert_eq!(while_stepping.action, STEP, "not ours in the default view");
}

#[test]
fn an_int3_of_the_guest_under_a_patch_is_called_back_and_then_taken() {
    let scene = Scene::new();
    let own = KERNEL_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    scene.mock.poke(own, &[INT3]);
    let (hits, counted) = counter();
    scene.hook(KERNEL_CODE, Scope::All, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    });
    assert_eq!(scene.hit(KERNEL_CODE).action, STEP);
    let (registers, reason) = Scene::int3(Scene::registers(KERNEL_CODE, 1));
    let stepped = scene.stop_in(DEFAULT_VIEW, registers, reason);
    assert_eq!(stepped.action, ResponseAction::Reinject);
    assert_eq!(hits.load(Ordering::Relaxed), 1);
}

#[test]
fn scopes_are_evaluated_before_any_callback() {
    let scene = Scene::new();
    scene.guest.parents.lock().unwrap().extend([(4, 3), (3, 2)]);
    let (hits, counted) = counter();
    let hook = |scope, weight| {
        let counted = counted.clone();
        scene.hook(KERNEL_CODE, scope, move |_| {
            counted.fetch_add(weight, Ordering::Relaxed);
            Action::Continue
        })
    };
    hook(Scope::Process(process(4)), 1);
    hook(Scope::Process(process(5)), 1000);
    hook(Scope::ProcessTree(process(2)), 10);
    hook(Scope::ProcessTree(process(9)), 1000);
    hook(Scope::ImageName("P4.exe".into()), 100);
    hook(Scope::ImageName("p5.exe".into()), 1000);
    hook(Scope::Thread(thread_identity(2)), 1000);
    let reused = crate::monitor::ProcessIdentity {
        created: 99,
        ..process(4)
    };
    hook(Scope::Process(reused), 1000);
    scene.hit(KERNEL_CODE);
    assert_eq!(hits.load(Ordering::Relaxed), 111);
}

#[test]
fn children_belong_to_a_tree_though_their_parent_is_gone() {
    let scene = Scene::new();
    let (hits, counted) = counter();
    scene.hook(KERNEL_CODE, Scope::ProcessTree(process(2)), move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    });
    scene.hit(KERNEL_CODE);
    assert_eq!(
        hits.load(Ordering::Relaxed),
        0,
        "process 4 has no known parent"
    );
    let created = |child, parent| Registers {
        rcx: process(child).object.0,
        rdx: process(parent).object.0,
        ..Scene::registers(PROCESS_CREATED, 1)
    };
    let hit_by = |id: u64| {
        let registers = Registers {
            r14: id,
            ..Scene::registers(KERNEL_CODE, 1)
        };
        scene.stop_at(Scene::int3(registers));
        hits.swap(0, Ordering::Relaxed)
    };
    for (child, parent) in [(5, 2), (6, 5), (7, 1)] {
        scene.stop_at(Scene::int3(created(child, parent)));
        assert_eq!(hit_by(child.into()), u32::from(child != 7));
    }
}

#[test]
fn the_first_register_change_wins_and_the_second_hears_of_it() {
    let scene = Scene::new();
    let target = |rip: u64, registers: &Registers| Registers { rip, ..*registers };
    scene.hook(KERNEL_CODE, Scope::All, move |event| {
        let changed = target(0x1111, event.registers());
        event.set_registers(&changed).unwrap();
        Action::Continue
    });
    scene.hook(KERNEL_CODE, Scope::All, move |event| {
        assert_eq!(event.registers().rip, 0x1111);
        let changed = target(0x2222, event.registers());
        let refused = event.set_registers(&changed).unwrap_err();
        assert!(matches!(refused, Error::Conflict { .. }));
        let same = *event.registers();
        event.set_registers(&same).unwrap();
        Action::Continue
    });
    let answer = scene.hit(KERNEL_CODE);
    assert_eq!(
        answer.action,
        ResponseAction::Continue,
        "nothing to step over"
    );
    assert_eq!(answer.registers.unwrap().rip, 0x1111);
}

#[test]
fn other_registers_are_loaded_for_the_step() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |event| {
        let changed = Registers {
            rcx: 7,
            ..*event.registers()
        };
        event.set_registers(&changed).unwrap();
        Action::Continue
    });
    let answer = scene.hit(KERNEL_CODE);
    assert_eq!(answer.action, STEP);
    assert_eq!(answer.registers.unwrap().rcx, 7);
}

#[test]
fn hooks_remove_themselves_and_others_inside_callbacks() {
    let scene = Scene::new();
    let (hits, counted) = counter();
    let victim: Arc<Mutex<Option<HookId>>> = Arc::default();
    let (live, named) = (Arc::downgrade(&scene.live), victim.clone());
    scene.hook(KERNEL_CODE, Scope::All, move |_| {
        if let Some(id) = named.lock().unwrap().take() {
            assert!(live.upgrade().unwrap().remove(id).unwrap());
        }
        Action::Remove
    });
    let second = scene.hook(KERNEL_CODE, Scope::All, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    });
    *victim.lock().unwrap() = Some(second);
    assert_eq!(scene.hit(KERNEL_CODE).action, STEP);
    assert_eq!(hits.load(Ordering::Relaxed), 0, "removed before its turn");
    assert_ne!(byte_at_code(&scene), INT3);
    assert!(!scene.live.remove(second).unwrap());
    assert_eq!(scene.hit(KERNEL_CODE).action, STEP, "stale");
}

#[test]
fn a_callback_is_released_once_after_its_last_call() {
    struct Released(Arc<AtomicU32>);
    impl Drop for Released {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let scene = Scene::new();
    let (released, count) = counter();
    let make = || {
        let guard = Released(count.clone());
        new_hook(KERNEL_CODE, Scope::All, move |_| {
            let _ = &guard;
            Action::Remove
        })
    };
    scene.live.insert(make()).unwrap();
    scene.hit(KERNEL_CODE);
    assert_eq!(released.load(Ordering::Relaxed), 1);
    scene.live.insert(make()).unwrap();
    scene.mock.fail_after(0);
    scene.live.insert(make()).unwrap_err();
    assert_eq!(released.load(Ordering::Relaxed), 2, "also when it fails");
    scene.live.close().unwrap();
    assert_eq!(released.load(Ordering::Relaxed), 3);
}

#[test]
fn a_panicking_callback_is_answered_removed_and_reported() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| panic!("on purpose"));
    let (registers, reason) = Scene::int3(Scene::registers(KERNEL_CODE, 1));
    scene.queue(registers, reason);
    let failed = scene.poll().unwrap_err();
    assert!(failed.to_string().contains("on purpose"));
    assert_eq!(scene.mock.state().answers[0].1.action, STEP);
    assert_ne!(byte_at_code(&scene), INT3);
}

#[test]
fn every_reason_is_answered() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let registers = Scene::registers(CALLER, 1);
    let answer = |reason| scene.stop_at((registers, reason));
    for reason in [
        EventReason::Unknown(77),
        EventReason::Hypercall,
        EventReason::SingleStep,
        EventReason::Msr {
            index: 0xc000_0082,
            old: 0,
            new: 1,
        },
        EventReason::CpuId {
            leaf: 1,
            subleaf: 0,
            length: 2,
        },
    ] {
        assert_eq!(answer(reason).action, ResponseAction::Continue);
    }
}

#[test]
fn processor_events_reach_their_subscribers_and_can_be_denied() {
    let scene = Scene::new();
    let register = Monitor::ControlRegister(3);
    let deny = |event: &mut crate::monitor::Occurrence<'_>| {
        event.deny();
        Action::Continue
    };
    let hook = NewHook {
        target: Target::Processor(register),
        options: HookOptions::default(),
        handler: Handler::Event(Box::new(deny)),
    };
    let id = scene.live.insert(hook).unwrap();
    assert!(scene.mock.state().monitors.contains(&register));
    let reason = EventReason::ControlRegister {
        register: 3,
        old: 0,
        new: 1,
    };
    let answer = scene.stop_at((Scene::registers(CALLER, 1), reason));
    assert_eq!(answer.action, ResponseAction::Deny);
    scene.live.remove(id).unwrap();
    assert!(!scene.mock.state().monitors.contains(&register));
}

#[test]
fn a_flooded_hook_is_suspended() {
    let scene = Scene::new();
    let seen: Arc<Mutex<Vec<bool>>> = Arc::default();
    let noted = seen.clone();
    let mut hook = new_hook(KERNEL_CODE, Scope::All, move |event| {
        noted.lock().unwrap().push(event.suspended);
        Action::Continue
    });
    hook.options.limit = RateLimit {
        calls: 2,
        window: Duration::from_secs(60),
        suspension: Duration::from_secs(60),
    };
    scene.live.insert(hook).unwrap();
    for _ in 0..5 {
        assert_eq!(scene.hit(KERNEL_CODE).action, STEP);
    }
    assert_eq!(*seen.lock().unwrap(), [false, false, true]);
}
