//! The event loop: every event answered, callbacks in order, the guest restored.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    mock::{Call, DEFAULT_VIEW, Mock},
    scene::{
        CALLER, CALLER_FRAME, KERNEL_CODE, KERNEL_FRAME, STACK_FRAME, Scene, new_hook, process,
        thread as thread_identity,
    },
    world::{PRESENT, ROOT},
};
use crate::{
    core::{
        Registers, Space, Va,
        driver::{EventReason, MemoryAccess, Monitor, ResponseAction},
    },
    error::Error,
    monitor::{
        Action, Ended, Handler, HookId, HookOptions, MemoryRange, Missing, NewHook, RateLimit,
        Scope, Target, patches::INT3,
    },
};

const STEP: ResponseAction = ResponseAction::FastSingleStep(DEFAULT_VIEW);

fn counter() -> (Arc<AtomicU32>, Arc<AtomicU32>) {
    let counter = Arc::new(AtomicU32::new(0));
    (counter.clone(), counter)
}

fn byte_at_code(scene: &Scene) -> u8 {
    let pa = KERNEL_FRAME.pa().wrapping_add(KERNEL_CODE.page_offset());
    scene.mock.seen(scene.view(), pa)
}

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
    assert_eq!(unmapped.action, ResponseAction::Reinject);
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
    ] {
        assert_eq!(answer(reason).action, ResponseAction::Continue);
    }
    let cpuid = answer(EventReason::CpuId {
        leaf: 1,
        subleaf: 0,
        length: 2,
    });
    assert_eq!(cpuid.registers.unwrap().rip, CALLER.0 + 2);
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

#[test]
fn the_loop_stops_wakes_and_is_cancelled() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Stop);
    let (registers, reason) = Scene::int3(Scene::registers(KERNEL_CODE, 1));
    scene.queue(registers, reason);
    assert_eq!(scene.live.run(&|| false).unwrap(), Ended::Stopped);
    let live = scene.live.clone();
    let waker = thread::spawn(move || live.wakeup());
    assert_eq!(scene.live.run(&|| false).unwrap(), Ended::Woken);
    waker.join().unwrap();
    let cancelled = scene.live.run(&|| true);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
}

#[test]
fn closing_waits_for_the_loop_of_another_thread() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let live = scene.live.clone();
    let runner = thread::spawn(move || live.run(&|| false));
    thread::sleep(Duration::from_millis(20));
    assert!(matches!(scene.poll(), Err(Error::Busy { .. })));
    assert!(scene.live.close().unwrap());
    assert_eq!(runner.join().unwrap().unwrap(), Ended::Closed);
    assert_eq!(scene.mock.state().views.len(), 1);
}

#[test]
fn closing_inside_a_callback_completes_when_the_loop_ends() {
    let scene = Scene::new();
    let live = Arc::downgrade(&scene.live);
    scene.hook(KERNEL_CODE, Scope::All, move |_| {
        assert!(!live.upgrade().unwrap().close().unwrap());
        Action::Continue
    });
    let (registers, reason) = Scene::int3(Scene::registers(KERNEL_CODE, 1));
    scene.queue(registers, reason);
    assert_eq!(scene.live.run(&|| false).unwrap(), Ended::Closed);
    assert!(scene.mock.state().allocated.is_empty());
}

#[test]
fn detaching_follows_the_one_safe_order() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| panic!("nobody is called"));
    // Two events are on their way: one of ours, one of the guest's.
    let own = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
    scene.mock.poke(own, &[INT3]);
    for va in [KERNEL_CODE, CALLER] {
        let (registers, reason) = Scene::int3(Scene::registers(va, 1));
        scene.queue(registers, reason);
    }
    let view = scene.view();
    scene.mock.calls();
    scene.live.close().unwrap();
    let calls = scene.mock.calls();
    let first = |wanted: &Call| calls.iter().position(|call| call == wanted).unwrap();
    let last = |wanted: &Call| calls.iter().rposition(|call| call == wanted).unwrap();
    assert_eq!(first(&Call::Pause), 0);
    let unpatched = first(&Call::ResetPage(view, KERNEL_FRAME));
    let order = [
        unpatched,
        first(&Call::Switch(DEFAULT_VIEW)),
        first(&Call::ResetEvents),
        first(&Call::Wait),
        last(&Call::ResetEvents),
        first(&Call::DestroyView(view)),
        last(&Call::Resume),
    ];
    assert!(order.is_sorted(), "{calls:?}");
    let state = scene.mock.state();
    let answers: Vec<_> = state.answers.iter().map(|(_, it)| it.action).collect();
    assert_eq!(
        answers,
        [ResponseAction::Continue, ResponseAction::Reinject]
    );
    assert!(
        state
            .answers
            .iter()
            .all(|(_, it)| it.view == Some(DEFAULT_VIEW))
    );
}

#[test]
fn closing_can_be_repeated_after_a_failure_at_any_call() {
    for calls in 0.. {
        let scene = Scene::new();
        scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
        scene.mock.fail_after(calls);
        let closed = scene.live.close();
        let failed = scene.mock.heal();
        if closed.is_err() {
            scene.live.close().unwrap();
        }
        let state = scene.mock.state();
        assert!(state.allocated.is_empty(), "call {calls}");
        assert_eq!((state.views.len(), state.paused), (1, 0), "call {calls}");
        if !failed {
            break;
        }
    }
}

#[test]
fn taking_the_guest_over_fails_whole_at_any_call() {
    for calls in 0.. {
        let scene = Scene::new();
        scene.mock.fail_after(calls);
        let hook = new_hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
        let inserted = scene.live.insert(hook);
        let failed = scene.mock.heal();
        if inserted.is_err() {
            let hook = new_hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
            scene.live.insert(hook).unwrap();
        }
        assert_eq!(byte_at_code(&scene), INT3, "call {calls}");
        scene.live.close().unwrap();
        let state = scene.mock.state();
        assert!(state.allocated.is_empty());
        assert_eq!((state.views.len(), state.paused), (1, 0));
        if !failed {
            break;
        }
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
