//! Where symbols are found, and how they are kept.

use std::{
    fs,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use winvmi::{Error, core::Progress, symbols::Store};

use crate::support::{Folder, WINDOWS_10_2004 as SIGNATURE, kernel, load, own_table, store, table};

/// Path of the profile in a cache of `isr`'s layout.
fn cached() -> String {
    let signature = SIGNATURE.to_lowercase();
    format!("windows/ntkrnlmp.pdb/{signature}/profile.isr")
}

/// A store of one place with a cache.
fn caching(place: &std::path::Path, cache: &std::path::Path) -> Store {
    let mut store = store(place);
    store.set_cache(Some(cache.to_owned()));
    store
}

/// The JSON text of the reduced table.
fn text() -> Vec<u8> {
    let mut text = Vec::new();
    let file = fs::File::open(table(SIGNATURE)).unwrap();
    let mut reader = lzma_rust2::XzReader::new(file, false);
    std::io::Read::read_to_end(&mut reader, &mut text).unwrap();
    text
}

#[test]
fn tables_are_found_in_every_layout() {
    let packed = fs::read(table(SIGNATURE)).unwrap();
    let plain = text();
    let name = format!("{}-1.json", &SIGNATURE[..32]);
    for folder in [
        "",
        "ntkrnlmp.pdb/",
        "windows/ntkrnlmp.pdb/",
        "NTKRNLMP.PDB/",
    ] {
        let place = Folder::new();
        place.write(&format!("{folder}{name}.xz"), &packed);
        load(place.path(), SIGNATURE).unwrap();
        let place = Folder::new();
        place.write(&format!("{folder}{}", name.to_lowercase()), &plain);
        load(place.path(), SIGNATURE).unwrap();
    }
}

#[test]
fn a_file_is_taken_by_what_it_holds() {
    let folder = Folder::new();
    let path = folder.write("some-name", &fs::read(table(SIGNATURE)).unwrap());
    load(&path, SIGNATURE).unwrap();
    let other = format!("{}2", &SIGNATURE[..32]);
    assert!(matches!(load(&path, &other), Err(Error::NoSymbols(_))));
}

#[test]
fn missing_symbols_are_named_with_all_places() {
    let (first, second) = (Folder::new(), Folder::new());
    let mut store = store(first.path());
    store.add(second.path().join("absent"));
    store.set_cache(Some(second.path().to_owned()));
    let error = store.load(&kernel(SIGNATURE), &()).unwrap_err();
    let Error::NoSymbols(missing) = error else {
        panic!("{error}");
    };
    assert_eq!(missing.pdb, "ntkrnlmp.pdb");
    assert_eq!(missing.guid, &SIGNATURE[..32]);
    assert_eq!(missing.age, 1);
    let searched = [first.path(), &second.path().join("absent"), second.path()];
    assert_eq!(missing.searched, searched);
}

#[test]
fn a_table_of_another_kernel_is_not_taken_for_its_name() {
    let folder = Folder::new();
    let name = format!("{}-1.json.xz", &SIGNATURE[..32]);
    let other = table("339E74133576439CBCDF7E0229DA37731");
    folder.write(&name, &fs::read(other).unwrap());
    assert!(matches!(
        load(folder.path(), SIGNATURE),
        Err(Error::NoSymbols(_))
    ));
}

#[test]
fn names_from_the_guest_do_not_lead_out_of_a_place() {
    let folder = own_table();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let mut id = kernel(SIGNATURE);
    for name in ["..", "../", "/etc/passwd", ""] {
        id.name = name.into();
        assert!(store(&inner).load(&id, &()).is_err());
    }
}

#[test]
fn a_parsed_profile_is_kept_and_used() {
    let (place, cache) = (own_table(), Folder::new());
    let store = caching(place.path(), cache.path());
    let first = store.load(&kernel(SIGNATURE), &()).unwrap();
    let kept = fs::read(cache.path().join(cached())).unwrap();
    assert_eq!(first.as_bytes(), kept);
    drop(first);
    let second = store.load(&kernel(SIGNATURE), &()).unwrap();
    assert_eq!(second.as_bytes(), kept);
}

#[test]
fn a_kept_profile_is_readable_as_a_place_of_its_own() {
    let (place, cache) = (own_table(), Folder::new());
    let store = caching(place.path(), cache.path());
    store.load(&kernel(SIGNATURE), &()).unwrap();
    let profile = load(cache.path(), SIGNATURE).unwrap();
    assert!(profile.struct_size("_EPROCESS").is_some());
    load(cache.path().join(cached()), SIGNATURE).unwrap();
    let other = format!("{}2", &SIGNATURE[..32]);
    let wrong = load(cache.path().join(cached()), &other);
    assert!(matches!(wrong, Err(Error::NoSymbols(_))));
}

#[test]
fn a_kept_profile_stands_for_its_file_only() {
    let (place, cache) = (Folder::new(), Folder::new());
    let name = format!("{}-1.json", &SIGNATURE[..32]);
    let path = place.write(&name, &text());
    let store = caching(place.path(), cache.path());
    store.load(&kernel(SIGNATURE), &()).unwrap();
    let shorter = String::from_utf8(text()).unwrap();
    let changed = shorter.replace("\"PsLoadedModuleList\"", "\"PsRenamedModuleList\"");
    fs::write(&path, changed).unwrap();
    let profile = store.load(&kernel(SIGNATURE), &()).unwrap();
    assert_eq!(profile.symbol("PsLoadedModuleList"), None);
    fs::remove_file(path).unwrap();
    assert!(store.load(&kernel(SIGNATURE), &()).is_err());
}

#[test]
fn a_damaged_cached_profile_is_made_anew() {
    let (place, cache) = (own_table(), Folder::new());
    let store = caching(place.path(), cache.path());
    let whole = store
        .load(&kernel(SIGNATURE), &())
        .unwrap()
        .as_bytes()
        .to_vec();
    for damaged in [&b""[..], b"garbage", &whole[..whole.len() / 2]] {
        cache.write(&cached(), damaged);
        store.load(&kernel(SIGNATURE), &()).unwrap();
        assert_eq!(fs::read(cache.path().join(cached())).unwrap(), whole);
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_no_error() {
    let (place, folder) = (own_table(), Folder::new());
    let file = folder.write("file", b"");
    let store = caching(place.path(), &file.join("below"));
    store.load(&kernel(SIGNATURE), &()).unwrap();
}

#[test]
fn no_unfinished_files_stay_behind() {
    let (place, cache) = (own_table(), Folder::new());
    let store = caching(place.path(), cache.path());
    store.load(&kernel(SIGNATURE), &()).unwrap();
    let folder = cache.path().join(cached());
    let mut names: Vec<_> = fs::read_dir(folder.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["profile.isr", "profile.origin"]);
}

/// Counts how often a file is read.
#[derive(Default)]
struct Counter(AtomicU32);

impl Progress for Counter {
    fn report(&self, _stage: &'static str, _done: u64, _total: u64) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        true
    }
}

#[test]
fn threads_that_load_the_same_profile_parse_it_once() {
    let place = own_table();
    let (store, count) = (store(place.path()), Counter::default());
    let start = Barrier::new(4);
    let load = || {
        start.wait();
        store.load(&kernel(SIGNATURE), &count).unwrap()
    };
    let profiles: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    assert!(profiles.iter().all(|it| Arc::ptr_eq(it, &profiles[0])));
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    drop(profiles);
    store.load(&kernel(SIGNATURE), &count).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 2, "given up by all");
}

#[test]
fn loading_can_be_cancelled() {
    struct Cancel;
    impl Progress for Cancel {
        fn report(&self, _stage: &'static str, _done: u64, _total: u64) -> bool {
            false
        }
    }
    let place = own_table();
    let result = store(place.path()).load(&kernel(SIGNATURE), &Cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
}
