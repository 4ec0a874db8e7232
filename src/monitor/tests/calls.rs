//! Call hooks: each call ends exactly once.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{
    scene::{CALLER, CALLER_FRAME, KERNEL_CODE, STACK, STACK_FRAME, Scene, THREAD_EXIT},
    world::ROOT,
};
use crate::{
    core::{Registers, driver::ResponseAction},
    monitor::{
        Action, CallEnd, CallHandler, CallTracker, EndedCall, Handler, HookId, HookOptions,
        NewHook, Occurrence, Place, RateLimit, Target, patches::INT3,
    },
};

type Log = Arc<Mutex<Vec<(usize, CallEnd)>>>;

#[derive(Default)]
struct Tracer {
    entered: Mutex<usize>,
    log: Log,
}

impl CallHandler for Tracer {
    fn entered(&self, _event: &mut Occurrence<'_>, value: &mut usize) -> Action {
        let mut entered = self.entered.lock().unwrap();
        *entered += 1;
        *value = *entered;
        Action::Continue
    }

    fn ended(&self, _event: Option<&mut Occurrence<'_>>, call: &EndedCall) -> Action {
        self.log.lock().unwrap().push((call.value, call.end));
        Action::Continue
    }
}

fn hook(scene: &Scene) -> (HookId, Log) {
    hook_at_most(scene, RateLimit::NONE)
}

fn hook_at_most(scene: &Scene, limit: RateLimit) -> (HookId, Log) {
    let log = Log::default();
    let tracer = Tracer {
        log: log.clone(),
        ..Tracer::default()
    };
    let place = Place {
        root: ROOT,
        va: KERNEL_CODE,
    };
    let hook = NewHook {
        target: Target::Code(vec![place]),
        options: HookOptions {
            limit,
            ..HookOptions::default()
        },
        handler: Handler::Calls(CallTracker::new(Box::new(tracer))),
    };
    (scene.live.insert(hook).unwrap(), log)
}

fn enter(scene: &Scene, thread: u32, depth: u64) {
    let rsp = STACK.0 - depth * 0x40;
    let at = STACK_FRAME.pa().wrapping_add(rsp & 0xfff);
    scene.mock.poke(at, &CALLER.0.to_le_bytes());
    let registers = Registers {
        rsp,
        ..Scene::registers(KERNEL_CODE, thread)
    };
    let answer = scene.stop_at(Scene::int3(registers));
    assert!(matches!(answer.action, ResponseAction::FastSingleStep(_)));
}

fn leave(scene: &Scene, thread: u32, depth: u64) {
    let registers = Registers {
        rsp: STACK.0 - depth * 0x40 + 8,
        ..Scene::registers(CALLER, thread)
    };
    scene.stop_at(Scene::int3(registers));
}

fn taken(log: &Log) -> Vec<(usize, CallEnd)> {
    std::mem::take(&mut log.lock().unwrap())
}

#[test]
fn entries_and_returns_are_paired_by_thread_and_stack() {
    let scene = Scene::new();
    let (_, log) = hook(&scene);
    enter(&scene, 1, 0);
    enter(&scene, 2, 0);
    enter(&scene, 1, 1);
    leave(&scene, 1, 1);
    assert_eq!(taken(&log), [(3, CallEnd::Returned)]);
    leave(&scene, 2, 0);
    leave(&scene, 2, 0);
    assert_eq!(taken(&log), [(2, CallEnd::Returned)]);
    leave(&scene, 1, 0);
    assert_eq!(taken(&log), [(1, CallEnd::Returned)]);
}

#[test]
fn calls_end_by_unwinding_and_with_their_thread() {
    let scene = Scene::new();
    let (_, log) = hook(&scene);
    enter(&scene, 1, 0);
    enter(&scene, 1, 2);
    leave(&scene, 1, 0);
    assert_eq!(taken(&log), [(2, CallEnd::Unwound), (1, CallEnd::Returned)]);
    enter(&scene, 1, 2);
    enter(&scene, 1, 1);
    assert_eq!(taken(&log), [(3, CallEnd::Unwound)]);
    scene.hit(THREAD_EXIT);
    assert_eq!(taken(&log), [(4, CallEnd::ThreadExited)]);
}

#[test]
fn open_calls_end_when_the_hook_goes() {
    let scene = Scene::new();
    let (id, log) = hook(&scene);
    enter(&scene, 1, 0);
    scene.live.remove(id).unwrap();
    assert_eq!(taken(&log), [(1, CallEnd::Detached)]);
    let caller = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
    assert_ne!(scene.mock.seen(scene.view(), caller), INT3);
    let (_, log) = hook(&scene);
    enter(&scene, 1, 0);
    scene.live.close().unwrap();
    assert_eq!(taken(&log), [(1, CallEnd::Detached)]);
    assert!(scene.mock.state().allocated.is_empty());
}

#[test]
fn calls_that_a_suspended_hook_has_told_of_end_all_the_same() {
    let scene = Scene::new();
    let limit = RateLimit {
        calls: 1,
        window: Duration::from_secs(60),
        suspension: Duration::from_secs(60),
    };
    let (_, log) = hook_at_most(&scene, limit);
    for depth in 0..4 {
        enter(&scene, 1, depth);
    }
    for depth in (0..4).rev() {
        leave(&scene, 1, depth);
    }
    // The one that was allowed, and the one that told of the suspension.
    let ended = [(2, CallEnd::Returned), (1, CallEnd::Returned)];
    assert_eq!(taken(&log), ended);
}
