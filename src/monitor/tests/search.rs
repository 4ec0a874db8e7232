//! Symbols of modules that come later: with an image, a page, a process; and that go again.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use super::{
    mock::{DEFAULT_VIEW, code},
    scene::{
        CALLER, IMAGE_MAPPED, PROCESS_CREATED, PROCESS_ENDED, Scene, counter, new_hook, process,
    },
    world::{PRESENT, ROOT, entry_at, map_page},
};
use crate::{
    core::{
        Gfn, Pa, Va,
        driver::{EventReason, MemoryAccess, ResponseAction},
    },
    error::{Error, Result},
    monitor::{
        Action, Handler, HookId, HookOptions, Lack, NewHook, Pending, Place, Scope, Search,
        Sighting, Target, patches::INT3, search::MAX_PROCESSES,
    },
};

pub const FUNCTION: Va = Va(0x7ff6_1000_1230);
pub const FUNCTION_FRAME: Gfn = Gfn(0x790);
/// What has to be read to find the function.
pub const HEADER: Va = Va(0x7ff6_1000_0000);
pub const HEADER_FRAME: Gfn = Gfn(0x791);

/// What there is to see in each process.
#[derive(Default)]
pub struct View {
    pub sights: Mutex<HashMap<Va, Sighting>>,
    /// What the kernel's list shows, and the modules with these loader entries.
    pub kernel: Mutex<Option<Sighting>>,
    pub modules: Mutex<HashMap<Va, Sighting>>,
    looks: AtomicU32,
    fails: Mutex<bool>,
}

impl Search for View {
    fn look_in(&self, process: Va) -> Result<Sighting> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        if *self.fails.lock().unwrap() {
            return Err(Error::Cancelled);
        }
        let sights = self.sights.lock().unwrap();
        let nothing = Sighting::Not(Lack::Module);
        Ok(sights.get(&process).copied().unwrap_or(nothing))
    }

    fn look_in_kernel(&self) -> Result<Sighting> {
        let nothing = Sighting::Not(Lack::Module);
        Ok(self.kernel.lock().unwrap().unwrap_or(nothing))
    }

    fn look_in_module(&self, entry: Va) -> Result<Sighting> {
        let nothing = Sighting::Not(Lack::Module);
        let modules = self.modules.lock().unwrap();
        Ok(modules.get(&entry).copied().unwrap_or(nothing))
    }

    /// A module has the page before its symbol, too.
    fn is_in_module(&self, entry: Va, va: Va) -> Result<bool> {
        let place = match self.look_in_module(entry)? {
            Sighting::At(place) | Sighting::Behind(place) => place,
            Sighting::Not(_) => return Ok(false),
        };
        Ok(va.0.abs_diff(place.va.0) < 0x2000)
    }

    fn name(&self) -> &str {
        "module!symbol"
    }
}

impl View {
    pub fn shows(&self, id: u32, sighting: Sighting) {
        let mut sights = self.sights.lock().unwrap();
        sights.insert(process(id).object, sighting);
    }

    pub fn looks(&self) -> u32 {
        self.looks.swap(0, Ordering::Relaxed)
    }
}

pub const fn place(va: Va) -> Place {
    Place { root: ROOT, va }
}

/// A scene whose process 4 has the function's page, and the page before it absent.
pub fn scene() -> (Scene, Arc<View>) {
    let scene = Scene::new();
    scene.mock.put(FUNCTION_FRAME, code(0x90));
    scene.mock.put(HEADER_FRAME, code(0x91));
    let mut next = 0x180;
    let present = FUNCTION_FRAME.pa().0 | PRESENT;
    map_page(&scene.mock, &mut next, ROOT, FUNCTION, present);
    let view = Arc::new(View::default());
    (scene, view)
}

fn search(view: &Arc<View>, scope: Scope, calls: Arc<AtomicU32>) -> NewHook {
    NewHook {
        target: Target::Symbol(view.clone()),
        options: HookOptions {
            scope,
            ..HookOptions::default()
        },
        handler: Handler::Event(Box::new(move |event| {
            assert_eq!(event.va, FUNCTION);
            calls.fetch_add(1, Ordering::Relaxed);
            Action::Continue
        })),
    }
}

fn insert(scene: &Scene, view: &Arc<View>, scope: Scope) -> (HookId, Arc<AtomicU32>) {
    let (calls, counted) = counter();
    let hook = search(view, scope, counted);
    (scene.live.insert(hook).unwrap(), calls)
}

pub fn at(frame: Gfn) -> Pa {
    frame.pa().wrapping_add(FUNCTION.page_offset())
}

pub fn is_hooked(scene: &Scene) -> bool {
    scene.mock.seen(scene.view(), at(FUNCTION_FRAME)) == INT3
}

/// The guest calls a function of the kernel's with an argument.
pub fn call(scene: &Scene, function: Va, argument: Va, second: Va) {
    let mut registers = Scene::registers(function, 1);
    (registers.rcx, registers.rdx) = (argument.0, second.0);
    scene.stop_at(Scene::int3(registers));
}

/// The guest writes a page-table entry.
pub fn write_entry(scene: &Scene, va: Va, value: u64) -> bool {
    let entry = entry_at(&scene.mock, ROOT, va, 1);
    let answer = scene.stop_at(Scene::access(entry, MemoryAccess::WRITE));
    scene.mock.poke(entry, &value.to_le_bytes());
    let watched = answer.action == ResponseAction::SingleStep;
    if watched {
        let registers = Scene::registers(CALLER, 1);
        scene.stop_in(DEFAULT_VIEW, registers, EventReason::SingleStep);
    }
    watched
}

#[test]
fn a_module_that_is_there_is_hooked_at_once() {
    let (scene, view) = scene();
    view.shows(4, Sighting::At(place(FUNCTION)));
    let (_, calls) = insert(&scene, &view, Scope::All);
    scene.hit(FUNCTION);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn a_module_is_hooked_when_its_image_is_mapped() {
    let (scene, view) = scene();
    let (_, calls) = insert(&scene, &view, Scope::All);
    assert!(!is_hooked(&scene));
    view.looks();
    scene.hit(IMAGE_MAPPED);
    assert_eq!(view.looks(), 1, "in the process that mapped it only");
    view.shows(4, Sighting::At(place(FUNCTION)));
    scene.hit(IMAGE_MAPPED);
    assert!(is_hooked(&scene));
    scene.hit(FUNCTION);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    view.looks();
    scene.hit(IMAGE_MAPPED);
    assert_eq!(view.looks(), 0, "it was found");
    scene.live.close().unwrap();
}

#[test]
fn a_page_on_the_way_is_waited_for() {
    let (scene, view) = scene();
    view.shows(4, Sighting::Behind(place(HEADER)));
    let (_, calls) = insert(&scene, &view, Scope::All);
    view.shows(4, Sighting::At(place(FUNCTION)));
    assert!(!is_hooked(&scene));
    assert!(write_entry(&scene, HEADER, HEADER_FRAME.pa().0 | PRESENT));
    assert!(is_hooked(&scene));
    scene.hit(FUNCTION);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    scene.live.close().unwrap();
    assert_eq!(scene.mock.altered(DEFAULT_VIEW), 0);
}

#[test]
fn one_absent_page_after_the_other_is_waited_for() {
    let (scene, view) = scene();
    let second = HEADER.wrapping_add(0x8000);
    view.shows(4, Sighting::Behind(place(HEADER)));
    insert(&scene, &view, Scope::All);
    view.shows(4, Sighting::Behind(place(second)));
    assert!(write_entry(&scene, HEADER, HEADER_FRAME.pa().0 | PRESENT));
    view.shows(4, Sighting::At(place(FUNCTION)));
    assert!(!is_hooked(&scene));
    assert!(write_entry(&scene, second, HEADER_FRAME.pa().0 | PRESENT));
    assert!(is_hooked(&scene));
}

#[test]
fn a_page_that_is_there_after_all_is_not_waited_for() {
    let (scene, view) = scene();
    // What a reader of the guest's memory sees may be older than its page tables.
    view.shows(4, Sighting::Behind(place(FUNCTION)));
    insert(&scene, &view, Scope::All);
    assert!((2..=400).contains(&view.looks()), "bounded");
    assert!(!is_hooked(&scene));
}

#[test]
fn new_processes_of_the_scope_are_looked_in() {
    let (scene, view) = scene();
    let (parent, child) = (process(4), process(9));
    let scopes = [
        (Scope::All, true),
        (Scope::ImageName("p9.exe".into()), true),
        (Scope::ImageName("p8.exe".into()), false),
        (Scope::ProcessTree(parent), true),
        (Scope::ProcessTree(process(5)), false),
        (Scope::Process(parent), false),
    ];
    view.shows(9, Sighting::At(place(FUNCTION)));
    for (scope, concerned) in scopes {
        let (id, _) = insert(&scene, &view, scope.clone());
        call(&scene, PROCESS_CREATED, child.object, parent.object);
        assert_eq!(is_hooked(&scene), concerned, "{scope:?}");
        assert!(scene.live.remove(id).unwrap());
        assert!(!is_hooked(&scene));
    }
}

#[test]
fn a_process_that_ends_takes_its_patches_along_and_the_next_one_is_looked_in() {
    let (scene, view) = scene();
    view.shows(4, Sighting::At(place(FUNCTION)));
    insert(&scene, &view, Scope::All);
    // A hook by address is in the same address space, one in the kernel is not.
    scene.hook(FUNCTION, Scope::All, |_| Action::Continue);
    call(&scene, PROCESS_ENDED, process(5).object, Va(0));
    assert!(is_hooked(&scene), "another process");
    call(&scene, PROCESS_ENDED, process(4).object, Va(0));
    assert!(!is_hooked(&scene));
    assert!(!write_entry(&scene, FUNCTION, 0), "nobody watches");
    write_entry(&scene, FUNCTION, FUNCTION_FRAME.pa().0 | PRESENT);
    call(
        &scene,
        PROCESS_CREATED,
        process(4).object,
        process(5).object,
    );
    assert!(is_hooked(&scene));
    scene.live.close().unwrap();
}

#[test]
fn removal_ends_the_waiting() {
    let (scene, view) = scene();
    view.shows(4, Sighting::Behind(place(HEADER)));
    let (id, _) = insert(&scene, &view, Scope::All);
    assert!(scene.live.remove(id).unwrap());
    view.shows(4, Sighting::At(place(FUNCTION)));
    assert!(!write_entry(&scene, HEADER, HEADER_FRAME.pa().0 | PRESENT));
    scene.hit(IMAGE_MAPPED);
    assert!(!is_hooked(&scene));
}

#[test]
fn a_search_that_fails_at_insertion_takes_the_batch_back() {
    let (scene, view) = scene();
    *view.fails.lock().unwrap() = true;
    let (calls, counted) = counter();
    let hooks = vec![
        new_hook(super::scene::KERNEL_CODE, Scope::All, |_| Action::Continue),
        search(&view, Scope::All, counted),
    ];
    let failed = scene.live.insert_many(hooks).err().unwrap();
    assert!(matches!(failed, (1, Error::Cancelled)), "{failed:?}");
    assert_eq!(Arc::strong_count(&calls), 1, "released");
    assert_ne!(super::scene::byte_at_code(&scene), INT3);
}

#[test]
fn a_symbol_is_hooked_in_the_end_whatever_call_fails() {
    let mut failures = 0;
    for calls in 0.. {
        let (scene, view) = scene();
        view.shows(4, Sighting::Behind(place(HEADER)));
        insert(&scene, &view, Scope::All);
        view.shows(4, Sighting::At(place(FUNCTION)));
        let entry = entry_at(&scene.mock, ROOT, HEADER, 1);
        scene.stop_at(Scene::access(entry, MemoryAccess::WRITE));
        let value = HEADER_FRAME.pa().0 | PRESENT;
        scene.mock.poke(entry, &value.to_le_bytes());
        let registers = Scene::registers(CALLER, 1);
        scene.queue_in(DEFAULT_VIEW, registers, EventReason::SingleStep);
        scene.mock.fail_after(calls);
        let _ = scene.poll();
        let failed = scene.mock.heal();
        // What the loop did not get to is still there.
        let _ = scene.poll();
        // The next image is another try.
        scene.hit(IMAGE_MAPPED);
        assert!(is_hooked(&scene), "call {calls}");
        scene.live.close().unwrap();
        assert_eq!(scene.mock.state().paused, 0, "call {calls}");
        if !failed {
            break;
        }
        failures += 1;
    }
    assert!(failures > 3, "{failures}");
}

#[test]
fn why_a_symbol_is_pending_can_be_asked() {
    let (scene, view) = scene();
    let (id, _) = insert(&scene, &view, Scope::All);
    let state = || scene.live.hook_state(id).unwrap();
    let lacks = |lack| Some(Pending::Symbol(lack));
    assert_eq!(state().pending, lacks(Lack::Module));
    // The nearest process counts, whatever the others lack.
    let nearer = [
        (Sighting::Behind(place(HEADER)), Lack::Page, 1),
        (Sighting::Not(Lack::Symbols), Lack::Symbols, 0),
        (Sighting::Not(Lack::Symbol), Lack::Symbol, 0),
        (Sighting::Not(Lack::Module), Lack::Symbol, 0),
    ];
    for (sighting, lack, waiting) in nearer {
        view.shows(4, sighting);
        scene.hit(IMAGE_MAPPED);
        assert_eq!(state().pending, lacks(lack), "{sighting:?}");
        // A page that was waited for still is: it may bring the symbol.
        assert!(state().waiting >= waiting);
        assert_eq!((state().active, state().processes), (0, 0));
    }
    view.shows(4, Sighting::At(place(FUNCTION)));
    scene.hit(IMAGE_MAPPED);
    assert_eq!(state().pending, None);
    assert_eq!((state().active, state().processes), (1, 1));
    // The function's own page goes.
    write_entry(&scene, FUNCTION, 0);
    assert_eq!((state().active, state().waiting), (0, 1));
    assert_eq!(state().pending, Some(Pending::Page));
    scene.live.remove(id).unwrap();
    assert!(matches!(
        scene.live.hook_state(id),
        Err(Error::NotFound { .. })
    ));
}

/// Processes that no list names, one after the other: the guest makes them up.
fn invented(number: usize) -> Va {
    Va(0xffff_b000_0000_0000 + number as u64 * 0x1000)
}

#[test]
fn processes_without_end_are_not_followed() {
    let (scene, view) = scene();
    let (id, _) = insert(&scene, &view, Scope::All);
    let state = || scene.live.hook_state(id).unwrap();
    let found = Sighting::At(place(FUNCTION));
    let begin = |process: Va| {
        view.sights.lock().unwrap().insert(process, found);
        call(&scene, PROCESS_CREATED, process, process_object());
    };
    for number in 0..MAX_PROCESSES {
        begin(invented(number));
    }
    assert_eq!(state().processes, MAX_PROCESSES);
    // They are in no list of the kernel's: they make room for one that may be.
    begin(invented(MAX_PROCESSES));
    assert_eq!((state().processes, state().refused), (1, 0));
    // What lives stays, and those beyond are left alone, told by the state.
    let living = (0..MAX_PROCESSES).map(invented).collect::<Vec<_>>();
    *scene.guest.invented.lock().unwrap() = living.clone();
    for process in &living {
        begin(*process);
    }
    view.looks();
    begin(invented(MAX_PROCESSES + 1));
    assert_eq!(view.looks(), 0);
    assert_eq!((state().processes, state().refused), (MAX_PROCESSES, 1));
    call(&scene, PROCESS_ENDED, invented(7), Va(0));
    begin(invented(MAX_PROCESSES + 1));
    assert_eq!((state().processes, state().refused), (MAX_PROCESSES, 1));
    scene.live.close().unwrap();
    assert_eq!(scene.mock.altered(DEFAULT_VIEW), 0);
}

fn process_object() -> Va {
    process(4).object
}
