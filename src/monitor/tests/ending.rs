//! Starting, stopping and leaving: the guest is restored, whatever fails.

use std::{sync::Arc, thread, time::Duration};

use super::{
    mock::{Call, DEFAULT_VIEW},
    scene::{
        CALLER, CALLER_FRAME, KERNEL_CODE, KERNEL_FRAME, STACK, STACK_FRAME, Scene, byte_at_code,
        new_hook,
    },
};
use crate::{
    core::{Va, driver::ResponseAction},
    error::Error,
    monitor::{
        Action, CallHandler, CallTracker, Ended, EndedCall, Handler, NewHook, Occurrence, Scope,
        patches::INT3,
    },
};

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
    // Three events are on their way: one of ours, one of the guest's, and one whose
    // page went since.
    let own = CALLER_FRAME.pa().wrapping_add(CALLER.page_offset());
    scene.mock.poke(own, &[INT3]);
    let gone = Va(0xffff_f900_0000_0000);
    for va in [KERNEL_CODE, CALLER, gone] {
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
        [
            ResponseAction::Continue,
            ResponseAction::Continue,
            ResponseAction::Continue
        ]
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

/// After a callback that panics, whatever it is for: the loop ends with an error that says so,
/// and closing leaves the guest as it was.
#[test]
fn the_guest_is_restored_after_a_callback_that_panics() {
    struct Panics(bool);

    impl CallHandler for Panics {
        fn entered(&self, _: &mut Occurrence<'_>, _: &mut usize) -> Action {
            match self.0 {
                true => panic!("on purpose"),
                false => Action::Continue,
            }
        }

        fn ended(&self, _: Option<&mut Occurrence<'_>>, _: &EndedCall) -> Action {
            panic!("on purpose")
        }
    }

    let handlers: [fn() -> Handler; 3] = [
        || Handler::Event(Box::new(|_| panic!("on purpose"))),
        || Handler::Calls(CallTracker::new(Box::new(Panics(true)))),
        || Handler::Calls(CallTracker::new(Box::new(Panics(false)))),
    ];
    for handler in handlers {
        let scene = Scene::new();
        let before = scene.mock.state().frames[&KERNEL_FRAME].clone();
        let at = STACK_FRAME.pa().wrapping_add(STACK.page_offset());
        scene.mock.poke(at, &CALLER.0.to_le_bytes());
        let hook = NewHook {
            handler: handler(),
            ..new_hook(KERNEL_CODE, Scope::All, |_| Action::Continue)
        };
        scene.live.insert(hook).unwrap();
        let view = scene.view();
        for (rip, rsp) in [(KERNEL_CODE, STACK.0), (CALLER, STACK.0 + 8)] {
            let mut registers = Scene::registers(rip, 1);
            registers.rsp = rsp;
            let (registers, reason) = Scene::int3(registers);
            scene.queue_in(view, registers, reason);
        }
        let failed = scene.live.run(&|| false).unwrap_err();
        assert!(failed.to_string().contains("on purpose"), "{failed}");
        assert_eq!(scene.mock.state().answers.len(), 2);
        scene.live.close().unwrap();
        let state = scene.mock.state();
        assert!(state.frames[&KERNEL_FRAME] == before && state.allocated.is_empty());
        assert_eq!((state.views.len(), state.paused, state.alone), (1, 0, None));
        assert_eq!(state.current, Some(DEFAULT_VIEW));
        assert!(state.monitors.is_empty());
    }
}
