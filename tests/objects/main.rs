//! Objects of forged guests of all layouts: what they are, are called and where they are.

mod bodies;
mod damage;
mod namespace;
mod real;
#[path = "../support/mod.rs"]
mod support;
mod text;
mod typed;

use winvmi::{
    core::Va,
    os::windows::{FileAccess, Object, ObjectKind, Thread, Windows},
};
use winvmi_forge::{Expected, ExpectedObject};

/// Runs a check on the standard guest of every layout.
fn on_all_layouts(check: impl Fn(&Windows, &Expected)) {
    support::altered(|_| (), check);
}

fn assert_object(object: &Object<'_>, expected: &ExpectedObject) {
    let address = format!("{:#x} {expected:?}", expected.address);
    assert_eq!(object.type_name().unwrap(), expected.type_name, "{address}");
    let kind = ObjectKind::from_name(&expected.type_name);
    assert_eq!(object.kind().unwrap(), kind, "{address}");
    assert_eq!(object.name().unwrap(), expected.name, "{address}");
    assert_eq!(object.path().unwrap(), expected.path, "{address}");
    assert_eq!(object.info_mask().unwrap(), expected.info_mask);
    let counts = (object.pointer_count(), object.handle_count());
    let counts = (counts.0.unwrap() as u64, counts.1.unwrap() as u64);
    assert_eq!(counts, (expected.pointer_count, expected.handle_count));
}

#[test]
fn every_object_is_what_was_placed() {
    on_all_layouts(|windows, expected| {
        assert!(expected.objects.len() > 50);
        for object in &expected.objects {
            assert_object(&windows.object(Va(object.address)), object);
            let mut copy = [0; Object::SNAPSHOT];
            let copied = windows.object(Va(object.address)).with_copy(&mut copy);
            assert_object(&copied, object);
        }
    });
}

#[test]
fn objects_cast_to_what_they_are_only() {
    on_all_layouts(|windows, expected| {
        for placed in &expected.objects {
            let object = windows.object(Va(placed.address));
            let casts = [
                (
                    "Process",
                    object.as_process().unwrap().map(|it| it.as_object()),
                ),
                (
                    "Thread",
                    object.as_thread().unwrap().map(|it| it.as_object()),
                ),
                ("File", object.as_file().unwrap().map(|it| it.object())),
                (
                    "Directory",
                    object.as_directory().unwrap().map(|it| it.object()),
                ),
                ("Key", object.as_key().unwrap().map(|it| it.object())),
            ];
            for (name, cast) in casts {
                let address = cast.map(|cast| cast.address());
                let same = (placed.type_name == name).then_some(Va(placed.address));
                assert_eq!(address, same, "{name} {placed:?}");
            }
        }
    });
}

#[test]
fn types_count_their_objects() {
    on_all_layouts(|windows, expected| {
        let types: Vec<_> = windows.object_types().map(Result::unwrap).collect();
        let placed = |name: &str| -> Vec<&ExpectedObject> {
            let of_type = |it: &&ExpectedObject| it.type_name == name;
            expected.objects.iter().filter(of_type).collect()
        };
        assert_eq!(types.len(), placed("Type").len());
        for object_type in types {
            let placed = placed(&object_type.name().unwrap());
            assert!(placed.len() <= object_type.object_count().unwrap() as usize);
            let handles: u64 = placed.iter().map(|it| it.handle_count).sum();
            assert_eq!(u64::from(object_type.handle_count().unwrap()), handles);
            assert_eq!(object_type.object().kind().unwrap(), ObjectKind::Type);
        }
    });
}

#[test]
fn directories_list_what_is_named_in_them() {
    on_all_layouts(|windows, expected| {
        let root = windows.root_directory().unwrap();
        let mut found = vec![root.address()];
        let mut pending = vec![root];
        while let Some(directory) = pending.pop() {
            for object in directory.entries().map(Result::unwrap) {
                found.push(object.address());
                pending.extend(object.as_directory().unwrap());
            }
        }
        found.sort_unstable();
        let not_in_namespace = ["File", "Key"];
        let mut placed: Vec<_> = expected
            .objects
            .iter()
            .filter(|it| it.path.is_some() && !not_in_namespace.contains(&&*it.type_name))
            .map(|it| Va(it.address))
            .collect();
        placed.sort_unstable();
        assert_eq!(found, placed);
    });
}

#[test]
fn a_component_is_found_whatever_its_case() {
    on_all_layouts(|windows, expected| {
        let root = windows.root_directory().unwrap();
        let devices = root.child("dEVICE").unwrap().unwrap();
        let devices = devices.as_directory().unwrap().unwrap();
        let device = devices.child("harddiskvolume2").unwrap().unwrap();
        let placed = expected.object_at("\\Device\\HarddiskVolume2").unwrap();
        assert_eq!(device.address(), Va(placed.address));
        assert!(devices.child("HarddiskVolume9").unwrap().is_none());
        assert!(devices.child("").unwrap().is_none());
    });
}

#[test]
fn files_tell_their_names_and_access() {
    on_all_layouts(|windows, expected| {
        let file = |path: &str| {
            let placed = expected.object_at(path).unwrap();
            windows
                .object(Va(placed.address))
                .as_file()
                .unwrap()
                .unwrap()
        };
        let folder = file("\\Device\\HarddiskVolume2\\Windows\\System32");
        let hosts = file("\\Device\\HarddiskVolume2\\Windows\\System32\\drivers\\etc\\hosts");
        assert_eq!(hosts.file_name().unwrap(), "drivers\\etc\\hosts");
        let related = hosts.related_file().unwrap().unwrap();
        assert_eq!(related.object().address(), folder.object().address());
        assert_eq!(hosts.flags().unwrap(), 0x4_0042);
        assert_eq!(
            hosts.access().unwrap(),
            FileAccess::READ | FileAccess::SHARED_READ
        );
        let notes = file("\\Device\\HarddiskVolume2\\Users\\user\\notes.txt");
        let access = FileAccess::READ | FileAccess::WRITE | FileAccess::SHARED_READ;
        assert_eq!(notes.access().unwrap(), access);
        assert!(!notes.is_delete_pending().unwrap());
    });
}

#[test]
fn every_handle_leads_to_its_object() {
    on_all_layouts(|windows, expected| {
        for placed in &expected.handles {
            let process = expected.process(placed.pid).unwrap();
            let process = windows.process(Va(process.object));
            let handle = u64::from(placed.handle);
            let object = process.lookup_object(handle, None).unwrap().unwrap();
            assert_eq!(object.address(), Va(placed.object), "{placed:?}");
            let entry = process.lookup_handle(handle).unwrap().unwrap();
            assert_eq!(entry.granted_access, placed.access);
            assert_eq!(entry.attributes.bits(), placed.attributes);
        }
    });
}

#[test]
fn kernel_and_pseudo_handles_depend_on_the_context() {
    on_all_layouts(|windows, expected| {
        let process = expected.process_named("notepad.exe").unwrap();
        let thread = expected.threads_of(process.object).next().unwrap();
        let process = windows.process(Va(process.object));
        let thread = Thread::new(windows, Va(thread.object));
        let look_up = |handle, thread| process.lookup_object(handle, thread);
        for current_process in [u64::MAX, 0xffff_ffff] {
            let object = look_up(current_process, None).unwrap().unwrap();
            assert_eq!(object.address(), process.object());
        }
        for current_thread in [u64::MAX - 1, 0xffff_fffe] {
            let object = look_up(current_thread, Some(thread)).unwrap().unwrap();
            assert_eq!(object.address(), thread.object());
            assert!(look_up(current_thread, None).is_err());
        }
        assert!(process.lookup_handle(u64::MAX).unwrap().is_none());
        for placed in expected.handles_of(4) {
            for high_bits in [0xffff_ffff_8000_0000, 0x8000_0000] {
                let handle = high_bits | u64::from(placed.handle);
                let object = look_up(handle, None).unwrap().unwrap();
                assert_eq!(object.address(), Va(placed.object));
            }
        }
        for closed in [0, 0x7fff_fff0, 0x1_0000_0004, 0x8000_0000_0000_0004] {
            assert!(look_up(closed, None).unwrap().is_none(), "{closed:#x}");
        }
    });
}

#[test]
fn unloaded_drivers_come_latest_first() {
    on_all_layouts(|windows, expected| {
        let unloaded: Vec<_> = windows.unloaded_modules().map(Result::unwrap).collect();
        assert_eq!(unloaded.len(), expected.unloaded_modules.len());
        for (module, placed) in unloaded.iter().zip(&expected.unloaded_modules) {
            assert_eq!(module.name().unwrap(), placed.name);
            let range = (module.start().unwrap(), module.end().unwrap());
            assert_eq!(range, (Va(placed.start), Va(placed.end)));
            assert_eq!(module.time().unwrap().0, placed.time);
        }
    });
}
