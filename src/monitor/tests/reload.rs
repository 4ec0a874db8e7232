//! Modules that are loaded, unloaded and loaded again elsewhere: drivers of the kernel, and
//! those of processes.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use super::{
    mock::{DEFAULT_VIEW, code},
    scene::{IMAGE_MAPPED, MODULE_LISTED, Scene, counter, process},
    search::{
        FUNCTION, FUNCTION_FRAME, HEADER, HEADER_FRAME, View, at, call, is_hooked, place, scene,
        write_entry,
    },
    world::{PRESENT, ROOT, map_page},
};
use crate::{
    core::{Gfn, Va},
    monitor::{
        Action, Handler, HookId, HookOptions, Lack, NewHook, Pending, Scope, Sighting, Target,
        patches::INT3,
    },
};

/// Loader entries of two modules of the same name.
const FIRST: Va = Va(0xffff_c000_0000_1000);
const SECOND: Va = Va(0xffff_c000_0000_2000);
/// The function in each of them; `FUNCTION` stands for a process's.
const DRIVER: Va = Va(0xffff_f880_0400_1230);
const DRIVER_FRAME: Gfn = Gfn(0x792);
const RELOADED: Va = Va(0xffff_f880_0500_1230);
const RELOADED_FRAME: Gfn = Gfn(0x793);

/// A scene with two modules of the kernel that are not in its list.
fn drivers() -> (Scene, Arc<View>) {
    let (scene, view) = scene();
    let mut next = 0x1a0;
    for (entry, va, frame) in [
        (FIRST, DRIVER, DRIVER_FRAME),
        (SECOND, RELOADED, RELOADED_FRAME),
    ] {
        scene.mock.put(frame, code(0x90));
        map_page(&scene.mock, &mut next, ROOT, va, frame.pa().0 | PRESENT);
        let mut modules = view.modules.lock().unwrap();
        modules.insert(entry, Sighting::At(place(va)));
    }
    (scene, view)
}

/// The kernel puts a module into its list, or takes it out.
fn list(scene: &Scene, entry: Va, comes: bool) {
    // Only the low byte of a BOOLEAN counts.
    call(
        scene,
        MODULE_LISTED,
        entry,
        Va(0xabc0_0000 | u64::from(comes)),
    );
}

fn insert_anywhere(scene: &Scene, view: &Arc<View>, scope: Scope) -> (HookId, Arc<AtomicU32>) {
    let (calls, counted) = counter();
    let hook = NewHook {
        target: Target::Symbol(view.clone()),
        options: HookOptions {
            scope,
            ..HookOptions::default()
        },
        handler: Handler::Event(Box::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Action::Continue
        })),
    };
    (scene.live.insert(hook).unwrap(), calls)
}

fn holds_int3(scene: &Scene, frame: Gfn) -> bool {
    scene.mock.seen(scene.view(), at(frame)) == INT3
}

#[test]
fn a_driver_is_hooked_each_time_it_is_loaded() {
    let (scene, view) = drivers();
    // A scope of processes says who is told, not whether the driver is hooked.
    let (id, calls) = insert_anywhere(&scene, &view, Scope::Process(process(4)));
    let state = || scene.live.hook_state(id).unwrap();
    let no_module = Some(Pending::Symbol(Lack::Module));
    assert_eq!(state().pending, no_module);
    for (entry, va, frame) in [
        (FIRST, DRIVER, DRIVER_FRAME),
        (SECOND, RELOADED, RELOADED_FRAME),
        (FIRST, DRIVER, DRIVER_FRAME),
    ] {
        let before = calls.load(Ordering::Relaxed);
        list(&scene, entry, true);
        assert!(holds_int3(&scene, frame));
        assert_eq!((state().pending, state().active), (None, 1));
        scene.hit(va);
        assert_eq!(calls.load(Ordering::Relaxed), before + 1);
        // Other modules come and go.
        list(&scene, Va(0xffff_c000_0000_3000), true);
        list(&scene, Va(0xffff_c000_0000_3000), false);
        assert_eq!(state().active, 1);
        list(&scene, entry, false);
        assert!(!holds_int3(&scene, frame));
        assert_eq!((state().pending, state().active), (no_module, 0));
        assert_eq!((state().waiting, state().processes), (0, 0));
    }
    scene.live.close().unwrap();
    assert_eq!(scene.mock.altered(DEFAULT_VIEW), 0);
}

#[test]
fn a_driver_whose_pages_go_before_its_entry_is_found_elsewhere() {
    let (scene, view) = drivers();
    let (id, calls) = insert_anywhere(&scene, &view, Scope::All);
    let state = || scene.live.hook_state(id).unwrap();
    list(&scene, FIRST, true);
    write_entry(&scene, DRIVER, 0);
    assert_eq!(state().pending, Some(Pending::Page));
    list(&scene, FIRST, false);
    assert_eq!(state().pending, Some(Pending::Symbol(Lack::Module)));
    list(&scene, SECOND, true);
    assert_eq!(state().active, 1);
    scene.hit(RELOADED);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    // What comes to be at the old address is not the symbol.
    write_entry(&scene, DRIVER, DRIVER_FRAME.pa().0 | PRESENT);
    assert!(!holds_int3(&scene, DRIVER_FRAME));
}

#[test]
fn a_driver_whose_headers_are_absent_is_waited_for() {
    let (scene, view) = drivers();
    let header = Sighting::Behind(place(HEADER));
    view.modules.lock().unwrap().insert(FIRST, header);
    let (id, _) = insert_anywhere(&scene, &view, Scope::All);
    let state = || scene.live.hook_state(id).unwrap();
    list(&scene, FIRST, true);
    assert_eq!(state().pending, Some(Pending::Symbol(Lack::Page)));
    assert_eq!(state().waiting, 1);
    // It goes before its page has come.
    list(&scene, FIRST, false);
    assert_eq!(state().pending, Some(Pending::Symbol(Lack::Module)));
    assert_eq!(state().waiting, 0);
    list(&scene, FIRST, true);
    *view.kernel.lock().unwrap() = Some(Sighting::At(place(DRIVER)));
    assert!(write_entry(&scene, HEADER, HEADER_FRAME.pa().0 | PRESENT));
    assert!(holds_int3(&scene, DRIVER_FRAME));
    scene.live.close().unwrap();
    assert_eq!(scene.mock.altered(DEFAULT_VIEW), 0);
}

#[test]
fn a_loaded_driver_is_hooked_at_once_and_processes_are_left_alone() {
    let (scene, view) = drivers();
    *view.kernel.lock().unwrap() = Some(Sighting::At(place(DRIVER)));
    view.shows(4, Sighting::At(place(FUNCTION)));
    let (id, _) = insert_anywhere(&scene, &view, Scope::All);
    scene.hit(IMAGE_MAPPED);
    assert!(holds_int3(&scene, DRIVER_FRAME) && !is_hooked(&scene));
    assert_eq!(view.looks(), 0);
    // Without the driver, a process's module of that name counts.
    *view.kernel.lock().unwrap() = None;
    list(&scene, FIRST, false);
    scene.hit(IMAGE_MAPPED);
    assert!(!holds_int3(&scene, DRIVER_FRAME) && is_hooked(&scene));
    assert!(scene.live.remove(id).unwrap());
    list(&scene, FIRST, true);
    assert!(!holds_int3(&scene, DRIVER_FRAME));
}

#[test]
fn a_driver_is_hooked_or_left_whatever_call_fails() {
    for comes in [true, false] {
        let mut failures = 0;
        for calls in 0.. {
            let (scene, view) = drivers();
            let (id, _) = insert_anywhere(&scene, &view, Scope::All);
            if !comes {
                list(&scene, FIRST, true);
            }
            let mut registers = Scene::registers(MODULE_LISTED, 1);
            (registers.rcx, registers.rdx) = (FIRST.0, u64::from(comes));
            let (registers, reason) = Scene::int3(registers);
            scene.queue_in(scene.view(), registers, reason);
            scene.mock.fail_after(calls);
            let _ = scene.poll();
            let failed = scene.mock.heal();
            let _ = scene.poll();
            // The next one is another try.
            list(&scene, SECOND, true);
            let state = scene.live.hook_state(id).unwrap();
            assert_eq!(state.active, 1, "call {calls}, {comes}");
            scene.live.close().unwrap();
            assert_eq!(scene.mock.altered(DEFAULT_VIEW), 0, "call {calls}");
            if !failed {
                break;
            }
            failures += 1;
        }
        assert!(failures > 3, "{failures}");
    }
}

#[test]
fn a_module_that_was_mapped_elsewhere_is_followed() {
    let (scene, view) = scene();
    view.shows(4, Sighting::At(place(FUNCTION)));
    let (id, _) = insert_anywhere(&scene, &view, Scope::All);
    let state = || scene.live.hook_state(id).unwrap();
    let mut next = 0x1a0;
    let other = FUNCTION.wrapping_add(0x40_0000);
    let present = HEADER_FRAME.pa().0 | PRESENT;
    map_page(&scene.mock, &mut next, ROOT, other, present);
    view.looks();
    // Its page is there: it is where it was.
    view.shows(4, Sighting::At(place(other)));
    scene.hit(IMAGE_MAPPED);
    assert!(is_hooked(&scene));
    write_entry(&scene, FUNCTION, 0);
    // Not to be seen now is not gone.
    view.shows(4, Sighting::Behind(place(HEADER)));
    scene.hit(IMAGE_MAPPED);
    assert_eq!((state().waiting, state().processes), (1, 1));
    view.shows(4, Sighting::At(place(other)));
    scene.hit(IMAGE_MAPPED);
    assert!(holds_int3(&scene, HEADER_FRAME));
    // Another module takes the old place.
    write_entry(&scene, FUNCTION, FUNCTION_FRAME.pa().0 | PRESENT);
    assert!(!is_hooked(&scene));
    write_entry(&scene, other, 0);
    view.shows(4, Sighting::Not(Lack::Module));
    scene.hit(IMAGE_MAPPED);
    assert_eq!(state().pending, Some(Pending::Symbol(Lack::Module)));
    scene.live.close().unwrap();
    assert_eq!(scene.mock.altered(DEFAULT_VIEW), 0);
}
