//! A failure at each driver call while an event is handled: it is answered all the same,
//! later ones are handled, and the guest is left as it was found.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::{
    mock::{DEFAULT_VIEW, Mock, code},
    scene::{
        CALLER, CALLER_FRAME, KERNEL_CODE, KERNEL_FRAME, STACK, STACK_FRAME, Scene, THREAD_EXIT,
        counter,
    },
    world::ROOT,
};
use crate::{
    core::{
        Gfn, Registers, Space, Va,
        driver::{EventReason, EventResponse, MemoryAccess, Monitor, ViewId},
    },
    monitor::{
        Action, CallHandler, CallTracker, EndedCall, Handler, HookOptions, MemoryRange, Missing,
        NewHook, Occurrence, Place, Scope, Target,
    },
};

/// Has an event answered: the call that fails may be the one that waits for it.
fn give(
    scene: &Scene,
    view: ViewId,
    (registers, reason): (Registers, EventReason),
) -> EventResponse {
    let before = scene.mock.state().answers.len();
    scene.queue_in(view, registers, reason);
    for _ in 0..3 {
        // What went wrong is told once; the loop goes on when it is run again.
        let _ = scene.poll();
    }
    let state = scene.mock.state();
    assert_eq!(state.answers.len(), before + 1, "each event has one answer");
    assert!(state.events.is_empty());
    state.answers[before].1.clone()
}

fn hit(rip: Va, rsp: u64) -> (Registers, EventReason) {
    let registers = Scene::registers(rip, 1);
    Scene::int3(Registers { rsp, ..registers })
}

fn stepped() -> (Registers, EventReason) {
    (Scene::registers(CALLER, 1), EventReason::SingleStep)
}

/// Tells `story` with a failure at its first, second, ... call, and looks at the end.
fn at_each_call(
    mock: fn() -> Mock,
    prepare: impl Fn(&Scene),
    story: impl Fn(&Scene),
    failures: usize,
) {
    for lasting in [false, true] {
        for calls in 0.. {
            let scene = Scene::over(mock());
            let (hits, counted) = counter();
            scene.hook(THREAD_EXIT, Scope::All, move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                Action::Continue
            });
            prepare(&scene);
            match lasting {
                true => scene.mock.break_after(calls),
                false => scene.mock.fail_after(calls),
            }
            if lasting {
                // Nothing works any more: the event is not even seen before it does again.
                let (registers, reason) = hit(THREAD_EXIT, STACK.0);
                scene.queue(registers, reason);
                let _ = scene.poll();
            } else {
                story(&scene);
            }
            let failed = scene.mock.heal();
            if lasting {
                let _ = scene.poll();
                let _ = scene.poll();
                assert_eq!(scene.mock.state().answers.len(), 1);
                hits.store(0, Ordering::Relaxed);
                give(&scene, DEFAULT_VIEW, stepped());
            }
            give(&scene, scene.view(), hit(THREAD_EXIT, STACK.0));
            assert_eq!(hits.load(Ordering::Relaxed), 1, "call {calls}");
            if scene.live.is_visible() {
                give(&scene, DEFAULT_VIEW, stepped());
            }
            if scene.live.close().is_err() {
                scene.live.close().unwrap();
            }
            assert_untouched(&scene, calls);
            if !failed {
                assert!(lasting || calls >= failures, "{calls} calls");
                break;
            }
        }
    }
}

fn assert_untouched(scene: &Scene, calls: usize) {
    for gfn in [KERNEL_FRAME, CALLER_FRAME, Gfn(0x77a)] {
        let expected = code(gfn.0 as u8);
        let state = scene.mock.state();
        assert!(*state.frames[&gfn] == expected, "{gfn:?} call {calls}");
    }
    let state = scene.mock.state();
    assert_eq!((state.paused, state.alone), (0, None), "call {calls}");
    assert!(state.allocated.is_empty() && state.monitors.is_empty());
    assert_eq!(state.views.len(), 1, "call {calls}");
}

/// A hook that answers this.
fn hooked(action: Action) -> impl Fn(&Scene) {
    move |scene| {
        scene.hook(KERNEL_CODE, Scope::All, move |_| action);
    }
}

#[test]
fn a_hit_in_a_view() {
    let prepare = hooked(Action::Continue);
    let story = |scene: &Scene| drop(give(scene, scene.view(), hit(KERNEL_CODE, STACK.0)));
    at_each_call(Mock::new, prepare, story, 3);
}

#[test]
fn a_hit_and_its_step_where_patches_are_visible() {
    let prepare = hooked(Action::Continue);
    let story = |scene: &Scene| {
        give(scene, DEFAULT_VIEW, hit(KERNEL_CODE, STACK.0));
        give(scene, DEFAULT_VIEW, stepped());
    };
    at_each_call(Mock::without_views, prepare, story, 6);
}

/// A hook that asks for a step, and a monitor that asks for one more.
fn stepping(scene: &Scene) {
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Step);
    let (steps, counted) = counter();
    let hook = NewHook {
        target: Target::Processor(Monitor::SingleStep),
        options: HookOptions::default(),
        handler: Handler::Event(Box::new(move |_| {
            match counted.fetch_add(1, Ordering::Relaxed) {
                0 => Action::Step,
                _ => Action::Continue,
            }
        })),
    };
    scene.live.insert(hook).unwrap();
    drop(steps);
}

#[test]
fn steps_that_callbacks_ask_for() {
    let in_view = |scene: &Scene| {
        let home = scene.view();
        give(scene, home, hit(KERNEL_CODE, STACK.0));
        give(scene, DEFAULT_VIEW, stepped());
        give(scene, home, stepped());
        give(
            scene,
            home,
            Scene::access(KERNEL_FRAME.pa(), MemoryAccess::WRITE),
        );
        give(scene, DEFAULT_VIEW, stepped());
    };
    at_each_call(Mock::new, stepping, in_view, 5);
    let visible = |scene: &Scene| {
        give(scene, DEFAULT_VIEW, hit(KERNEL_CODE, STACK.0));
        give(scene, DEFAULT_VIEW, stepped());
        give(scene, DEFAULT_VIEW, stepped());
    };
    at_each_call(Mock::without_views, stepping, visible, 5);
}

#[test]
fn a_write_to_hooked_code() {
    let prepare = hooked(Action::Continue);
    let story = |scene: &Scene| {
        let write = Scene::access(KERNEL_FRAME.pa(), MemoryAccess::WRITE);
        give(scene, scene.view(), write);
        give(scene, DEFAULT_VIEW, stepped());
    };
    at_each_call(Mock::new, prepare, story, 3);
}

#[test]
fn an_access_to_watched_memory() {
    let prepare = |scene: &Scene| {
        let hook = NewHook {
            target: Target::Memory(MemoryRange {
                space: Space::Virtual { root: ROOT },
                start: CALLER.0,
                length: 16,
                access: MemoryAccess::READ | MemoryAccess::EXECUTE,
            }),
            options: HookOptions::default(),
            handler: Handler::Event(Box::new(|_| Action::Remove)),
        };
        scene.live.insert(hook).unwrap();
    };
    let story = |scene: &Scene| {
        let pa = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
        give(
            scene,
            scene.view(),
            Scene::access(pa, MemoryAccess::EXECUTE),
        );
    };
    at_each_call(Mock::new, prepare, story, 3);
}

#[test]
fn a_foreign_int3() {
    let prepare = hooked(Action::Continue);
    let story = |scene: &Scene| drop(give(scene, scene.view(), hit(CALLER, STACK.0)));
    at_each_call(Mock::new, prepare, story, 2);
}

#[test]
fn a_removal_inside_a_callback() {
    let prepare = hooked(Action::Remove);
    let story = |scene: &Scene| drop(give(scene, scene.view(), hit(KERNEL_CODE, STACK.0)));
    at_each_call(Mock::new, prepare, story, 6);
}

#[test]
fn a_page_that_is_asked_for() {
    let prepare = |scene: &Scene| {
        *scene.guest.resident_allowed.lock().unwrap() = true;
        scene.hook(KERNEL_CODE, Scope::All, |event| match event.not_resident {
            true => Action::Continue,
            false => Action::MakeResident(Missing {
                va: Va(0x7ff6_1234_5000),
                access: MemoryAccess::READ,
            }),
        });
    };
    let story = |scene: &Scene| {
        for _ in 0..4 {
            give(scene, scene.view(), hit(KERNEL_CODE, STACK.0));
        }
    };
    at_each_call(Mock::new, prepare, story, 10);
}

#[derive(Default)]
struct Balance {
    entered: AtomicU32,
    ended: Arc<AtomicU32>,
}

impl CallHandler for Balance {
    fn entered(&self, _: &mut Occurrence<'_>, _: &mut usize) -> Action {
        self.entered.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    }

    fn ended(&self, _: Option<&mut Occurrence<'_>>, _: &EndedCall) -> Action {
        self.ended.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    }
}

impl Drop for Balance {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let entered = self.entered.load(Ordering::Relaxed);
            assert_eq!(self.ended.load(Ordering::Relaxed), entered);
        }
    }
}

#[test]
fn a_call_and_its_return() {
    let prepare = |scene: &Scene| {
        let at = STACK_FRAME.pa().wrapping_add(STACK.page_offset());
        scene.mock.poke(at, &CALLER.0.to_le_bytes());
        let place = Place {
            root: ROOT,
            va: KERNEL_CODE,
        };
        let tracker = CallTracker::new(Box::new(Balance::default()));
        let hook = NewHook {
            target: Target::Code(vec![place]),
            options: HookOptions::default(),
            handler: Handler::Calls(tracker),
        };
        scene.live.insert(hook).unwrap();
    };
    let story = |scene: &Scene| {
        give(scene, scene.view(), hit(KERNEL_CODE, STACK.0));
        give(scene, scene.view(), hit(CALLER, STACK.0 + 8));
    };
    at_each_call(Mock::new, prepare, story, 10);
}
