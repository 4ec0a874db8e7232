//! Views and frames of the caller's own.

use std::sync::atomic::Ordering;

use super::{
    mock::{Call, DEFAULT_VIEW, FULL, Shown},
    scene::{CALLER, CALLER_FRAME, KERNEL_CODE, STEP, Scene, counter},
};
use crate::{
    core::{
        Gfn, Va,
        driver::{MemoryAccess, ResponseAction, ViewId},
    },
    error::Error,
    monitor::{Action, Handler, HookOptions, NewHook, Pending, Scope, Target},
};

const NO_WRITE: MemoryAccess = MemoryAccess::READ.union(MemoryAccess::EXECUTE);

fn listen(view: ViewId, handler: Handler) -> NewHook {
    NewHook {
        target: Target::Denied(view),
        options: HookOptions::default(),
        handler,
    }
}

#[test]
fn a_view_is_entered_and_left_and_hooks_act_in_the_librarys() {
    let scene = Scene::new();
    scene.hook(KERNEL_CODE, Scope::All, |_| Action::Continue);
    let home = scene.view();
    let own = scene.live.create_view(FULL).unwrap();
    assert_eq!(scene.view(), home, "making one moves nobody");
    scene.live.enter_view(Some(own)).unwrap();
    assert_eq!(scene.view(), own);
    scene.live.enter_view(None).unwrap();
    assert_eq!(scene.view(), home);
    scene.live.enter_view(Some(own)).unwrap();
    scene.live.destroy_view(own).unwrap();
    assert_eq!(scene.view(), home, "processors go on in the library's");
    assert!(matches!(
        scene.live.enter_view(Some(own)),
        Err(Error::NotFound { .. })
    ));
    assert!(scene.live.destroy_view(own).is_err());
    // The library's own view is nobody else's.
    assert!(scene.live.destroy_view(home).is_err());
    assert!(scene.live.set_page_access(home, Gfn(1), FULL).is_err());
    scene.live.close().unwrap();
    assert!(matches!(scene.live.create_view(FULL), Err(Error::Closed)));
}

#[test]
fn frames_are_shown_with_the_rights_of_the_page() {
    let scene = Scene::new();
    let own = scene.live.create_view(FULL).unwrap();
    let frame = scene.live.add_frame().unwrap();
    assert_eq!(scene.mock.byte(frame.pa()), 0);
    let live = &scene.live;
    live.set_page_access(own, CALLER_FRAME, NO_WRITE).unwrap();
    live.show_frame(own, CALLER_FRAME, frame).unwrap();
    let shown = |gfn| Shown {
        gfn,
        access: NO_WRITE,
    };
    assert_eq!(scene.mock.shown(own, CALLER_FRAME), shown(frame));
    assert!(matches!(live.remove_frame(frame), Err(Error::Busy { .. })));
    assert!(live.show_frame(own, CALLER_FRAME, CALLER_FRAME).is_err());
    live.reset_frame(own, CALLER_FRAME).unwrap();
    assert_eq!(scene.mock.shown(own, CALLER_FRAME), shown(CALLER_FRAME));
    assert_eq!(live.page_access(own, CALLER_FRAME).unwrap(), NO_WRITE);
    live.remove_frame(frame).unwrap();
    assert!(matches!(
        live.remove_frame(frame),
        Err(Error::NotFound { .. })
    ));
    live.close().unwrap();
}

#[test]
fn denied_accesses_are_told_and_made_in_the_guests_own_memory() {
    let scene = Scene::new();
    let own = scene.live.create_view(NO_WRITE).unwrap();
    let (calls, counted) = counter();
    let handler = Handler::Event(Box::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Action::Continue
    }));
    let id = scene.live.insert(listen(own, handler)).unwrap();
    scene.live.enter_view(Some(own)).unwrap();
    let (registers, reason) = Scene::access(CALLER_FRAME.pa(), MemoryAccess::WRITE);
    assert_eq!(scene.stop_at((registers, reason)).action, STEP);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert_eq!(scene.live.hook_state(id).unwrap().active, 1);
    scene.live.destroy_view(own).unwrap();
    let state = scene.live.hook_state(id).unwrap();
    assert_eq!((state.active, state.pending), (0, Some(Pending::View)));
    assert!(scene.live.remove(id).unwrap());
    let nobody = Handler::Event(Box::new(|_| Action::Continue));
    assert!(scene.live.insert(listen(own, nobody)).is_err());
}

#[test]
fn closing_destroys_views_and_takes_frames_back_whatever_call_fails() {
    let mut failures = 0;
    for calls in 0.. {
        let scene = Scene::new();
        let own = scene.live.create_view(FULL).unwrap();
        let frame = scene.live.add_frame().unwrap();
        scene.live.show_frame(own, CALLER_FRAME, frame).unwrap();
        scene.live.enter_view(Some(own)).unwrap();
        scene.live.add_frame().unwrap();
        scene.mock.fail_after(calls);
        let closed = scene.live.close();
        let failed = scene.mock.heal();
        if closed.is_err() {
            scene.live.close().unwrap();
        }
        let state = scene.mock.state();
        assert_eq!(
            (state.views.len(), state.allocated.len()),
            (1, 0),
            "{calls}"
        );
        assert_eq!((state.current, state.paused), (Some(DEFAULT_VIEW), 0));
        if !failed {
            break;
        }
        failures += 1;
    }
    assert!(failures > 8, "{failures}");
}

#[test]
fn each_call_fails_whole() {
    for calls in 0..12 {
        let scene = Scene::new();
        let own = scene.live.create_view(FULL).unwrap();
        let frame = scene.live.add_frame().unwrap();
        scene
            .live
            .set_page_access(own, CALLER_FRAME, NO_WRITE)
            .unwrap();
        scene.mock.fail_after(calls);
        let shown = scene.live.show_frame(own, CALLER_FRAME, frame);
        scene.mock.heal();
        let now = scene.mock.shown(own, CALLER_FRAME);
        assert_eq!(now.gfn == frame, shown.is_ok(), "call {calls}");
        assert_eq!(now.access, NO_WRITE, "call {calls}");
        scene.mock.fail_after(calls);
        let added = scene.live.add_frame();
        scene.mock.heal();
        let frames = scene.mock.state().allocated.len();
        assert_eq!(frames, 1 + usize::from(added.is_ok()), "call {calls}");
        scene.live.close().unwrap();
        assert_eq!(scene.mock.state().paused, 0);
    }
}

#[test]
fn without_views_there_are_none() {
    let scene = Scene::over(super::mock::Mock::without_views());
    let refused = scene.live.create_view(FULL);
    assert!(matches!(refused, Err(Error::NotSupported { .. })));
    assert!(scene.live.add_frame().is_err());
    assert_eq!(scene.mock.calls(), []);
}

#[test]
fn a_page_table_write_that_is_stepped_ends_in_the_librarys_view() {
    let scene = Scene::new();
    let own = scene.live.create_view(FULL).unwrap();
    scene.live.enter_view(Some(own)).unwrap();
    // An event of the view that is answered when the view is gone.
    scene.queue(
        Scene::registers(CALLER, 1),
        Scene::int3(Scene::registers(Va(0), 1)).1,
    );
    scene.live.destroy_view(own).unwrap();
    scene.poll().unwrap();
    let (_, answer) = scene.mock.state().answers.pop().unwrap();
    assert_ne!(answer.view, Some(own));
    assert_eq!(answer.action, ResponseAction::FastSingleStep(DEFAULT_VIEW));
    assert!(!scene.mock.calls().contains(&Call::Switch(DEFAULT_VIEW)));
    scene.live.close().unwrap();
}
