//! Starting, stopping and leaving: the guest is restored, whatever fails.

use std::{sync::Arc, thread, time::Duration};

use super::{
    mock::{Call, DEFAULT_VIEW},
    scene::{CALLER, CALLER_FRAME, KERNEL_CODE, KERNEL_FRAME, Scene, byte_at_code, new_hook},
};
use crate::{
    core::driver::ResponseAction,
    error::Error,
    monitor::{Action, Ended, Scope, patches::INT3},
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
